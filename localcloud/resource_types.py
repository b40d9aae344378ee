"""CloudFormation resource types that ministack lacks, created through the services' own APIs."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError
from botocore.model import Shape

from localcloud.registry import ResourceType
from localcloud.service_model import service_model

Properties = dict[str, Any]


@dataclass(frozen=True)
class ApiResource:
    """A resource type in terms of its service's operations."""

    service: str
    noun: str  #: as in Create<noun>, Delete<noun>
    name: str  #: the member that names it
    prepare: Callable[[Properties], Properties]
    ref: str = ""  #: the member of the answer that Ref gives; empty: the name
    waiter: str = ""
    member: str = ""  #: the member of the request that holds the declaration, if not the request
    in_place: bool = False  #: there is an Update<noun> that takes what Create<noun> takes
    updated: Callable[[str, Properties], None] | None = None  #: follows an update of properties

    def resource_type(self) -> ResourceType:
        """Return the handlers for CloudFormation."""
        return ResourceType(
            self._create, self._delete, self._update if self.in_place else self._replace
        )

    def _create(
        self, logical_id: str, properties: Properties, stack: str
    ) -> tuple[str, dict[str, Any]]:
        request = self.prepare(properties)
        request.setdefault(self.name, _generated_name(stack, logical_id, request))
        name = request[self.name]
        answer = self._call("create", **self._request("Create", request))
        if self.waiter:
            self._wait(name)
        physical_id = answer[self.ref] if self.ref else name
        return physical_id, self._attributes(name, physical_id, answer)

    def _attributes(self, name: str, physical_id: str, answer: Properties) -> dict[str, Any]:
        """Return what Fn::GetAtt gives; the ARN stands in the answer or in its one member."""
        nested = next((each for each in answer.values() if isinstance(each, dict)), {})
        arns = [value for key, value in answer.items() if key.endswith("Arn")]
        arn = next(iter(arns), nested.get("arn", name))
        return {_capital(self.name): name, "Arn": arn, "Id": physical_id}

    def _delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        self._call("delete", **{self.name: physical_id.rsplit("/", 1)[-1]})

    def _request(self, verb: str, declaration: Properties) -> Properties:
        whole = {self.member: declaration} if self.member else declaration
        shape = service_model(self.service).operation_model(f"{verb}{self.noun}").input_shape
        return dict(typed(shape, whole))

    def _update(
        self,
        physical_id: str,
        old: Properties,
        new: Properties,
        stack: str,  # noqa: ARG002  ministack's signature
    ) -> tuple[str, dict[str, Any]]:
        request = self.prepare(new) | {self.name: physical_id}
        answer = self._call("update", **self._request("Update", request))
        if self.updated and old != new:
            self.updated(physical_id, new)
        return physical_id, self._attributes(physical_id, physical_id, answer)

    def _replace(
        self, physical_id: str, old: Properties, new: Properties, stack: str
    ) -> tuple[str, dict[str, Any]]:
        """Replace the resource: under a new name, or, when the template names it, in its place."""
        logical_id = physical_id.rsplit("/", 1)[-1].removeprefix(f"{stack}-").rsplit("-", 1)[0]
        named = _capital(self.name) in new
        if named:
            self._delete(physical_id, old)
        created = self._create(logical_id, new, stack)
        if not named and created[0] != physical_id:
            self._delete(physical_id, old)
        return created

    def _call(self, verb: str, **request: Any) -> dict[str, Any]:
        client = _client(self.service)
        try:
            answer = getattr(client, f"{verb}_{_snake(self.noun)}")(**request)
        except ClientError as error:
            raise ValueError(str(error)) from error  # what ministack takes as a failed resource
        return dict(answer)

    def _wait(self, name: str) -> None:
        waiter = _client(self.service).get_waiter(self.waiter)
        try:
            waiter.wait(**{self.name: name}, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
        except WaiterError as error:
            raise ValueError(str(error)) from error


def _client(service: str) -> Any:
    return boto3.Session().client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _snake(noun: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in noun).lstrip("_")


def _generated_name(stack: str, logical_id: str, request: Mapping[str, Any]) -> str:
    """Return a name that follows the content, so that changed content gets another name."""
    content = json.dumps(request, sort_keys=True)
    return f"{stack[:24]}-{logical_id[:24]}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def typed(shape: Shape, value: Any) -> Any:
    """Convert a template's values to the API's types: templates may write any scalar as text."""
    kind = shape.type_name
    if kind == "structure":
        return {key: typed(shape.members[key], value[key]) for key in value if key in shape.members}
    if kind == "list":
        return [typed(shape.member, each) for each in value]
    if kind == "map":
        return {key: typed(shape.value, each) for key, each in value.items()}
    convert: dict[str, Callable[[Any], Any]] = {
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
        "string": _text,
    }
    return (convert.get(kind) or _boolean)(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _boolean(value: Any) -> bool:
    return str(value).lower() == "true"


def _same(properties: Properties) -> Properties:
    return dict(properties)


def _security_configuration(properties: Properties) -> Properties:
    encryption = dict(properties["EncryptionConfiguration"])
    if "S3Encryptions" in encryption:
        encryption["S3Encryption"] = encryption.pop("S3Encryptions")
    return {"Name": properties["Name"], "EncryptionConfiguration": encryption}


def _pipeline(properties: Properties) -> Properties:
    stores = properties.get("ArtifactStores")
    declaration = camel(service_model("codepipeline").shape_for("PipelineDeclaration"), properties)
    if stores:
        store = service_model("codepipeline").shape_for("ArtifactStore")
        declaration["artifactStores"] = {
            each["Region"]: camel(store, each["ArtifactStore"]) for each in stores
        }
    return dict(declaration)


def _restart(name: str, properties: Properties) -> None:
    """Run a changed pipeline from its beginning, where its template wants that."""
    if str(properties.get("RestartExecutionOnUpdate", "")).lower() == "true":
        _client("codepipeline").start_pipeline_execution(name=name)


def _build_project(properties: Properties) -> Properties:
    """Spell a project as the API does, whose ``buildspec`` is the template's ``BuildSpec``."""
    shape = service_model("codebuild").operation_model("CreateProject").input_shape
    source = dict(properties.get("Source", {"Type": "NO_SOURCE"}))
    if "BuildSpec" in source:
        source["Buildspec"] = source.pop("BuildSpec")
    artefacts = properties.get("Artifacts", {"Type": "NO_ARTIFACTS"})
    return dict(camel(shape, {**properties, "Source": source, "Artifacts": artefacts}))


def camel(shape: Shape, value: Any) -> Any:
    """Return a template's declaration with the API's member names."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        names = {_capital(member): member for member in shape.members}
        return {
            names[key]: camel(shape.members[names[key]], each)
            for key, each in value.items()
            if key in names
        }
    if shape.type_name == "list":
        return [camel(shape.member, each) for each in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {key: camel(shape.value, each) for key, each in value.items()}
    return value


def _sagemaker(noun: str, waiter: str = "") -> ResourceType:
    resource = ApiResource("sagemaker", noun, f"{noun}Name", _same, f"{noun}Arn", waiter)
    return resource.resource_type()


RESOURCE_TYPES: dict[str, ResourceType] = {
    "AWS::SageMaker::Model": _sagemaker("Model"),
    "AWS::SageMaker::EndpointConfig": _sagemaker("EndpointConfig"),
    "AWS::SageMaker::Endpoint": _sagemaker("Endpoint", "endpoint_in_service"),
    "AWS::Glue::SecurityConfiguration": ApiResource(
        "glue", "SecurityConfiguration", "Name", _security_configuration
    ).resource_type(),
    "AWS::CodeBuild::Project": ApiResource(
        "codebuild", "Project", "name", _build_project, in_place=True
    ).resource_type(),
    "AWS::CodePipeline::Pipeline": ApiResource(
        "codepipeline",
        "Pipeline",
        "name",
        _pipeline,
        member="pipeline",
        in_place=True,
        updated=_restart,
    ).resource_type(),
}
