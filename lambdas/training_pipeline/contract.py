"""Payloads and settings of the training pipeline's functions."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from lambdas.common.model_states import ModelState

EVENT_SOURCE = "fourblocks.training_pipeline"
MODEL_REGISTERED = "ModelRegistered"
MODEL_REJECTED = "ModelRejected"
TRAINING_DUE = "TrainingDue"
"""Somebody asked for a training while another one ran, or a configuration was accepted."""
APPROVAL_REQUESTED = "ApprovalRequested"

TRAINING_REGISTERED = "registered"
"""State of a training's claim: its model has a version."""

TRAININGS_PREFIX = "trainings/"
"""Model store: what training jobs leave, under the training's id."""

EVALUATIONS_PREFIX = "evaluations/"
"""Model store: what evaluations say, under the training's id."""

PRETRAINED_PREFIX = "pretrained/"
"""Model store: artefacts that were trained elsewhere, for members in mode D."""

MODELS_PREFIX = "models/"
"""Model store: registered artefacts, under the digest of their content."""

TRAINING_CONFIG_PREFIX = "training/"
"""Config store: the ensemble's configuration of every training, under its digest."""

Verdict = Literal["promoted", "rejected", "needs_approval"]
Approval = Literal["automatic", "human"]
"""What happens to a promoted model: it is deployed, or a person is asked."""


class Setting:
    """Environment variables of the functions."""

    USE_CASE = "USE_CASE"
    TRAINING_CONFIG_URI = "TRAINING_CONFIG_URI"
    """S3 URI of the use case's ``members.yaml``, as JSON: a Lambda has no YAML parser.

    The config store keeps what each run used, under its digest.
    """
    TRAINING_IMAGE_URI = "TRAINING_IMAGE_URI"
    ALGORITHM_IMAGES = "ALGORITHM_IMAGES"
    """JSON object: the region's image of each built-in algorithm and framework."""
    INSTANCE_TYPE = "INSTANCE_TYPE"
    VOLUME_GB = "VOLUME_GB"
    JOB_TIMEOUT_SECONDS = "JOB_TIMEOUT_SECONDS"
    CONFIG_BUCKET = "CONFIG_BUCKET"
    MODEL_INPUT_BUCKET = "MODEL_INPUT_BUCKET"
    MODEL_BUCKET = "MODEL_BUCKET"
    METADATA_TABLE = "METADATA_TABLE"
    MODEL_TABLE = "MODEL_TABLE"
    LEDGER_TABLE = "LEDGER_TABLE"
    ATTEMPT_TABLE = "ATTEMPT_TABLE"
    """Where answers of requests with an idempotency key are kept."""
    EVENT_BUS = "EVENT_BUS"
    JOB_NAME_PREFIX = "JOB_NAME_PREFIX"
    SIGNING_KEY = "SIGNING_KEY"
    """ARN of the asymmetric key that signs models."""
    MODEL_PACKAGE_GROUP = "MODEL_PACKAGE_GROUP"
    CODE_COMMIT = "CODE_COMMIT"
    """Commit that the environment was deployed from, or ``unknown``; the model card says it."""
    APPROVAL = "APPROVAL"
    APPROVAL_HOURS = "APPROVAL_HOURS"
    """How long a person has to decide; then the version is rejected."""
    TRAINING_THREADS = "TRAINING_THREADS"
    """Threads that one member trains with; its model is the same with any number."""


class PlanTrainingRequest(TypedDict):
    """Input of ``plan_training``; without a ``dataset_id`` the latest published version is used."""

    execution_arn: str
    dataset_id: NotRequired[str]
    reproduce_version: NotRequired[int]
    """Rebuild this version from its record, compare, and register nothing; 0 or absent: train."""
    requested_by: str
    reason: str


MemberAction = Literal["train", "tune", "tune_on", "reuse"]


class TrainingRequest(TypedDict):
    """What differs from one member's ``CreateTrainingJob`` to the next, under AWS's names."""

    AlgorithmSpecification: dict[str, object]
    HyperParameters: dict[str, str]
    InputDataConfig: list[dict[str, object]]
    OutputDataConfig: dict[str, str]
    ResourceConfig: dict[str, object]
    StoppingCondition: dict[str, int]
    EnableManagedSpotTraining: bool
    CheckpointConfig: dict[str, str]


class TuningRequest(TypedDict):
    """The part of ``CreateHyperParameterTuningJob`` that is not the training job's."""

    HyperParameterTuningJobName: str
    HyperParameterTuningJobConfig: dict[str, object]
    WarmStartConfig: dict[str, object] | None


class MemberPlan(TypedDict):
    """How one member gets its model.

    ``train``: a job; ``tune``: a tuning job, ``tune_on`` one that goes on from an earlier one;
    ``reuse``: the artefact exists, because it was given (mode D) or nothing it rests on changed.
    """

    name: str
    mode: str
    action: MemberAction
    training_job_name: str
    artefact_uri: str
    """Of ``reuse``, and where ``train`` will leave it; empty while a tuning job decides."""
    cache_key: str
    """Digest of all that the artefact depends on; empty when it must not be remembered."""
    request: TrainingRequest | None
    tuning: TuningRequest | None


class TrainedMember(TypedDict):
    """A member after its job."""

    name: str
    artefact_uri: str
    cache_key: str
    training_job_name: str
    tuning_job_name: str
    hyperparameters: dict[str, str]
    """What the tuning chose; empty otherwise."""


class CollectMembersRequest(TypedDict):
    """Input of ``collect_members``: all members have their artefacts."""

    training_id: str
    execution_arn: str
    dataset_uri: str
    config_uri: str
    prepares: bool
    prepared_uri: str
    members: list[TrainedMember]


class CollectMembersResponse(TypedDict):
    """``InputDataConfig`` of the stacker: dataset, configuration, each member's artefact."""

    stack_inputs: list[dict[str, object]]


class PlanTrainingResponse(TypedDict):
    """What to train.

    ``ready``: train; ``unchanged``: this very model is registered; ``taken``: another execution
    trains it; ``queued``: another training runs, after which this one is started.
    """

    status: Literal["ready", "unchanged", "taken", "queued"]
    training_id: str
    dataset_id: str
    dataset_uri: str
    """S3 prefix of the dataset version, with a trailing slash."""
    config_digest: str
    config_uri: str
    """The configuration that this run uses, kept under its digest."""
    prepares: bool
    """Some member is trained in somebody else's container, which needs CSV files."""
    preparation_job_name: str
    preparation_inputs: list[dict[str, object]]
    prepared_uri: str
    members: list[MemberPlan]
    stack_job_name: str
    stack_hyperparameters: dict[str, str]
    stack_artefact_uri: str
    reproduces: bool
    """The result is compared with a registered version, and not registered."""
    reproduction_job_name: str
    reproduction_inputs: list[dict[str, object]]
    reproduction_output_uri: str
    evaluation_job_name: str
    evaluation_inputs: list[dict[str, object]]
    """``ProcessingInputs``: dataset, challenger and, when one is serving, champion."""
    evaluation_output_uri: str
    output_uri: str
    """S3 prefix for artefacts of this training."""
    image_uri: str
    champion_version: int | None
    registered_version: int | None
    """With ``unchanged``: the version that these very inputs gave."""
    registered_state: ModelState | None
    """With ``unchanged``: ``approved`` means that its deployment is still to come."""
    detail: str


class JudgeModelRequest(TypedDict):
    """Input of ``judge_model``."""

    training_id: str
    evaluation_uri: str
    """Where the evaluation wrote: the prefix (``evaluation_output_uri``) or the report itself."""


class RuleFinding(TypedDict):
    """What one rule found."""

    rule: str
    passed: bool
    value: float | None
    limit: float | None
    broken_means: Verdict
    """``rejected``, or ``needs_approval`` where a person may see it differently."""
    reason: str


class JudgeModelResponse(TypedDict):
    """The verdict with the rules that decided, in plain words; broken ones first."""

    verdict: Verdict
    reasons: list[str]
    rules: list[RuleFinding]
    evaluation_uri: str


class RegisterModelRequest(TypedDict):
    """Input of ``register_model``: promoted and rejected models alike are recorded."""

    training_id: str
    dataset_id: str
    config_digest: str
    image_uri: str
    artefact_uri: str
    """S3 URI of the ensemble's ``model.tar.gz`` as the stacker's job left it."""
    verdict: Verdict
    reasons: list[str]
    rules: list[RuleFinding]
    evaluation_uri: str
    execution_arn: str
    requested_by: str


class RegisterModelResponse(TypedDict):
    """The registered version; the artefact now lies under its own digest."""

    version: int
    model_id: str
    """Digest of the artefact's content: ``m-`` and 16 hex digits."""
    artefact_uri: str
    state: ModelState
    image_uri: str


ApprovalState = Literal["waiting", "approved", "rejected", "expired"]
Decision = Literal["approved", "rejected", "expired"]

APPROVALS_PATH = "/approvals"


class AskApprovalRequest(TypedDict):
    """Input of ``ask_approval``: a person decides, and the workflow waits for its token."""

    task_token: str
    execution_arn: str
    version: int
    model_id: str
    requested_by: str


class AskApprovalResponse(TypedDict):
    """Until when an answer counts."""

    version: int
    expires_at: str


class ApprovalDecision(TypedDict):
    """What the waiting workflow is told, or what it tells itself when nobody answered."""

    decision: Decision
    approver: str
    reason: str


class RecordApprovalRequest(ApprovalDecision):
    """Input of ``record_approval``: what was decided becomes the version's state."""

    execution_arn: str
    version: int


class RecordApprovalResponse(TypedDict):
    """The version and its state."""

    version: int
    model_id: str
    state: ModelState


class CheckConfigRequest(TypedDict):
    """A document that arrived in the config store."""

    key: str
    version: str
    requested_by: str


class EndTrainingRequest(TypedDict):
    """Input of ``end_training``: the next training may begin."""

    execution_arn: str


class EndTrainingResponse(TypedDict):
    """Why another training was asked for meanwhile; empty when none was."""

    asked_for: str


class ReleaseTrainingRequest(TypedDict):
    """Input of ``release_training``: the run failed; give the claim back and record why."""

    training_id: str
    execution_arn: str
    error: str
    cause: str


class ReleaseTrainingResponse(TypedDict):
    """``released``: the same inputs may be trained again; ``kept``: the claim was not ours."""

    training_id: str
    outcome: Literal["released", "kept"]
    reason: str


class ModelJudged(TypedDict):
    """Detail of ``ModelRegistered`` and ``ModelRejected``."""

    use_case: str
    version: int
    model_id: str
    training_id: str
    reasons: list[str]
