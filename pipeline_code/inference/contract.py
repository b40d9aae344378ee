"""Names that the serving container and the Lambdas share: request, answer, problem."""

from __future__ import annotations

from typing import NotRequired, TypedDict

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
MAX_INSTANCES = 500
"""Instances that one request may carry."""
MAX_BATCH_INSTANCES = 10_000
"""Rows that one request in lines or columns may carry."""
MAX_BODY_BYTES = 6 * 1024 * 1024
"""Bytes that the body of one request may have."""
ATTRIBUTES_HEADER = "x-amzn-sagemaker-custom-attributes"
"""What a caller tells the container beside the body, and the container the caller."""
REASONS_ATTRIBUTE = "reasons"
"""``reasons=5`` asks for each answer's five main reasons."""
MAX_REASONS = 20
MAX_EXPLAINED = 100
"""Rows that are explained in one request: it takes milliseconds each."""
STEP_VARIABLE = "SERVING_STEP"
"""Of the container: which of the steps it does; without it, all."""
PRE_STEP, INFERENCE_STEP, POST_STEP, ALL_STEPS = "pre", "inference", "post", "all"
PIPELINE_STEPS = (PRE_STEP, INFERENCE_STEP, POST_STEP)
"""The containers of an inference pipeline, in order; each has the same image and artefact."""

DECISION_ENTRYPOINT = ("python", "-m", "pipeline_code.inference.decide_job")
"""What a processing job runs to decide; the use case's name follows."""
DECISION_INPUT = "request"
DECISION_OUTPUT = "decision"
DECISION_NAME = "decision.json"
"""The answer's file in the job's output."""


class PredictionRequest(TypedDict):
    """Body of ``POST /predictions`` and of ``POST /invocations``.

    An instance maps each group of inputs (``inputs.yaml`` of the use case) to its values; a group
    that is absent or null is a missing source.
    """

    instances: list[dict[str, dict[str, object] | None]]
    references: NotRequired[list[str | None]]
    """Of the API alone: the entity that each instance is about, so that its outcome finds it."""
    entities: NotRequired[list[str]]
    """Of the API alone, in place of both: entities whose inputs the Feature Store holds."""


class MemberShare(TypedDict):
    """One member's part: its ``probability`` alone, and its ``share`` of the combined logit."""

    probability: float
    share: float


class Reason(TypedDict):
    """What one feature adds, by one member, to the combined logit."""

    member: str
    feature: str
    share: float


class Prediction(TypedDict):
    """One answer: the probability's logit is ``base`` plus the members' shares, as doubles go."""

    probability: float
    base: float
    members: dict[str, MemberShare]
    missing_sources: list[str]
    flags: NotRequired[list[str]]
    """Why the answer deserves less trust: ``missing:<source>``, ``unfamiliar:<feature>``."""
    reasons: NotRequired[list[Reason]]
    """If asked for: what moved the answer most, the greatest first."""


class PredictionResponse(TypedDict):
    """Answer of ``/invocations``: one prediction an instance, in their order."""

    model_version: str
    predictions: list[Prediction]


class Problem(TypedDict):
    """A problem document, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    model_version: NotRequired[str]
    """Of the container alone: which version answers so."""
    errors: NotRequired[list[dict[str, str]]]
    """One entry a bad field: ``pointer`` (JSON pointer), ``value``, ``allowed``."""
