"""A task's API call: made over HTTP to our own gateway with the credentials of the role.

So it is authenticated, authorised, validated and logged like any other request. Member names are
in Pascal case on the workflow's side, whatever the API's own spelling.
"""

import datetime
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.response import StreamingBody

from localcloud.credentials import assume_role
from localcloud.registry import ServiceError
from localcloud.service_model import service_model
from localcloud.stepfunctions.task import Task

# Where the Java SDK's name of a service, which workflows use, is not botocore's.
_BOTOCORE_NAMES = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "sagemakerruntime": "sagemaker-runtime",
    "emrserverless": "emr-serverless",
}
_PREFIXES = {
    "sagemaker": "SageMaker",
    "sagemakerruntime": "SageMakerRuntime",
    "dynamodb": "DynamoDb",
    "sfn": "Sfn",
    "states": "StepFunctions",
    "s3": "S3",
    "eventbridge": "EventBridge",
    "cloudwatchlogs": "CloudWatchLogs",
    "secretsmanager": "SecretsManager",
    "codebuild": "CodeBuild",
    "emr-serverless": "EMRServerless",
    "emrserverless": "EmrServerless",
}
_CREATING = threading.Lock()


class TaskError(Exception):
    """A task failed: the error name and the cause that the workflow sees."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass(frozen=True)
class Client:
    """Calls one service as a task's role."""

    service: str  #: as the workflow spells it, for example "sfn"
    client: BaseClient
    optimised: bool  #: optimised integrations name generic errors after the old Java SDK

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation, for example "DescribeEndpoint"."""
        model = self._operation(operation)
        names = {value: key for key, value in self.client.meta.method_to_api_mapping.items()}
        try:
            request = _rename(model.input_shape, parameters, from_pascal)
            answer = getattr(self.client, names[model.name])(**request)
        except ClientError as error:
            raise self._failure(error) from error
        except ParamValidationError as error:
            message = f"The parameters of {operation} are not valid: {error}"
            raise TaskError("States.Runtime", message) from error
        answer.pop("ResponseMetadata", None)
        return dict(_rename(model.output_shape, answer, _to_pascal))

    def _operation(self, operation: str) -> OperationModel:
        known = self.client.meta.service_model
        if operation not in known.operation_names:
            message = f"{operation} is no operation of {self.service}"
            raise TaskError("States.Runtime", message)
        return known.operation_model(operation)

    def _failure(self, error: ClientError) -> TaskError:
        details = error.response["Error"]
        metadata = error.response["ResponseMetadata"]
        prefix = _PREFIXES.get(self.service, self.service.capitalize())
        status, request = metadata.get("HTTPStatusCode"), metadata.get("RequestId")
        suffix = f"Service: {prefix}, Status Code: {status}, Request ID: {request}"
        cause = f"{details['Message']} ({suffix})"
        return TaskError(f"{prefix}.{self._error_name(details['Code'], prefix)}", cause)

    def _error_name(self, code: str, prefix: str) -> str:
        modelled = self.client.meta.service_model.shape_names
        if code in modelled:
            return code if code.endswith("Exception") else f"{code}Exception"
        generic = {"sagemaker": "AmazonSageMakerException", "glue": "AWSGlueException"}
        return (
            generic.get(self.service, f"{prefix}Exception")
            if self.optimised
            else f"{prefix}Exception"
        )


def client_for(task: Task, service: str, *, optimised: bool) -> Client:
    """Return a client of a service with a fresh session of the task's role."""
    try:
        session = assume_role(
            task.role_arn,
            "states.amazonaws.com",
            task.execution_name,
            source_arn=task.execution["stateMachineArn"],
        )
    except ServiceError as error:
        raise TaskError("States.Runtime", error.message) from error
    name = _botocore_name(service)
    with _CREATING:
        client = _session().create_client(
            name,
            region_name=os.environ["AWS_REGION"],
            endpoint_url=os.environ["AWS_ENDPOINT_URL"],
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
            config=Config(
                retries={"max_attempts": 0},
                s3={"addressing_style": "path"},
                inject_host_prefix=False,
            ),
        )
    return Client(service, client, optimised)


@cache
def _session() -> Any:
    return botocore.session.get_session()


def api_model(service: str) -> ServiceModel:
    """Return the API of a service, named as workflows name it."""
    return service_model(_botocore_name(service))


def _botocore_name(service: str) -> str:
    return _BOTOCORE_NAMES.get(service, service)


def pascal(name: str) -> str:
    """Spell a member or an operation as workflows spell members."""
    return name[:1].upper() + name[1:]


def from_pascal(shape: Shape, key: str) -> str:
    """Return the shape's spelling of a member that the workflow spells in Pascal case."""
    lower = key[:1].lower() + key[1:]
    return lower if key not in shape.members and lower in shape.members else key


def _to_pascal(shape: Shape, key: str) -> str:  # noqa: ARG001  the counterpart of from_pascal
    return pascal(key)


def _rename(shape: Shape | None, value: Any, spell: Callable[[Shape, str], str]) -> Any:
    """Walk a value along its shape and respell the members of its structures."""
    if shape is None:
        return _plain(value)
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        return {
            spelled: _rename(_member(shape, key, spelled), item, spell)
            for key, item in value.items()
            for spelled in [spell(shape, key)]
        }
    if kind == "list" and isinstance(value, list):
        return [_rename(shape.member, item, spell) for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _rename(shape.value, item, spell) for key, item in value.items()}
    return _plain(value)


def _member(shape: Any, key: str, spelled: str) -> Shape | None:
    found: Shape | None = shape.members.get(key) or shape.members.get(spelled)
    return found


def _plain(value: Any) -> Any:
    """Return a leaf as the workflow's JSON has it: times in milliseconds, bodies as text."""
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, StreamingBody):
        value = value.read()
    return value.decode() if isinstance(value, bytes) else value
