"""Payloads and settings of the inference block's functions."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from lambdas.common.errors import DocumentedError

EVENT_SOURCE = "fourblocks.inference"
MODEL_DEPLOYED = "ModelDeployed"


class Setting:
    """Environment variables of the functions."""

    USE_CASE = "USE_CASE"
    ENDPOINT_NAME = "ENDPOINT_NAME"
    PREDICTION_TABLE = "PREDICTION_TABLE"
    PREDICTION_DAYS = "PREDICTION_DAYS"
    """Days until a stored prediction expires."""
    ATTEMPT_TABLE = "ATTEMPT_TABLE"
    """Where answers of requests with an idempotency key are kept."""
    METADATA_TABLE = "METADATA_TABLE"
    DEPLOYMENT_WORKFLOW = "DEPLOYMENT_WORKFLOW"
    """ARN of the workflow that deploys and rolls back."""
    MODEL_TABLE = "MODEL_TABLE"
    LEDGER_TABLE = "LEDGER_TABLE"
    EVENT_BUS = "EVENT_BUS"
    IDLE_HOURS = "IDLE_HOURS"
    """Hours without a request after which the endpoint is stopped."""
    MODEL_BUCKET = "MODEL_BUCKET"
    PREDICTION_QUEUE = "PREDICTION_QUEUE"
    """URL of the queue that predictions wait in on their way to the log."""
    FEATURE_GROUPS = "FEATURE_GROUPS"
    """JSON object: the feature group of each group of inputs; the first is required."""
    DECISION_TABLE = "DECISION_TABLE"
    ANALYTICS_BUCKET = "ANALYTICS_BUCKET"
    """Where decisions and predictions lie for analytics."""
    SIGNING_KEY = "SIGNING_KEY"
    """ARN of the asymmetric key that signed the models."""
    RESOURCE_PREFIX = "RESOURCE_PREFIX"
    """What names of models and endpoint configs begin with; absent means the endpoint's name."""
    EVIDENCE_TABLE = "EVIDENCE_TABLE"
    """Counters of each version's answers, by which canaries are judged."""
    GUARDRAILS = "GUARDRAILS"
    """How traffic moves and what rolls it back, as JSON."""
    SERVING_CONTAINERS = "SERVING_CONTAINERS"
    """``one`` that does it all, or a ``pipeline`` of pre, inference and post."""
    SCALING = "SCALING"
    """Between how many instances the endpoint scales, and by what, as JSON; absent without."""
    SERVING_VARIANT = "SERVING_VARIANT"
    """What else an endpoint config holds (instance type, count), as text.

    Its digest is part of the config's name.
    """


class ContainerEnvironment:
    """Environment of the serving container that the plan sets."""

    USE_CASE = "USE_CASE"
    MODEL_VERSION = "MODEL_VERSION"


class ApiLayer:
    """The layer that holds the API's OpenAPI document: a package with two JSON files."""

    PACKAGE = "api_document"
    DOCUMENT = "openapi.json"
    SCHEMAS = "schemas.json"
    """Of each body, the schema that the document names, with all references resolved."""


PREDICTIONS_PATH = "/predictions"
DECISIONS_PATH = "/decisions"

PREDICTION_ROWS_PREFIX = "predictions/"
"""Analytics store: predictions by the day on which they were made."""
PREDICTION_TABLE = "predictions"
PREDICTION_COLUMNS = {
    "prediction_id": "string",
    "created_at": "string",
    "model_version": "string",
    "entity_id": "string",
    "probability": "double",
    "missing_sources": "string",
    "correlation_id": "string",
    "instance": "string",
    "answer": "string",
}
"""Of the catalog's table; a prediction may stand in it twice, because delivery is at least once."""
DAY_COLUMN = "day"
"""Partition of the tables that serving writes."""

DECISION_DOCUMENTS_PREFIX = "decisions/documents/"
"""Analytics store: a decision's whole answer, under its id."""
DECISION_ROWS_PREFIX = "decisions/rows/"
"""Analytics store: what was decided about each entity, by day."""
DECISION_REQUESTS_PREFIX = "decisions/requests/"
"""Analytics store: requests that the workflow decides."""
DECISION_JOBS_PREFIX = "decisions/jobs/"
"""Analytics store: what the workflow's jobs leave, under their execution's name."""
MAX_DECIDED_AT_ONCE = 3000
"""Entities of one request that the API decides; the workflow takes any number."""
DECISION_TABLE = "decisions"
DECISION_COLUMNS = {
    "decision_id": "string",
    "decided_at": "string",
    "status": "string",
    "entity_id": "string",
    "prediction_id": "string",
    "probability": "double",
    "expected_loss": "double",
    "action": "string",
    "saving": "double",
    "cost": "double",
    "net": "double",
}
"""Of the catalog's table over the rows."""

BATCH_PREFIX = "batch/"
"""Of the analytics bucket: files that batch transform answers, and its answers."""

AWAITING_OUTCOME = "awaiting_outcome"
"""Attribute of a stored prediction that refers to an entity, and the sparse index by it.

It holds the bucket of the entity's outcome, and goes when the prediction has got that.
"""

MAX_REFERENCE_CHARACTERS = 256
"""Of the entity that a prediction refers to."""


class EndpointBusyError(DocumentedError):
    """The endpoint {endpoint_name} is {status}; it can be changed once it is in service."""


class AlarmRaisedError(DocumentedError):
    """The alarm {alarm} is raised already, so SageMaker would roll anything back. Look at why.

    A deployment may wait for it to pass; a roll-back to an earlier version does not look at it.
    """


_LONGEST_NAME = 63
_TRIAL = "-trial"


def trial_endpoint_name(endpoint_name: str) -> str:
    """Name the endpoint on which a version is tried before it gets any traffic."""
    return endpoint_name[: _LONGEST_NAME - len(_TRIAL)].rstrip("-") + _TRIAL


PRODUCTION_VARIANT = "AllTraffic"
"""Name of the one production variant of every config."""

PREVIOUS = "previous"
"""In place of a version to go back to: the one that served before."""

DEPLOY = "deploy"
ROLLBACK = "rollback"
REPAIR = "repair"
"""What a deployment does: it serves a new version, goes back to an earlier one, which blocks
what that replaces, or serves what is recorded, after an execution that died."""

GAVE_UP = "EndpointNotInServiceError"
"""Error of a deployment that SageMaker has rolled back, or could not begin."""

REPAIRS_AT_MOST = 3
"""Executions that may die one after the other before a person has to look."""

DEPLOYMENT_NAMESPACE = "Fourblocks/Deployment"
BAD_VERSION = "BadVersion"
"""Metric of the canary judge, by endpoint: 1 while it holds the new version to be bad."""


class PlanDeploymentRequest(TypedDict):
    """Input of ``plan_deployment``, and of the deployment workflow."""

    execution_arn: str
    reason: str
    requested_by: str
    action: NotRequired[str]
    """``deploy``, which is the default, ``rollback`` or ``repair``."""
    version: NotRequired[int]
    """What to deploy."""
    to: NotRequired[int | str]
    """What to go back to: a version, or ``previous``."""
    bake_seconds: NotRequired[int]
    """How long each step bakes; by default as configured."""
    aborted: NotRequired[str]
    """The execution that a repair cleans up after."""


class Resources(TypedDict):
    """What one version is served by."""

    model_name: str
    endpoint_config_name: str


class PlanDeploymentResponse(TypedDict):
    """Names and images, ready for ``CreateModel``, ``CreateEndpointConfig`` and the endpoint."""

    version: int
    model_name: str
    endpoint_config_name: str
    endpoint_name: str
    containers: list[dict[str, Any]]
    """The model's, as ``CreateModel`` takes them."""
    model_exists: bool
    endpoint_config_exists: bool
    endpoint_exists: bool
    endpoint_failed: bool
    """The endpoint never came into service: it can only be deleted, and created anew."""
    already_serving: bool
    """The endpoint runs this very configuration: go on to its verification, which is idempotent."""
    previous_endpoint_config_name: NotRequired[str]
    kind: str
    nothing_to_do: bool
    """A repair found nothing that was left undone."""
    champion: str
    """The version that the new one is compared with; empty without one."""
    trial_endpoint_name: str
    tried_first: bool
    """The version is asked its golden requests on a trial endpoint before it gets traffic."""
    guarded: bool
    """The canary judge looks on, and its alarm rolls back."""
    deployment_config: dict[str, Any]
    """How SageMaker moves the traffic, as ``UpdateEndpoint`` takes it."""
    leftovers: list[Resources]
    """What an earlier, dead execution may have left."""


class JudgeCanaryRequest(TypedDict):
    """Input of ``judge_canary``: first without a state, then with what the last look gave."""

    execution_arn: str
    version: int
    champion: str
    endpoint_name: str
    state: NotRequired[dict[str, Any]]


class JudgeCanaryResponse(TypedDict):
    """Whether the new version is held to be bad, why, and what the next look needs."""

    verdict: str
    reason: str
    compared: str
    state: dict[str, Any]


class EndDeploymentRequest(TypedDict):
    """Input of ``end_deployment``: all that the workflow knows when it ends."""

    execution_arn: str
    outcome: str
    """``succeeded`` or ``failed``."""
    input: dict[str, Any]
    """The workflow's whole state."""


class EndDeploymentResponse(TypedDict):
    """What was left to be done at the end."""

    ended: bool
    """False where the execution held no lease."""
    removed: list[str]
    blocked: bool


class VerifyArtefactRequest(TypedDict):
    """Input of ``verify_artefact``: before anything of a version is served."""

    execution_arn: str
    version: int
    requested_by: str


class VerifyArtefactResponse(TypedDict):
    """The version is, byte for byte, what was judged and signed."""

    version: int
    artefact_sha256: str


class VerifyDeploymentRequest(TypedDict):
    """Input of ``verify_deployment``: ask the endpoint the golden requests and compare."""

    version: int
    endpoint_name: str


class VerifyDeploymentResponse(TypedDict):
    """How many golden requests the endpoint answered exactly as the model did when it was built."""

    version: int
    verified: int


class StopEndpointRequest(TypedDict):
    """Input of ``stop_idle_endpoint``: stop it if it is idle, or now."""

    when: Literal["idle", "now"]
    requested_by: str
    reason: str


class StopEndpointResponse(TypedDict):
    """Whether the endpoint was stopped, and why or why not."""

    stopped: bool
    why: str


class RecordDeploymentRequest(TypedDict):
    """Input of ``record_deployment``: this version serves from now on."""

    execution_arn: str
    version: int
    endpoint_name: str
    endpoint_config_name: str
    reason: str
    requested_by: str
    kind: NotRequired[str]


class RecordDeploymentResponse(TypedDict):
    """What serves now, and what it replaced."""

    version: int
    replaced_version: int | None


class RecordDecisionRequest(TypedDict):
    """Input of ``record_decision``: a job of the workflow has decided a request."""

    answer_uri: str


class RecordDecisionResponse(TypedDict):
    """Where the decision is found, and what it comes to."""

    decision_id: str
    status: str
    net: float
    document_uri: str


class ModelDeployed(TypedDict):
    """Event detail."""

    use_case: str
    version: int
    replaced_version: int | None
    endpoint_name: str
