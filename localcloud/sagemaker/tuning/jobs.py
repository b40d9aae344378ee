"""Tuning jobs: the operations."""

from __future__ import annotations

from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run
from localcloud.registry import Call
from localcloud.sagemaker.container_run import STOP_GRACE_SECONDS
from localcloud.sagemaker.job_operations import Jobs, JobType
from localcloud.sagemaker.layout import role_of
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.scope import Document, Scope
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.training import KIND as TRAINING
from localcloud.sagemaker.training import TrainingJobs
from localcloud.sagemaker.tuning.request import OBJECTIVE_PARAMETER, plan_of
from localcloud.sagemaker.tuning.run import TuningJob, TuningRun
from localcloud.sagemaker.tuning.trials import FINAL, Objective, counters
from localcloud.sagemaker.tuning.warm_start import parents_of

BY_VALUE = "FinalObjectiveMetricValue"


class TuningJobs(Jobs):
    """Creates, describes, lists and stops tuning jobs, and lists their training jobs."""

    about = JobType(
        noun="HyperParameterTuningJob",
        kind="hyper-parameter-tuning-job",
        words="hyperparameter tuning job",
        summaries="HyperParameterTuningJobSummaries",
        summary=(
            *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "Strategy"),
            *("HyperParameterTuningJobStatus", "CreationTime", "HyperParameterTuningEndTime"),
            *("LastModifiedTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters"),
            "ResourceLimits",
        ),
        missing="Amazon SageMaker can't find a tuning job with the name {name}.",
        taken=(
            "Hyperparameter tuning job names must be unique within an AWS account and region, and "
            "a tuning job with this name already exists"
        ),
    )

    def __init__(self, host: Host, store: Store, tags: Tags, training: TrainingJobs) -> None:
        super().__init__(host, store, tags)
        self._training = training

    def create(self, call: Call) -> Document:
        """Start a tuning job."""
        request, scope = dict(call.parameters), Scope.of(call)
        plan = plan_of(request)
        parents = parents_of(request, lambda name: self.get(scope, name))
        self._training.check(plan.training_request("check", {}))
        role_of(self._host, plan.definition["RoleArn"])
        config = request["HyperParameterTuningJobConfig"]
        description = {key: value for key, value in request.items() if key != "Tags"}
        fixed = plan.definition.get("StaticHyperParameters", {})
        description["TrainingJobDefinition"] = {
            **plan.definition,
            "StaticHyperParameters": {**fixed, OBJECTIVE_PARAMETER: plan.metric},
        }
        shown = {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
        state = self._add(scope, {**description, **shown, **counters([])}, request.get("Tags", []))
        known = [job for parent in parents for job in self._training_jobs(scope, parent)]
        run = Run(STOP_GRACE_SECONDS)
        work = TuningRun(self._training, state, run, TuningJob(scope, plan, known))
        self._begin(state, run, work)
        return {"HyperParameterTuningJobArn": state.arn}

    def training_jobs(self, call: Call) -> Document:
        """List the training jobs of a tuning job."""
        scope, request = Scope.of(call), dict(call.parameters)
        job = self.get(scope, request["HyperParameterTuningJobName"])
        wanted = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        objective = Objective(wanted["MetricName"], wanted["Type"] == "Maximize")
        summaries = [objective.summary(each) for each in self._training_jobs(scope, job)]
        by_value = request.get("SortBy") == BY_VALUE
        if by_value:  # as on AWS, what has no value is left out
            summaries = [each for each in summaries if each["ObjectiveStatus"] == "Succeeded"]
        found, token = page(
            summaries,
            {"SortOrder": "Ascending", "SortBy": "Name", **request},
            name="TrainingJobName",
            status="TrainingJobStatus",
            fields=sorted({key for each in summaries for key in each}),
            by=(lambda each: each[FINAL]["Value"]) if by_value else None,
        )
        return {"TrainingJobSummaries": found, **({"NextToken": token} if token else {})}

    def _training_jobs(self, scope: Scope, job: Document) -> list[Document]:
        arn = job["HyperParameterTuningJobArn"]
        return [
            each for each in self._store.all(scope, TRAINING) if each.get("TuningJobArn") == arn
        ]
