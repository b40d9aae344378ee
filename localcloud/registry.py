"""How a service plugs into the embedded AWS: operations, permissions, resource types.

A service module offers `service() -> Service`. `localcloud.plugins` lists the modules; nothing else
has to be touched. For every request signed for `signing_name`, the gateway

1. finds the operation in botocore's models and validates it (`localcloud.service_model`);
2. checks each `Permission` that `permissions(call)` names against the caller's policies;
3. runs `operations[call.operation](call)` in a worker thread and serialises the returned mapping.

A handler raises `ServiceError` to answer with an AWS error. An operation of the model that is not
in `operations` answers with an error naming it, unless `overlays` is set: then ministack's own
handler keeps every operation that we do not offer (Glue: we run jobs, ministack has the catalog).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Who signed a request: the access key as received and the principal it stands for."""

    access_key_id: str
    arn: str


@dataclass(frozen=True)
class Call:
    """One authenticated, validated request."""

    service: str  #: botocore's service name, for example "sagemaker-runtime"
    operation: str  #: for example "CreateTrainingJob"
    parameters: Mapping[str, Any]  #: as in the API reference; blobs are bytes, times are datetimes
    region: str
    account: str
    caller: Caller

    def arn(self, resource: str) -> str:
        """Return the ARN of a resource of this service, for example `job/name`."""
        service = self.service.split("-", maxsplit=1)[0]
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Permission:
    """One IAM check: the caller must be allowed `action` on `resource`."""

    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)


def pass_role(role_arn: str, service: str) -> Permission:
    """Return the check that AWS makes when a role is handed to a service."""
    return Permission("iam:PassRole", role_arn, {"iam:PassedToService": service})


class ServiceError(Exception):
    """An AWS error answer: its code, its message and its HTTP status."""

    def __init__(
        self, code: str, message: str, status: int = 400, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})  #: further members of the error's shape


Operation = Callable[[Call], Mapping[str, Any]]


@dataclass(frozen=True)
class ResourceType:
    """A CloudFormation resource type, in terms of what the template says.

    `create(logical_id, properties, stack_name)` returns the physical id (what `Ref` gives) and the
    attributes (what `Fn::GetAtt` gives). `update(physical_id, old, new, stack_name)` returns the
    same; without it, a change replaces the resource.
    """

    create: Callable[[str, dict[str, Any], str], tuple[str, dict[str, Any]]]
    delete: Callable[[str, dict[str, Any]], None]
    update: (
        Callable[[str, dict[str, Any], dict[str, Any], str], tuple[str, dict[str, Any]]] | None
    ) = None


@dataclass(frozen=True)
class Service:
    """One service: where its requests are recognised, and what it can do."""

    signing_name: str  #: the service of the SigV4 credential scope, for example "sagemaker"
    models: Sequence[str]  #: botocore service names that share it, tried in order
    operations: Mapping[str, Operation]
    permissions: Callable[[Call], Sequence[Permission]]
    overlays: bool = False
    resource_types: Mapping[str, ResourceType] = field(default_factory=dict)
    start: Callable[[], None] | None = None  #: called once, before the gateway answers
    drain: Callable[[], None] | None = None  #: called before the end, while the gateway answers
    stop: Callable[[], None] | None = None  #: called when the gateway shuts down
