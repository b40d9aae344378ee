"""Names that the data pipeline's jobs, Lambdas and stacks share: arguments, layout, reports."""

from __future__ import annotations

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

PERIOD_COLUMN = "period"
"""Folder ``period=<YYYY-MM>/``: the entity's calendar month, which ``members.yaml`` refers to."""


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


class SourceReport(TypedDict):
    """What became of one source's records: ``read = valid + quarantined + superseded``."""

    rows_read: int
    rows_valid: int
    rows_quarantined: int
    rows_superseded: int
    """Records that an object with a greater name delivered again."""
    reasons: dict[str, int]


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


class DatasetManifest(TypedDict):
    """Commits a dataset version; ``dataset_id`` is the digest of all else but ``provenance``."""

    dataset_id: str
    use_case: str
    schema: dict[str, str]
    files: list[DatasetFile]
    rows: dict[str, int]
    contract_versions: dict[str, int]
    provenance: dict[str, object]
