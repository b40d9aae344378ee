"""Payloads and settings of the training pipeline's functions."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from lambdas.common.model_states import ModelState

EVENT_SOURCE = "fourblocks.training_pipeline"
MODEL_REGISTERED = "ModelRegistered"
MODEL_REJECTED = "ModelRejected"
APPROVAL_REQUESTED = "ApprovalRequested"

TRAINING_REGISTERED = "registered"
"""State of a training's claim: its model has a version."""

TRAININGS_PREFIX = "trainings/"
"""Model store: what training jobs leave, under the training's id."""

EVALUATIONS_PREFIX = "evaluations/"
"""Model store: what evaluations say, under the training's id."""

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
    CONFIG_BUCKET = "CONFIG_BUCKET"
    MODEL_INPUT_BUCKET = "MODEL_INPUT_BUCKET"
    MODEL_BUCKET = "MODEL_BUCKET"
    METADATA_TABLE = "METADATA_TABLE"
    MODEL_TABLE = "MODEL_TABLE"
    LEDGER_TABLE = "LEDGER_TABLE"
    EVENT_BUS = "EVENT_BUS"
    JOB_NAME_PREFIX = "JOB_NAME_PREFIX"
    SIGNING_KEY = "SIGNING_KEY"
    """ARN of the asymmetric key that signs models."""
    MODEL_PACKAGE_GROUP = "MODEL_PACKAGE_GROUP"
    APPROVAL = "APPROVAL"
    APPROVAL_HOURS = "APPROVAL_HOURS"
    """How long a person has to decide; then the version is rejected."""
    TRAINING_THREADS = "TRAINING_THREADS"
    """Threads that one member trains with; its model is the same with any number."""


class PlanTrainingRequest(TypedDict):
    """Input of ``plan_training``; without a ``dataset_id`` the latest published version is used."""

    execution_arn: str
    dataset_id: NotRequired[str]
    requested_by: str
    reason: str


class MemberPlan(TypedDict):
    """One member's training job; every value is ready for ``CreateTrainingJob``."""

    name: str
    training_job_name: str
    hyperparameters: dict[str, str]


class PlanTrainingResponse(TypedDict):
    """What to train.

    ``ready``: train; ``unchanged``: this very model is registered; ``taken``: another execution
    trains it.
    """

    status: Literal["ready", "unchanged", "taken"]
    training_id: str
    dataset_id: str
    dataset_uri: str
    """S3 prefix of the dataset version, with a trailing slash."""
    config_digest: str
    members: list[MemberPlan]
    stack_job_name: str
    stack_hyperparameters: dict[str, str]
    stack_inputs: list[dict[str, object]]
    """``InputDataConfig`` of the stacker: the dataset and each member's artefact."""
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
