"""What a tuning job's request must fulfil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.container_images import with_metric_definitions
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.tuning.ranges import CATEGORICAL, Range, combinations, ranges_of

MOST_JOBS = 750
OBJECTIVE_PARAMETER = "_tuning_objective_metric"


@dataclass(frozen=True)
class Plan:
    """A tuning job as it is to be carried out."""

    strategy: str
    ranges: Sequence[Range]
    metric: str
    maximise: bool
    jobs: int
    parallel: int
    limit_seconds: float | None
    early_stopping: bool
    seed: int | None
    target: float | None
    patience: int | None
    definition: Document

    def training_request(self, name: str, tuned: dict[str, str]) -> Document:
        """Return the request of one training job."""
        fixed = self.definition.get("StaticHyperParameters", {})
        kept = {
            key: value
            for key, value in self.definition.items()
            if key
            not in ("DefinitionName", "TuningObjective", "HyperParameterRanges", "RetryStrategy")
            and key not in ("StaticHyperParameters", "HyperParameterTuningResourceConfig")
        }
        parameters = {**fixed, **tuned, OBJECTIVE_PARAMETER: self.metric}
        return {
            **kept,
            "TrainingJobName": name,
            "ResourceConfig": _resources(self.definition),
            "HyperParameters": parameters,
            # Each job has its own place for checkpoints.
            **(_own_checkpoints(kept, name)),
        }


def plan_of(request: Document) -> Plan:
    """Read a request, or refuse it."""
    for member in ("TrainingJobDefinitions", "Autotune"):
        if request.get(member):
            raise unsupported(f"{member}: give one TrainingJobDefinition and its ranges")
    definition = request.get("TrainingJobDefinition")
    if not definition:
        raise invalid("TrainingJobDefinition must be given.")
    config = request["HyperParameterTuningJobConfig"]
    strategy = _strategy(config)
    image = definition["AlgorithmSpecification"].get("TrainingImage", "")
    given = config.get("ParameterRanges") or definition.get("HyperParameterRanges") or {}
    ranges = ranges_of(given, image)
    metric, maximise = _objective(config, definition)
    _check_static(definition, ranges)
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    return Plan(
        strategy=strategy,
        ranges=ranges,
        metric=metric,
        maximise=maximise,
        jobs=_jobs(strategy, limits, ranges),
        parallel=limits["MaxParallelTrainingJobs"],
        limit_seconds=limits.get("MaxRuntimeInSeconds"),
        early_stopping=config.get("TrainingJobEarlyStoppingType") == "Auto",
        seed=config.get("RandomSeed"),
        target=criteria.get("TargetObjectiveMetricValue"),
        patience=criteria.get("BestObjectiveNotImproving", {}).get(
            "MaxNumberOfTrainingJobsNotImproving"
        ),
        definition=definition,
    )


def _strategy(config: Document) -> str:
    strategy: str = config["Strategy"]
    if strategy == "Hyperband":
        raise unsupported("Strategy Hyperband: choose Bayesian, Random or Grid")
    convergence = config.get("TuningJobCompletionCriteria", {}).get("ConvergenceDetected", {})
    if convergence.get("CompleteOnConvergence") == "Enabled":
        raise unsupported("CompleteOnConvergence: give BestObjectiveNotImproving instead")
    return strategy


def _objective(config: Document, definition: Document) -> tuple[str, bool]:
    objective = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise invalid("HyperParameterTuningJobObjective must be given.")
    algorithm = definition["AlgorithmSpecification"]
    if algorithm.get("TrainingImage"):
        fixed = definition.get("StaticHyperParameters", {})
        known = with_metric_definitions(algorithm, fixed).get("MetricDefinitions", [])
        names = [each["Name"] for each in known]
        if objective["MetricName"] not in names:
            raise invalid(
                f"The objective metric {objective['MetricName']} is not one of the metric "
                f"definitions: [{', '.join(names)}]"
            )
    return objective["MetricName"], objective["Type"] == "Maximize"


def _check_static(definition: Document, ranges: Sequence[Range]) -> None:
    fixed = definition.get("StaticHyperParameters", {})
    both = sorted({each.name for each in ranges} & set(fixed))
    if both:
        raise invalid(f"Hyperparameters are both static and tuned: {', '.join(both)}")


def _jobs(strategy: str, limits: Document, ranges: Sequence[Range]) -> int:
    wanted: int | None = limits.get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        if any(each.kind != CATEGORICAL for each in ranges):
            raise invalid("Grid search supports categorical hyperparameter ranges only.")
        whole = combinations(ranges)
        if wanted not in (None, whole):
            raise invalid(
                f"MaxNumberOfTrainingJobs {wanted} is not the number of combinations, {whole}; "
                "leave it out."
            )
        wanted = whole
    if wanted is None and not limits.get("MaxRuntimeInSeconds"):
        raise invalid("ResourceLimits: MaxNumberOfTrainingJobs or MaxRuntimeInSeconds is needed.")
    return min(wanted or MOST_JOBS, MOST_JOBS)


def _resources(definition: Document) -> Any:
    tuning = definition.get("HyperParameterTuningResourceConfig")
    if tuning and tuning.get("InstanceConfigs"):
        raise unsupported("InstanceConfigs: give InstanceType, InstanceCount, VolumeSizeInGB")
    return tuning or definition.get("ResourceConfig", {})


def _own_checkpoints(definition: Document, name: str) -> Document:
    config = definition.get("CheckpointConfig")
    if not config:
        return {}
    return {"CheckpointConfig": {**config, "S3Uri": f"{config['S3Uri'].rstrip('/')}/{name}"}}
