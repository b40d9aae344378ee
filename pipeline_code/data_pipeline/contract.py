"""Names that the data pipeline's jobs, Lambdas and stacks share: arguments, layout, reports."""

from __future__ import annotations

import hashlib
from typing import Literal, NotRequired, TypedDict

LANDING_PREFIX = "landing/"
"""Raw lake: source files arrive under ``landing/<source>/<file>``."""

QUARANTINE_PREFIX = "quarantine/"
"""Raw lake: broken records go to ``quarantine/<source>/run=<run id>/``, with their reasons."""

BATCHES_PREFIX = "batches/"
"""Raw lake: ``batches/<batch id>.json`` lists the object versions that one run reads."""

RUNS_PREFIX = "runs/"
"""Model input store: ``runs/<run id>/report.json`` is what a run says of itself."""

STAGING_PREFIX = "staging/"
"""Model input store: ``staging/<run id>/`` holds what has no digest, and so no name, yet."""

DATASETS_PREFIX = "datasets/"
"""Model input store: ``datasets/<dataset id>/``; the manifest, written last, commits it."""

FEATURES_PREFIX = "features/"
"""Analytics bucket: ``features/<feature group>/year=<YYYY>/month=<MM>/`` is the offline store."""

MANIFEST_NAME = "manifest.json"
SAMPLE_REQUESTS_NAME = "sample_requests.jsonl"
STATISTICS_NAME = "statistics.json"

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

SPLIT_COLUMN = "split"
"""Folder ``split=<split>/``: train, validation or test."""

LABEL_COLUMN = "label"
"""Parquet column: 1 when the event happened, else 0 (int8)."""

ENTITY_COLUMN = "entity_id"
"""Parquet column: the entity's stable key, also its prediction's reference."""

EVENT_TIME_COLUMN = "event_time"
"""Parquet column: the decision cutoff, UTC; a feature knows nothing later."""

EVENT_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""How the feature store writes an event time."""

PERIOD_COLUMN = "period"
"""Folder ``period=<YYYY-MM>/``: the entity's calendar month, which ``members.yaml`` refers to."""

ANALYTICS_PREFIX = "analytics/"
"""Analytics store: ``analytics/<table>/dataset=<dataset id>/data.parquet``."""

QUERY_RESULTS_PREFIX = "athena/"
"""Analytics store: results of Athena's queries, kept for some days."""

LABEL_ROWS_PREFIX = "labels/rows/"
"""Analytics store: ``labels/rows/bucket=<bucket>/data.parquet``, outcomes as a table."""

LABEL_INDEX_PREFIX = "labels/index/"
"""Analytics store: ``labels/index/bucket=<bucket>.jsonl.gz``, the same outcomes as JSON lines."""

LABEL_BUCKETS = "0123456789abcdef"
"""Outcomes are spread over these by the first hex digit of the entity's SHA-256."""

KNOWN_AT_COLUMN = "known_at"
"""When the file arrived that first told this outcome, UTC."""

LABEL_COLUMNS = {
    ENTITY_COLUMN: "string",
    EVENT_TIME_COLUMN: "timestamp",
    LABEL_COLUMN: "tinyint",
    KNOWN_AT_COLUMN: "timestamp",
}
"""Columns of the outcomes and their types in the catalog."""

QUARANTINE_COLUMNS = {
    "source_file": "string",
    "version_id": "string",
    "line": "bigint",
    "rule": "string",
    "column": "string",
    "value": "string",
    "reason": "string",
    "records": "bigint",
}
"""Fields of ``QuarantineEntry`` and their types in the catalog."""

DATASET_TABLE, QUARANTINE_TABLE, LABEL_TABLE = "datasets", "quarantine", "labels"
"""Tables of the catalog, beside one a source and one an analytics table."""


def label_bucket(entity_id: str) -> str:
    """Say which bucket an entity's outcome lies in."""
    return hashlib.sha256(entity_id.encode()).hexdigest()[0]


def label_index_key(bucket: str) -> str:
    """Say where a bucket's outcomes lie as JSON lines."""
    return f"{LABEL_INDEX_PREFIX}bucket={bucket}.jsonl.gz"


def analytics_folder(table: str, dataset_id: str) -> str:
    """Say where a table's rows of a dataset version lie."""
    return f"{ANALYTICS_PREFIX}{table}/dataset={dataset_id}/"


def lookup_partition(use_case: str, table: str, dataset_id: str) -> str:
    """Partition of the look-up table with a table's rows of a dataset version."""
    return f"{use_case}#{table}#{dataset_id}"


def feature_group_name(prefix: str, group: str, inputs_version: int) -> str:
    """Name the feature group of a group of inputs; other inputs make other feature groups."""
    return f"{prefix}-{group}-v{inputs_version}".replace("_", "-")


class BatchObject(TypedDict):
    """One object version of a batch."""

    source: str
    key: str
    version_id: str
    size_bytes: int
    etag: str
    arrived_at: str
    """ISO 8601, UTC; not part of the batch's identity."""


class Batch(TypedDict):
    """The exact input of one run; its id is the digest of its objects."""

    batch_id: str
    objects: list[BatchObject]


class TransformArguments:
    """Arguments of the Spark job, as ``--name value``; each is one string."""

    USE_CASE = "use_case"
    RUN_ID = "run_id"
    BATCH_URI = "batch_uri"
    RAW_LAKE_BUCKET = "raw_lake_bucket"
    MODEL_INPUT_BUCKET = "model_input_bucket"
    CODE_VERSION = "code_version"
    CODE_COMMIT = "code_commit"
    """Commit that the environment was deployed from; absent: unknown. In provenance alone."""
    FEATURE_GROUP_PREFIX = "feature_group_prefix"
    """Absent: the run feeds no feature store."""
    ONLINE_DAYS = "online_days"
    ENGINE = "engine"
    """Which engine runs the job: glue or emr_serverless; absent: local. In provenance alone."""
    ANALYTICS_BUCKET = "analytics_bucket"
    """Where analytics tables and outcomes go; absent: nowhere."""
    ANALYTICS_TABLE = "analytics_table"
    """Table in which analytics rows are looked up; absent: none."""


class QuarantineEntry(TypedDict):
    """A line of a file under ``quarantine/<source>/run=<run id>/``: a broken record or file.

    Over all lines of a run ``records`` adds up to the run's ``rows_quarantined``.
    """

    source_file: str
    version_id: str
    line: int | None
    """Of a record, the header being line 1; null of a whole file."""
    rule: str
    column: str
    value: str | None
    reason: str
    records: int | None
    """1 of a record; of a file its records, null when they cannot be counted."""


class SourceColumn(TypedDict):
    """One column of a source's valid records; personal data and text have no range."""

    type: str
    nulls: int
    min: NotRequired[float | str]
    """A number, or ISO 8601 of a timestamp."""
    max: NotRequired[float | str]


class SourceReport(TypedDict):
    """What became of one source's records: ``read = valid + quarantined + superseded``."""

    contract_version: int
    files_read: int
    files_quarantined: int
    """Files that broke the contract as a whole; none of their records is used."""
    rows_read: int
    rows_valid: int
    rows_quarantined: int
    """Broken records, and the records of quarantined files as far as they can be counted."""
    rows_superseded: int
    """Records that an object with a greater name delivered again."""
    reasons: dict[str, int]
    """Quarantined records by rule."""
    file_reasons: dict[str, int]
    """Quarantined files by rule."""
    newest: str | None
    """ISO 8601, UTC: the newest record by the column that the contract's freshness names."""
    lag_hours: float | None
    """How far the newest record lies behind the newest of any source of the batch."""
    stale: bool
    """The lag is over what the contract allows: the dataset is not trainable."""
    columns: dict[str, SourceColumn]


class RunReport(TypedDict):
    """What one run of the Spark job says of itself, at ``runs/<run id>/report.json``."""

    run_id: str
    batch_id: str
    status: Literal["published", "rejected"]
    reason: str
    sources: dict[str, SourceReport]
    dataset_id: NotRequired[str]
    manifest_key: NotRequired[str]
    rows: NotRequired[dict[str, int]]
    trainable: NotRequired[bool]
    """Whether a model may be trained on it: each split is filled and no source is stale."""
    untrainable_because: NotRequired[list[str]]
    rows_outside_splits: NotRequired[dict[str, int]]
    """Rows of months that belong to no split, by month: they are in no file of the dataset."""
    analytics: NotRequired[dict[str, int]]
    """Rows of each analytics table."""
    outcomes: NotRequired[dict[str, int]]
    """Entities whose outcome is ``known``, and how many of them are ``new`` or changed."""


class SampleRequest(TypedDict):
    """One line of ``sample_requests.jsonl``: a held-out entity put as an online request."""

    entity_id: str
    event_time: str
    period: str
    split: Split
    label: int
    instance: dict[str, dict[str, object] | None]


class DatasetFile(TypedDict):
    """One Parquet file of a dataset version."""

    path: str
    sha256: str
    size_bytes: int
    rows: int


class SourceObject(TypedDict):
    """One object version that a dataset was made of."""

    source: str
    key: str
    version_id: str
    etag: str
    size_bytes: int


class Provenance(TypedDict):
    """How a dataset version came about the first time; no part of its identity."""

    batch_id: str
    run_id: str
    code_version: str
    """Digest of all the code that the job can import."""
    code_commit: str
    """Commit that the environment was deployed from, or ``unknown``."""
    engine: str
    objects: list[SourceObject]
    sources: dict[str, SourceReport]
    trainable: bool
    untrainable_because: list[str]
    rows_outside_splits: dict[str, int]


class DatasetManifest(TypedDict):
    """Commits a dataset version; ``dataset_id`` is the digest of all else but ``provenance``."""

    dataset_id: str
    use_case: str
    schema: dict[str, str]
    files: list[DatasetFile]
    rows: dict[str, int]
    contract_versions: dict[str, int]
    provenance: Provenance


class Histogram(TypedDict):
    """Counts of equally wide bins, empty ones left out.

    A bin ``[low, count]`` holds ``low <= value < low + width``. The width is a power of two and
    each ``low`` a multiple of it, so bins of two versions fit into each other: to compare, put the
    finer one's into those of the coarser width, ``floor(low / width) * width``.
    """

    width: float
    bins: list[tuple[float, int]]


class ColumnStatistics(TypedDict):
    """One column of a dataset, over all of it or over one split; what a kind lacks is absent."""

    kind: Literal["number", "category", "time", "key", "personal"]
    """``key`` and ``personal`` have counts alone: their values stand in no statistics."""
    count: int
    """Values that are there."""
    nulls: int
    min: NotRequired[float]
    max: NotRequired[float]
    mean: NotRequired[float]
    std: NotRequired[float]
    quantiles: NotRequired[dict[str, float]]
    """By share, as ``"0.05"``."""
    histogram: NotRequired[Histogram]
    distinct: NotRequired[int]
    """Of a category."""
    top: NotRequired[list[tuple[str, int]]]
    """The most frequent values of a category and their counts, most frequent first."""
    other: NotRequired[int]
    """Values of a category that are not among ``top``."""
    first: NotRequired[str]
    """Of a time: ISO 8601, UTC."""
    last: NotRequired[str]


class PartStatistics(TypedDict):
    """All of a dataset, or one split of it."""

    rows: int
    label_rate: float | None
    columns: dict[str, ColumnStatistics]


class PeriodStatistics(TypedDict):
    """One month."""

    split: str
    rows: int
    label_rate: float | None


class DatasetStatistics(TypedDict):
    """``statistics.json``: the same bytes for the same dataset id.

    What a run found in its sources is not part of it, because batches that differ there may give
    the same dataset: see ``sources`` of the run's report and of the manifest's provenance.
    """

    dataset_id: str
    overall: PartStatistics
    splits: dict[str, PartStatistics]
    periods: dict[str, PeriodStatistics]
