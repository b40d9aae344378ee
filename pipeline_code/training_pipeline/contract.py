"""Names that training jobs, the evaluation, their Lambdas and stacks share."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

# Ways in which SageMaker gives a member its model.
Mode = Literal["A", "B", "C", "D", "E", "F"]
ALGORITHM_MODES: dict[str, Mode] = {
    "xgboost": "A",
    "linear-learner": "A",
    "sklearn": "B",
    "lightgbm": "C",
    "pretrained": "D",
    "marketplace_algorithm": "E",
    "marketplace_model": "F",
}
"""``algorithm`` of a member, and its mode: A built-in image, B own script in a framework container,
C our own container, D a trained artefact, E a marketplace algorithm, F a marketplace model package.

A, B and C are a text (``algorithm: xgboost``); the others are a mapping with one key:
``{pretrained: {uri, sha256}}``, ``{marketplace_algorithm: arn}``, ``{marketplace_model: arn}``.
"""
PREPARED_MODES: tuple[Mode, ...] = ("A", "B", "E")
"""Modes whose members are trained on the CSV files that the preparation writes."""
TRAINED_MODES: tuple[Mode, ...] = ("A", "B", "C", "E")
"""Modes with a training job. D needs none: its artefact is the stacker's channel as it is."""

# Training channels (`InputDataConfig[].ChannelName`), mounted at /opt/ml/input/data/<channel>.
DATASET_CHANNEL = "dataset"
"""A dataset version: ``split=<train|validation|test>/period=<YYYY-MM>/`` with Parquet files."""
CONFIG_CHANNEL = "config"
"""One file, the training configuration that this run uses (JSON or YAML), under any name.

Member, stacker, preparation and evaluation jobs read it. Without the channel (a notebook, a local
change) they read the ``members.yaml`` of the image's use case.
"""
MEMBER_CHANNEL_PREFIX = "member-"
"""The stacker's channels, one a member, each holding that member's ``model.tar.gz``."""
PREPARED_CHANNEL = "prepared"
"""The stacker's channel with ``<member>.json`` of prepared members: ``PREPROCESSING_FOLDER``."""
TRAIN_CHANNEL = "train"
VALIDATION_CHANNEL = "validation"
"""Channels of modes A, B and E: CSV without a header, the label first."""
CODE_CHANNEL = "code"
"""Mode B: holds ``sourcedir.tar.gz``, so that the job needs no network."""
CSV_CONTENT_TYPE = "text/csv"

CHECKPOINT_FOLDER = "/opt/ml/checkpoints"
"""``CheckpointConfig.LocalPath`` of member jobs: an interrupted one goes on where it was."""

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

TRAIN_AND_SERVE_ENTRYPOINT = ["python", "-m", "pipeline_code.container"]
"""The image's entry point: SageMaker appends ``train`` or ``serve``."""

# Processing jobs: /opt/ml/processing/input/<name> and /opt/ml/processing/output/<name>.
# Preparation: only when a member's mode is in PREPARED_MODES. Inputs `dataset` and `config`, no
# arguments: the configuration says for whom to prepare what.
PREPARATION_ENTRYPOINT = ["python", "-m", "pipeline_code.training_pipeline.prepare_job"]
PREPARATION_INPUT_DATASET = "dataset"
PREPARATION_INPUT_CONFIG = "config"
PREPARATION_OUTPUT = "prepared"
PREPROCESSING_FOLDER = "preprocessing"
"""Output: ``preprocessing/<member>.json``, the transform from features to CSV columns; all of the
folder is the stacker's ``prepared`` channel."""
SOURCE_ARCHIVE_NAME = "sourcedir.tar.gz"
"""Output: ``<member>/code/sourcedir.tar.gz`` for members in mode B; beside it lie
``<member>/train/data.csv`` and ``<member>/validation/data.csv``."""
SCRIPT_NAME = "train_sklearn.py"
"""Mode B: ``sagemaker_program`` inside of the source archive."""

# Evaluation.
EVALUATION_INPUT_DATASET = "dataset"
EVALUATION_INPUT_CONFIG = "config"
EVALUATION_INPUT_CHALLENGER = "challenger"
EVALUATION_INPUT_CHAMPION = "champion"
"""Present only when a champion is serving."""
EVALUATION_INPUT_CHAMPION_DATASET = "champion_dataset"
"""The same rows with the champion's features, when the challenger's are computed otherwise; absent:
both read the same dataset."""
EVALUATION_OUTPUT = "evaluation"
EVALUATION_NAME = "evaluation.json"
EVALUATION_PAGE_NAME = "evaluation.html"
"""The same for people: one page without anything from outside."""
EVALUATION_ENTRYPOINT = ["python", "-m", "pipeline_code.training_pipeline.evaluate_job"]

# Reproduction: the stacker's job again, compared instead of registered.
REPRODUCTION_ENTRYPOINT = ["python", "-m", "pipeline_code.training_pipeline.reproduce_job"]
REPRODUCTION_INPUT_ORIGINAL = "original"
"""The registered ``model.tar.gz``."""
REPRODUCTION_INPUT_REBUILT = "rebuilt"
"""The ``model.tar.gz`` that the same inputs gave now."""
REPRODUCTION_OUTPUT = "reproduction"
REPRODUCTION_NAME = "reproduction.json"

# Inside model.tar.gz
ENSEMBLE_NAME = "ensemble.json"
GOLDEN_NAME = "golden.jsonl"
"""Requests of the validation months with the answers that this model gave when it was built."""


class ParameterRange(TypedDict):
    """One searched hyper-parameter, as ``search`` of a member states it."""

    type: Literal["integer", "continuous", "categorical"]
    min: NotRequired[float]
    max: NotRequired[float]
    values: NotRequired[list[str]]
    scaling: NotRequired[Literal["Auto", "Linear", "Logarithmic"]]


class ResourceSettings(TypedDict, total=False):
    """Instances of training jobs; ``resources`` of the document, and overrides of a member."""

    instance_type: str
    volume_gb: int
    spot: bool
    """Managed spot training with checkpoints."""
    budget_seconds: int
    """What one job may take: its ``MaxRuntimeInSeconds``."""
    max_wait_seconds: int
    """With ``spot``: job and waiting for instances together, at least ``budget_seconds``."""


class TuningSettings(TypedDict):
    """``tuning`` of the document: how members with a ``search`` are tuned."""

    strategy: Literal["Bayesian", "Random"]
    max_jobs: int
    max_parallel_jobs: int
    early_stopping: bool
    warm_start: bool
    """Start from the tuning of the version that serves, when it searched the same member."""


class MemberJob(TypedDict):
    """What a member's training job asks for, by ``member_jobs.member_job``; texts for SageMaker."""

    name: str
    algorithm: str
    mode: Mode
    hyperparameters: dict[str, str]
    channels: dict[str, str]
    """Channel to what it holds: ``dataset``, ``config``, or a folder under the preparation's
    output (``prepared/<member>/train``)."""
    content_type: str | None
    """Of the ``train`` and ``validation`` channels, when they are CSV."""
    arn: str | None
    """Modes E and F: the marketplace product."""
    artefact_uri: str | None
    """Mode D: where the artefact lies; its digest is checked by the stacker's job."""
    artefact_sha256: str | None
    metric_definitions: list[dict[str, str]]
    """``AlgorithmSpecification.MetricDefinitions``; built-in images bring their own."""
    objective: dict[str, str] | None
    """``HyperParameterTuningJobObjective`` when the member has a ``search``."""
    parameter_ranges: dict[str, list[dict[str, object]]] | None
    """``ParameterRanges`` of a tuning job when the member has a ``search``."""
    resources: ResourceSettings


class Metrics(TypedDict):
    """Quality of one model on one set of rows; every figure is a plain float."""

    auc: float
    pr_auc: float
    log_loss: float
    brier: float
    ece: float
    base_rate: float
    rows: int


class Interval(TypedDict):
    """A 95 % interval from a bootstrap over whole days."""

    low: float
    high: float


class CalibrationBin(TypedDict):
    """One bin of the calibration curve."""

    mean_probability: float
    rate: float
    rows: int


class Gain(TypedDict):
    """How much better the challenger is than the champion; positive is better, rows are paired."""

    gain: float
    low: float
    high: float
    """Ends of the 95 % interval of the gain, from a paired bootstrap over whole days."""
    chance: float
    """Share of the bootstrap samples in which the gain is above 0."""


class Comparison(TypedDict):
    """Challenger against champion on the same rows."""

    metrics: dict[str, Gain]
    """By ``auc``, ``log_loss``, ``brier``."""
    slices: dict[str, dict[str, Gain]]
    """Gain in log loss, by slice column, by value."""
    members: dict[str, float]
    """Gain in AUC of members that both have, by name."""
    champion_missing: dict[str, list[str]]
    """Features that the champion reads and this dataset no longer has, by source. The champion was
    measured as it would answer from now on: with these sources missing."""


class FairnessGroup(TypedDict):
    """One group's figures; an alert is a probability of the declared threshold or more."""

    rows: int
    base_rate: float
    mean_probability: float
    alert_rate: float
    true_positive_rate: float
    false_positive_rate: float


class Fairness(TypedDict):
    """Declared groups beside each other."""

    threshold: float
    groups: dict[str, FairnessGroup]
    max_calibration_gap: float
    """Largest gap between a group's mean probability and its rate."""
    max_true_positive_gap: float
    """Largest minus smallest true positive rate of the groups."""
    max_false_positive_gap: float


class Influence(TypedDict):
    """The blast radius of one feature: what moves when its values are shuffled, all else kept."""

    members: list[str]
    """Members that read it: no other member's share moves."""
    mean_change: float
    p95_change: float
    max_change: float
    """Absolute changes of the probability over the sampled rows."""
    moved_share: float
    """Share of the rows whose probability moves by more than .01."""
    auc_loss: float


class Decomposition(TypedDict):
    """The answer taken apart: logit = base + the members' shares."""

    max_error: float
    """Largest difference between logit and base + shares, over all test rows."""
    mean_absolute_share: dict[str, float]
    examples: list[dict[str, object]]
    """``{entity_id, probability, base, shares}`` of a few rows from sure no to sure yes."""


class Latency(TypedDict):
    """Time of one-row answers in milliseconds."""

    p50: float
    p95: float
    p99: float


class Evaluation(TypedDict):
    """``evaluation.json``: all that the verdict rests on."""

    dataset_id: str
    challenger: Metrics
    champion: NotRequired[Metrics]
    baselines: dict[str, Metrics]
    """``base_rate`` and ``logistic_regression``, fitted on the same training rows; with
    ``evaluation.black_box`` also ``black_box``, one LightGBM on all features."""
    members: dict[str, Metrics]
    without_source: dict[str, Metrics]
    """The challenger when one source is missing, by source."""
    slices: dict[str, dict[str, Metrics]]
    """By slice column, by value: ``slices["origin"]["JFK"]``."""
    champion_slices: NotRequired[dict[str, dict[str, Metrics]]]
    model_size_bytes: int
    latency_ms_p50: float
    intervals: NotRequired[dict[str, Interval]]
    """Of the challenger's metrics, by name."""
    calibration: NotRequired[list[CalibrationBin]]
    comparison: NotRequired[Comparison]
    """Present with a champion."""
    fairness: NotRequired[dict[str, Fairness]]
    """By declared column."""
    importance: NotRequired[dict[str, dict[str, float]]]
    """By member, by feature: share of the member's gain (trees) or absolute weight (linear)."""
    influence: NotRequired[dict[str, Influence]]
    """By feature."""
    decomposition: NotRequired[Decomposition]
    latency: NotRequired[Latency]
    member_modes: NotRequired[dict[str, Mode]]
    stacked_on: NotRequired[Literal["out_of_fold", "validation"]]
    bootstrap_samples: NotRequired[int]


class SourceGate(TypedDict):
    """What the challenger must reach when one source is missing."""

    min_auc: float
    max_log_loss: float


class Gate(TypedDict):
    """Limits that a challenger must keep; ``gates`` of the training configuration."""

    min_auc: float
    max_log_loss: float
    max_brier: float
    max_ece: float
    min_gain_log_loss: float
    max_slice_loss_log_loss: float
    max_model_size_bytes: int
    max_latency_ms_p50: float
    min_gain_chance: NotRequired[float]
    """Share of bootstrap samples that must show a gain (``comparison.metrics.log_loss.chance``);
    a gain below it is within noise. 0 when absent: the point estimate alone decides."""
    max_member_loss_auc: NotRequired[float]
    """How much AUC a member may lose against the champion's of the same name."""
    max_calibration_gap: NotRequired[float]
    """Between declared groups of ``fairness``."""
    without_source: NotRequired[dict[str, SourceGate]]


class FeatureDifferences(TypedDict):
    """What a working copy computes otherwise than a dataset holds it."""

    rows: int
    changed: dict[str, int]
    """Features of which some rows differ, and how many."""
    added: list[str]
    removed: list[str]


class WorkingCopyPlan(TypedDict):
    """``plan.json``: how a candidate of the working copy is made on this machine."""

    document: dict[str, Any]
    """The configuration; members with a ``search`` are trained without one."""
    members: list[MemberJob]
    changes: FeatureDifferences
    touched: list[str]
    """Features that no member may have been trained with before."""
    dataset: str
    """Folder of the dataset with the working copy's features."""


class Reproduction(TypedDict):
    """``reproduction.json``: whether the rebuilt model is the registered one."""

    identical: bool
    original_digest: str
    rebuilt_digest: str
    """Digests of the content, by ``artefact_digest``: file names and bytes, not the archive."""
    differences: list[str]
    """Files that differ, are missing or are new."""
