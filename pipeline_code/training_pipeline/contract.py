"""Names that training jobs, the evaluation, their Lambdas and stacks share."""

from __future__ import annotations

from typing import NotRequired, TypedDict

# Training channels (`InputDataConfig[].ChannelName`), mounted at /opt/ml/input/data/<channel>.
DATASET_CHANNEL = "dataset"
"""A dataset version: ``split=<train|validation|test>/period=<YYYY-MM>/`` with Parquet files."""
MEMBER_CHANNEL_PREFIX = "member-"
"""The stacker's channels, one a member, each holding that member's ``model.tar.gz``."""

# Hyper-parameters are strings, as SageMaker passes them.
HYPERPARAMETER_TASK = "task"
"""``member`` trains one member, ``stack`` combines them."""
HYPERPARAMETER_USE_CASE = "use_case"
HYPERPARAMETER_MEMBER = "member"
HYPERPARAMETER_SEED = "seed"
HYPERPARAMETER_THREADS = "threads"
HYPERPARAMETER_PREFIX = "override."
"""``override.<name>`` overrides one parameter of the member's algorithm (JSON value)."""

TASK_MEMBER = "member"
TASK_STACK = "stack"

# Processing job (evaluation): /opt/ml/processing/input/<name> and /opt/ml/processing/output/<name>.
EVALUATION_INPUT_DATASET = "dataset"
EVALUATION_INPUT_CHALLENGER = "challenger"
EVALUATION_INPUT_CHAMPION = "champion"
"""Present only when a champion is serving."""
EVALUATION_OUTPUT = "evaluation"
EVALUATION_NAME = "evaluation.json"
EVALUATION_ENTRYPOINT = ["python", "-m", "pipeline_code.training_pipeline.evaluate_job"]
TRAIN_AND_SERVE_ENTRYPOINT = ["python", "-m", "pipeline_code.container"]
"""The image's entry point: SageMaker appends ``train`` or ``serve``."""

# Inside model.tar.gz
ENSEMBLE_NAME = "ensemble.json"
GOLDEN_NAME = "golden.jsonl"
"""Requests of the validation months with the answers that this model gave when it was built."""


class Metrics(TypedDict):
    """Quality of one model on one set of rows; every figure is a plain float."""

    auc: float
    pr_auc: float
    log_loss: float
    brier: float
    ece: float
    base_rate: float
    rows: int


class Evaluation(TypedDict):
    """``evaluation.json``: all that the verdict rests on."""

    dataset_id: str
    challenger: Metrics
    champion: NotRequired[Metrics]
    baselines: dict[str, Metrics]
    """``base_rate`` and ``logistic_regression``, fitted on the same training rows."""
    members: dict[str, Metrics]
    without_source: dict[str, Metrics]
    """The challenger when one source is missing, by source."""
    slices: dict[str, dict[str, Metrics]]
    """By slice column, by value: ``slices["origin"]["JFK"]``."""
    champion_slices: NotRequired[dict[str, dict[str, Metrics]]]
    model_size_bytes: int
    latency_ms_p50: float


class Gate(TypedDict):
    """Limits that a challenger must keep; from ``members.yaml``."""

    min_auc: float
    max_log_loss: float
    max_brier: float
    max_ece: float
    min_gain_log_loss: float
    max_slice_loss_log_loss: float
    max_model_size_bytes: int
    max_latency_ms_p50: float
