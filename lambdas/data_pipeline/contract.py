"""Payloads and settings of the data pipeline's functions."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

EVENT_SOURCE = "fourblocks.data_pipeline"
DATASET_PUBLISHED = "DatasetPublished"
DATASET_REJECTED = "DatasetRejected"

BATCH_PUBLISHED = "published"
"""State of a batch's claim: its dataset version exists."""
BATCH_REJECTED = "rejected"
"""State of a batch's claim: it broke its contract; only a forced run tries it again."""


EXPIRING, EXPIRED = "expiring", "expired"
"""States of a dataset version's item; one that is neither is there to be used."""


class Setting:
    """Environment variables of the functions."""

    USE_CASE = "USE_CASE"
    REQUIRED_SOURCES = "REQUIRED_SOURCES"
    """JSON list of the sources without which no run starts."""
    OPTIONAL_SOURCES = "OPTIONAL_SOURCES"
    """JSON list of the sources that a run takes along when they are there; absent means none."""
    MONTHLY_SOURCES = "MONTHLY_SOURCES"
    """JSON list of the sources whose files cover calendar months; absent means none."""
    RAW_LAKE_BUCKET = "RAW_LAKE_BUCKET"
    MODEL_INPUT_BUCKET = "MODEL_INPUT_BUCKET"
    METADATA_TABLE = "METADATA_TABLE"
    LEDGER_TABLE = "LEDGER_TABLE"
    EVENT_BUS = "EVENT_BUS"
    CODE_VERSION = "CODE_VERSION"
    SETTLE_SECONDS = "SETTLE_SECONDS"
    """How long nothing must have arrived before a batch is collected."""
    PULL_LIMIT_BYTES = "PULL_LIMIT_BYTES"
    """A larger file is not pulled."""
    PULL_TIMEOUT_SECONDS = "PULL_TIMEOUT_SECONDS"
    """How long a server may keep silent."""
    ANALYTICS_BUCKET = "ANALYTICS_BUCKET"
    ANALYTICS_TABLE = "ANALYTICS_TABLE"
    PREDICTION_TABLE = "PREDICTION_TABLE"
    MODEL_TABLE = "MODEL_TABLE"
    DATABASE_NAME = "DATABASE_NAME"
    """The catalog's database."""
    KEEP_DATASETS = "KEEP_DATASETS"
    """So many of the newest dataset versions never expire."""
    KEEP_DAYS = "KEEP_DAYS"
    """Dataset versions younger than so many days never expire."""


class CollectBatchRequest(TypedDict):
    """Input of ``collect_batch``: who asks, as the state machine passes it."""

    execution_arn: str
    force: NotRequired[bool]


class WaitingFor(TypedDict):
    """A source that is awaited; ``period`` is the month `2013-01` that it lacks, or empty."""

    source: str
    period: str


class Unrecognised(TypedDict):
    """A landed file that no run reads, and why."""

    key: str
    reason: str


class CollectBatchResponse(TypedDict):
    """``ready``: this execution owns the batch; else the run ends here, successfully.

    A batch may be ready while further periods are awaited: it is the longest complete run of them.
    """

    status: Literal["ready", "waiting", "taken", "unchanged"]
    waiting_for: list[WaitingFor]
    unrecognised: list[Unrecognised]
    periods: list[str]
    """First and last month of the batch; empty where no source is periodic."""
    batch_id: str
    run_id: str
    batch_uri: str
    detail: str


class PullSourceRequest(TypedDict):
    """Input of ``pull_source``, which the source's schedule passes."""

    source: str
    uri: str


class PullSourceResponse(TypedDict):
    """The keys of the files that were new, and how many were not."""

    source: str
    landed: list[str]
    unchanged: int


class PublishDatasetRequest(TypedDict):
    """Input of ``publish_dataset``, once the Spark job succeeded."""

    batch_id: str
    run_id: str
    execution_arn: str


class PublishDatasetResponse(TypedDict):
    """The version that now exists (it may have existed before)."""

    dataset_id: str
    manifest_uri: str
    rows: dict[str, int]


class RejectBatchRequest(TypedDict):
    """Input of ``reject_batch``: the run failed or its batch broke the contract."""

    batch_id: str
    run_id: str
    execution_arn: str
    error: str
    cause: str


class RejectBatchResponse(TypedDict):
    """What became of the claim.

    ``rejected``: only a forced run tries the batch again; ``released``: the next run does;
    ``kept``: the claim was not ours any more.
    """

    batch_id: str
    outcome: Literal["rejected", "released", "kept"]
    reason: str


class DatasetPublished(TypedDict):
    """Event detail."""

    use_case: str
    dataset_id: str
    manifest_uri: str
    trainable: bool
    """All splits are filled, and nothing newer was published meanwhile."""


class DatasetRejected(TypedDict):
    """Event detail."""

    use_case: str
    batch_id: str
    run_id: str
    reason: str


class CatalogRunRequest(TypedDict):
    """Input of ``catalog_run``: a run that ended, published or rejected."""

    run_id: str


class CatalogRunResponse(TypedDict):
    """What the catalog holds of the run, and which tables are looked up from now on."""

    partitions: dict[str, int]
    """Partitions by table, those that were there before among them."""
    looked_up: list[str]


class JoinOutcomesRequest(TypedDict):
    """Input of ``join_outcomes``: where the call before this one stopped, empty at first."""

    cursor: str


class JoinOutcomesResponse(TypedDict):
    """How many past predictions were looked at, how many got their outcome, and where to go on."""

    examined: int
    joined: int
    cursor: str
    """Empty when all are done."""


class ExpireDatasetsRequest(TypedDict):
    """Input of ``expire_datasets``, which a schedule calls; ``dry_run`` deletes nothing."""

    dry_run: NotRequired[bool]


class ExpireDatasetsResponse(TypedDict):
    """Versions that expired (or would), and those that are old but rested on, with the reason."""

    dry_run: bool
    expired: list[str]
    kept: dict[str, str]
