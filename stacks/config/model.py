"""What an environment may be configured with: frozen, bounded, nothing undeclared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827]
"""Days that CloudWatch Logs offers; no other number is accepted by the service."""

InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
"""A SageMaker instance type, such as ``ml.m5.large``."""

FunctionPlatform = Literal["host", "manylinux2014_aarch64"]
"""What compiled code of functions is bundled for; `host` is the machine that synthesises."""

TimeoutSeconds = Annotated[int, Field(ge=60, le=172_800)]
"""How long one job may run: a minute to two days."""


class Settings(BaseModel):
    """Base of every part of the configuration: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CodeConnectionsSource(Settings):
    """Source code in GitHub, GitLab or Bitbucket, through an AWS CodeConnections connection."""

    kind: Literal["code_connections"] = "code_connections"
    connection_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:code(connections|star-connections):[^:]+:\d{12}:connection/.+$",
        description="The connection, made once by hand because it needs a person's consent.",
    )
    owner: str = Field(min_length=1, description="Organisation or user that owns the repository.")
    repository: str = Field(min_length=1, description="Name of the repository.")
    branch: str = Field(
        default="main", min_length=1, description="A push to it starts the pipeline."
    )
    paths: tuple[str, ...] = Field(
        default=(), max_length=8, description="Only a push that changes one of these patterns."
    )
    ignored_paths: tuple[str, ...] = Field(
        default=(), max_length=8, description="No push that changes these patterns alone."
    )


class CodeCommitSource(Settings):
    """Source code in an existing AWS CodeCommit repository of the same account."""

    kind: Literal["code_commit"] = "code_commit"
    repository: str = Field(pattern=r"^[\w.-]{1,100}$", description="Name of the repository.")
    branch: str = Field(
        default="main", min_length=1, description="A push to it starts the pipeline."
    )


class ArchiveSource(Settings):
    """Source code as one zip in the artefact bucket; a new version starts the pipeline."""

    kind: Literal["archive"] = "archive"
    key: str = Field(
        default="source/repository.zip",
        max_length=512,
        pattern=r"^[A-Za-z0-9._/-]+\.zip$",
        description="Key of the zip; the repository's files stand at its top.",
    )


Source = Annotated[
    CodeConnectionsSource | CodeCommitSource | ArchiveSource, Field(discriminator="kind")
]


class FoundationSettings(Settings):
    """What becomes of data when its stack goes, and how long it is kept before that."""

    removal: Literal["destroy", "retain"] = Field(
        description="`retain` keeps buckets, tables and the key when the stack is deleted."
    )
    access_log_days: int = Field(default=90, ge=1, le=3650, description="S3 access logs are kept.")
    superseded_version_days: int = Field(
        default=90, ge=1, le=3650, description="Overwritten versions of raw objects are kept."
    )
    scratch_days: int = Field(
        default=7, ge=1, le=365, description="What dead runs left and query results are kept."
    )
    report_days: int = Field(
        default=730, ge=30, le=3650, description="Reports of runs and lists of batches are kept."
    )


class DataPipelineSettings(Settings):
    """The Spark job's engine, size and limits."""

    engine: Literal["glue", "emr_serverless"] = Field(
        default="glue", description="What runs the Spark job; its code and its result are the same."
    )
    emr_release: Literal["emr-7.11.0"] = Field(
        default="emr-7.11.0", description="Spark 3.5.6; the Dockerfile names the same."
    )
    emr_idle_minutes: int = Field(
        default=5, ge=1, le=10_080, description="An idle EMR application stops after so long."
    )
    glue_version: Literal["5.0", "5.1"] = Field(
        default="5.1", description="5.1 is Spark 3.5.6 on Python 3.11; 5.0 is Spark 3.5.4."
    )
    worker_type: Literal["G.1X", "G.2X", "G.4X"] = Field(default="G.1X", description="Worker size.")
    workers: int = Field(default=2, ge=2, le=100, description="Workers; one of them is the driver.")
    job_timeout_seconds: TimeoutSeconds = Field(default=3600, description="Limit of one run.")
    concurrent_runs: int = Field(default=2, ge=1, le=20, description="Runs at the same time.")
    settle_seconds: int = Field(
        default=60,
        ge=0,
        le=3600,
        description="Files arrive one by one: how long none must have arrived before a run starts.",
    )
    query_megabytes: int = Field(
        default=10_240, ge=10, description="What one Athena query may scan before it is stopped."
    )
    keep_datasets: int = Field(
        default=10, ge=1, le=10_000, description="So many of the newest datasets never expire."
    )
    keep_dataset_days: int = Field(
        default=180, ge=0, le=3650, description="Datasets younger than so many days never expire."
    )
    expiry_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 30,
        description="How often datasets are looked through for expiry.",
    )


class FeatureStoreSettings(Settings):
    """What the online feature store holds, and for how long."""

    online_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Days before a batch's newest event whose records go online.",
    )
    ttl_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="Days from a record's event time to its end; by default it has none.",
    )


class TrainingSettings(Settings):
    """Instances and limits of training and evaluation."""

    instance_type: InstanceType = Field(default="ml.m5.large", description="One a training job.")
    volume_gb: int = Field(default=10, ge=1, le=1024, description="Disk of one training job.")
    threads: int = Field(default=2, ge=1, le=96, description="Threads that LightGBM uses.")
    job_timeout_seconds: TimeoutSeconds = Field(default=3600, description="Limit of one job.")
    concurrent_jobs: int = Field(
        default=3, ge=1, le=40, description="Members that train at the same time."
    )
    evaluation_instance_type: InstanceType = Field(
        default="ml.m5.large", description="Instance of the evaluation job."
    )
    approval: Literal["automatic", "human"] = Field(
        default="automatic",
        description="`automatic` deploys what the gate promotes; `human` asks a person first.",
    )
    schedule: str | None = Field(
        default=None,
        pattern=r"^(cron|rate)\(.+\)$",
        description="When to train whatever happens, such as `cron(0 3 ? * MON *)`.",
    )
    approval_hours: int = Field(
        default=72,
        ge=1,
        le=24 * 30,
        description="How long a person has to decide; then the version is rejected.",
    )


class UsagePlan(Settings):
    """What one client may use of the predictions; its API key counts for it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{1,30}$", description="Names plan and key.")
    requests_per_second: int = Field(ge=1, le=10_000, description="Sustained rate.")
    burst: int = Field(ge=1, le=5_000, description="Requests above the rate at once.")
    requests_per_day: int = Field(ge=1, le=1_000_000_000, description="Quota of a day.")


class DeploymentSettings(Settings):
    """How traffic moves to a new version, and what brings it back."""

    strategy: Literal["all_at_once", "canary", "linear"] = Field(
        default="canary", description="How the new version gets its traffic."
    )
    step_percent: int = Field(
        default=10, ge=10, le=50, description="The canary's share, or that of each linear step."
    )
    bake_seconds: int = Field(
        default=300, ge=0, le=3600, description="How long each step is watched."
    )
    termination_seconds: int = Field(
        default=300, ge=0, le=3600, description="How long the old instances stay at the end."
    )
    smoke_test: bool = Field(
        default=True, description="Ask a trial endpoint the golden requests before any traffic."
    )
    error_budget: float = Field(
        default=0.01, gt=0, le=0.1, description="Chance that a good version is ever rolled back."
    )
    failure_rate: float = Field(
        default=0.02, gt=0, lt=0.5, description="Part of all requests that may fail meanwhile."
    )
    score_shift: float = Field(
        default=0.2, gt=0, lt=0.5, description="How far the share of scores above a value may move."
    )
    slower_octaves: int = Field(
        default=1, ge=1, le=5, description="How often the latency may double."
    )
    alarm_error_rate: float = Field(
        default=0.25,
        gt=0,
        lt=1,
        description="Of a minute's requests; SageMaker then rolls back with or without the judge.",
    )
    alarm_errors: int = Field(
        default=10, ge=1, description="Failed requests in a minute that people are told of."
    )


class InferenceSettings(Settings):
    """The endpoint behind the API, and the limits of the API."""

    endpoint_name: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
        description="Name of the endpoint; by default environment and use case make it.",
    )
    serving_containers: Literal["one", "pipeline"] = Field(
        default="one",
        description="One container that does it all, or pre, inference and post in turn.",
    )
    instance_type: InstanceType = Field(default="ml.t2.medium", description="Serving instance.")
    instance_count: int = Field(default=1, ge=1, le=20, description="Serving instances.")
    idle_hours: int | None = Field(
        default=None,
        ge=1,
        le=720,
        description="Hours without a request after which the endpoint stops; by default it stays.",
    )
    max_instance_count: int | None = Field(
        default=None,
        ge=2,
        le=100,
        description="The endpoint scales between both numbers of instances; by default not.",
    )
    invocations_per_instance: int = Field(
        default=1000, ge=1, description="A minute; what scaling keeps each instance at."
    )
    startup_timeout_seconds: int = Field(
        default=600, ge=60, le=3600, description="Time a container has to answer its first ping."
    )
    poll_seconds: int = Field(
        default=15, ge=1, le=300, description="Pause between two looks at a changing endpoint."
    )
    deployment_timeout_seconds: TimeoutSeconds = Field(
        default=14_400, description="Limit of a deployment, baking and roll-back included."
    )
    deployment: DeploymentSettings = DeploymentSettings()
    requests_per_second: int = Field(default=50, ge=1, le=10_000, description="Sustained API rate.")
    burst: int = Field(default=100, ge=1, le=5_000, description="Requests above the rate at once.")
    usage_plans: tuple[UsagePlan, ...] = Field(
        default=(),
        description="Where there is any, predictions demand a plan's key beside the signature.",
    )
    prediction_days: int = Field(
        default=90, ge=1, le=3650, description="Days until a stored prediction expires."
    )
    log_batch_seconds: int = Field(
        default=10,
        ge=1,
        le=300,
        description="How long predictions are gathered before they are logged together.",
    )
    solver_platform: FunctionPlatform = Field(
        default="manylinux2014_aarch64", description="What the solver of decisions is bundled for."
    )
    decision_instance_type: InstanceType = Field(
        default="ml.m5.large", description="Decides what is too large for the API."
    )
    decision_timeout_seconds: TimeoutSeconds = Field(
        default=3600, description="Limit of one such job."
    )


Suite = Literal["unit", "infrastructure", "use-case", "integration", "e2e"]
"""A target of the Makefile that tests."""


class Promotion(Settings):
    """A further environment that gets what the pipeline's own environment has proved."""

    environment: str = Field(min_length=1, description="Its name in environments.py.")
    approval: bool = Field(default=True, description="A person releases each change to it.")


class BuildSettings(Settings):
    """From a push to a deployment: the pipeline of its own environment and of those after it."""

    source: Source = Field(description="Where the code lives.")
    build_timeout_minutes: int = Field(default=60, ge=5, le=480, description="Limit of one action.")
    execution_mode: Literal["queued", "superseded"] = Field(
        default="queued",
        description="A push during a run waits its turn, or takes the place of one that waits.",
    )
    suites: tuple[Suite, ...] = Field(
        default=("unit", "infrastructure", "use-case", "integration", "e2e"),
        min_length=1,
        description="What is tested before anything is deployed, besides the gate.",
    )
    scan_image: bool = Field(
        default=True, description="The registry scans the image; grave findings stop the pipeline."
    )
    promotions: tuple[Promotion, ...] = Field(
        default=(), max_length=10, description="The environments after this one, in their order."
    )


class BudgetSettings(Settings):
    """What the account may cost a month before somebody is told."""

    usd: int = Field(ge=1, le=1_000_000, description="Alarms at 80 % and at all of it.")
    subscribers: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...] = Field(
        default=(), max_length=10, description="Who gets the alarms by mail, once they confirm."
    )


class GitHubSettings(Settings):
    """The GitHub repository whose workflows may deploy an environment."""

    owner: str = Field(pattern=r"^[A-Za-z0-9-]{1,39}$", description="Organisation or user.")
    repository: str = Field(pattern=r"^[\w.-]{1,100}$", description="Name of the repository.")
    provider_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com$",
        description="GitHub's identity provider, if the account has it; by default it is made.",
    )


class UsageSettings(Settings):
    """What a month brings: the estimate of the bill rests on it, and nothing is limited by it."""

    batches: int = Field(default=30, ge=0, description="Runs of the data pipeline.")
    batch_minutes: float = Field(default=10, ge=0, description="One run of the Spark job.")
    trainings: int = Field(default=4, ge=0, description="Runs of the training pipeline.")
    training_jobs: int = Field(default=4, ge=1, description="Members and stacker of one training.")
    training_minutes: float = Field(default=5, ge=0, description="One of these jobs.")
    evaluation_minutes: float = Field(default=5, ge=0, description="One evaluation.")
    endpoint_hours: float = Field(default=730, ge=0, le=744, description="The endpoint is up.")
    predictions: int = Field(default=100_000, ge=0, description="Requests to the API.")
    prediction_kilobytes: float = Field(default=4, ge=0, description="One stored prediction.")
    stored_gigabytes: float = Field(default=20, ge=0, description="Kept in all buckets.")
    online_records: int = Field(default=50_000, ge=0, description="Written to online features.")
    query_gigabytes: float = Field(default=10, ge=0, description="Scanned by Athena.")
    log_gigabytes: float = Field(default=1, ge=0, description="Written to all logs.")
    pushes: int = Field(default=20, ge=0, description="Runs of the build pipeline.")
    build_minutes: float = Field(default=8, ge=0, description="One of its build actions.")
    image_gigabytes: float = Field(default=2, ge=0, description="Kept in ECR.")
    people: int = Field(default=10, ge=0, description="Who sign in.")


class Deployed(Settings):
    """What an environment runs: which use case, from which commit."""

    use_case: str
    commit: str


class EnvironmentConfig(Settings):
    """All that differs from one environment to the next."""

    environment: str = Field(
        pattern=r"^[a-z][a-z0-9]{1,11}$", description="Short name; part of each stack's name."
    )
    account: str | None = Field(
        default=None,
        pattern=r"^\d{12}$",
        description="Account to deploy to; by default that of the credentials at deployment.",
    )
    region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        description="Region to deploy to; by default that of the credentials at deployment.",
    )
    use_case: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Folder under use_cases/ that is deployed."
    )
    commit: str = Field(
        default="unknown",
        pattern=r"^(unknown|[0-9a-f]{40}(-dirty)?)$",
        description="Commit that is deployed; `-c commit=<id>` sets it. It stands in provenance.",
    )
    image: str | None = Field(
        default=None,
        pattern=r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$",
        description="The model image by its digest; `-c image=<uri>` sets it. Else it is built.",
    )
    pipeline_account: str | None = Field(
        default=None,
        pattern=r"^\d{12}$",
        description="Account of the pipeline that releases this environment; by default its own.",
    )
    log_days: LogRetentionDays = Field(default=30, description="Days that logs are kept.")
    foundation: FoundationSettings
    data_pipeline: DataPipelineSettings = DataPipelineSettings()
    feature_store: FeatureStoreSettings = FeatureStoreSettings()
    training: TrainingSettings = TrainingSettings()
    inference: InferenceSettings = InferenceSettings()
    build: BuildSettings | None = Field(
        default=None, description="Its own pipeline; without, another environment's promotes to it."
    )
    usage: UsageSettings = UsageSettings()
    budget: BudgetSettings | None = Field(
        default=None, description="Without one nobody is told what the account costs."
    )
    github: GitHubSettings | None = Field(
        default=None, description="By default no workflow of GitHub deploys here."
    )

    @model_validator(mode="after")
    def _pin_both_or_neither(self) -> EnvironmentConfig:
        if (self.account is None) != (self.region is None):
            message = f"account={self.account!r}, region={self.region!r}: set both or neither"
            raise ValueError(message)
        return self

    @property
    def deployed(self) -> Deployed:
        """What runs here, as jobs put it into their provenance."""
        return Deployed(use_case=self.use_case, commit=self.commit)

    @property
    def stage_name(self) -> str:
        """Prefix of the stacks' names."""
        return f"Fourblocks-{self.environment}"

    @property
    def resource_prefix(self) -> str:
        """Prefix of the names that jobs get at run time; roles are limited to it."""
        return f"fourblocks-{self.environment}"

    def release_role_name(self, block: str) -> str:
        """Name of what a pipeline, maybe of another account, becomes to prove a block."""
        return f"{self.resource_prefix}-release-{block}"

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint, known beforehand by the workflow that creates it and the API."""
        default = f"{self.resource_prefix}-{self.use_case}".replace("_", "-")
        return self.inference.endpoint_name or default

    @property
    def feature_group_prefix(self) -> str:
        """Prefix of the feature groups' names, known beforehand by the job and by serving."""
        return f"{self.resource_prefix}-{self.use_case}".replace("_", "-")

    @property
    def work_group_name(self) -> str:
        """Name of the Athena work group, known beforehand by those who query."""
        return f"{self.resource_prefix}-{self.use_case}".replace("_", "-")

    @property
    def model_package_group(self) -> str:
        """Name of the group that mirrors the model repository, known to Studio and the SDK."""
        return f"{self.resource_prefix}-{self.use_case}".replace("_", "-")

    @property
    def database_name(self) -> str:
        """Name of the catalog's database, known beforehand by those who query it."""
        return f"fourblocks_{self.environment}_{self.use_case}"
