"""The execution of one tuning job: keeps so many training jobs under way until it is done."""

from __future__ import annotations

import importlib
import logging
import queue
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.jobs.runs import Run
from localcloud.registry import ServiceError
from localcloud.sagemaker.job_state import JobState, Watcher
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.training import TrainingJobs
from localcloud.sagemaker.tuning.early_stopping import MedianRule
from localcloud.sagemaker.tuning.request import Plan
from localcloud.sagemaker.tuning.trials import ENDED, Objective, counters

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
HOPELESS_JOBS = 5
NAME_CHARACTERS = 32


@dataclass(frozen=True)
class TuningJob:
    """What is carried out, for whom."""

    scope: Scope
    plan: Plan
    parents: Sequence[Document]  #: training jobs of the parents, with their tuned values


class TuningRun:
    """Calling it runs the tuning job to its end."""

    def __init__(self, training: TrainingJobs, state: JobState, run: Run, job: TuningJob) -> None:
        self._training = training
        self._state = state
        self._run = run
        self._job = job
        self._plan = job.plan
        self._objective = Objective(job.plan.metric, job.plan.maximise)
        self._rule = MedianRule(maximise=job.plan.maximise)
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._under_way: set[str] = set()
        self._names: list[str] = []
        self._deadline = time.monotonic() + (job.plan.limit_seconds or float("inf"))
        self._search: Any = None

    def __call__(self) -> None:
        """Run the tuning job; whatever happens, it ends in a final state."""
        started = now()
        status, fields = "Failed", Document()
        try:
            status, fields = self._carry_out()
        except ServiceError as error:
            fields = {"FailureReason": error.message}
        except Exception as error:
            LOG.exception("tuning job %s", self._state.name)
            fields = {"FailureReason": f"InternalServerError: {error}"}
        finally:
            self._stop_all()
        self._state.end(
            HyperParameterTuningJobStatus=status,
            HyperParameterTuningEndTime=now(),
            ConsumedResources={"RuntimeInSeconds": max(1, round(now() - started))},
            **fields,
        )

    def jobs(self) -> list[Document]:
        """Describe the training jobs so far."""
        return [self._training.get(self._job.scope, name) for name in self._names]

    def _carry_out(self) -> tuple[str, Document]:
        self._search = self._new_search()
        while not self._is_over():
            while self._has_room():
                self._start()
            self._await_event()
            self._publish()
        self._stop_all()
        self._publish()
        return self._outcome()

    def _new_search(self) -> Any:
        # Optuna takes a second to load, which a start of the embedded AWS need not.
        search = importlib.import_module("localcloud.sagemaker.tuning.search").Search(
            self._plan.strategy,
            self._plan.ranges,
            maximise=self._plan.maximise,
            seed=self._plan.seed,
            jobs=self._plan.jobs,
        )
        for job in self._job.parents:
            value = self._objective.value(job)
            if value is not None:
                search.know(job["TunedHyperParameters"], value)
        return search

    def _is_over(self) -> bool:
        if self._run.stopped or time.monotonic() >= self._deadline or self._is_good_enough():
            return True
        if self._is_hopeless():
            return True
        return len(self._names) >= self._plan.jobs and not self._under_way

    def _has_room(self) -> bool:
        return (
            len(self._under_way) < self._plan.parallel
            and len(self._names) < self._plan.jobs
            and not self._run.stopped
        )

    def _start(self) -> None:
        number = len(self._names) + 1
        name = f"{self._state.name[:NAME_CHARACTERS]}-{number:03d}-{secrets.token_hex(4)}"
        tuned = self._search.propose(name)
        watcher = Watcher(
            on_metric=lambda metric, value: self._report(name, metric, value),
            on_end=lambda: self._events.put(lambda: self._ended(name)),
        )
        self._training.start(
            self._job.scope,
            self._plan.training_request(name, tuned),
            watcher,
            TuningJobArn=self._state.arn,
            TunedHyperParameters=tuned,
        )
        self._names.append(name)
        self._under_way.add(name)
        self._publish()

    def _report(self, name: str, metric: str, value: float) -> None:
        if metric == self._plan.metric:
            self._events.put(lambda: self._judge(name, value))

    def _judge(self, name: str, value: float) -> None:
        behind = self._rule.is_behind(name, value)
        if behind and self._plan.early_stopping and name in self._under_way:
            self._stop(name)

    def _ended(self, name: str) -> None:
        if name not in self._under_way:
            return
        self._under_way.remove(name)
        job = self._training.get(self._job.scope, name)
        failed = job["TrainingJobStatus"] == "Failed"
        value = None if failed else self._objective.value(job)
        self._rule.end(name)
        self._search.learn(name, value)

    def _await_event(self) -> None:
        try:
            event = self._events.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            return
        event()

    def _stop(self, name: str) -> None:
        job = self._training.get(self._job.scope, name)
        if job["TrainingJobStatus"] == "InProgress":
            self._training.end_early(self._job.scope, name)

    def _stop_all(self) -> None:
        for name in list(self._under_way):
            self._stop(name)
        while self._under_way:
            self._await_event()

    def _is_good_enough(self) -> bool:
        values = self._values()
        if not values:
            return False
        best = max(values) if self._plan.maximise else min(values)
        target, patience = self._plan.target, self._plan.patience
        if target is not None and (best == target or self._objective.better(best, target)):
            return True
        return patience is not None and len(values) - 1 - values.index(best) >= patience

    def _values(self) -> list[float]:
        ended = [job for job in self.jobs() if job["TrainingJobStatus"] in ("Completed", "Stopped")]
        ended.sort(key=lambda job: job["TrainingEndTime"])
        return [value for job in ended if (value := self._objective.value(job)) is not None]

    def _is_hopeless(self) -> bool:
        ended = [job for job in self.jobs() if job["TrainingJobStatus"] in ENDED]
        return len(ended) >= HOPELESS_JOBS and not self._values()

    def _publish(self) -> None:
        jobs = self.jobs()
        best = self._objective.best(jobs)
        fields = counters([self._objective.summary(job) for job in jobs])
        if best is not None:
            fields["BestTrainingJob"] = self._objective.summary(best)
        parents = [] if not self._job.parents else [*self._job.parents, *jobs]
        overall = self._objective.best(parents)
        if overall is not None:
            fields["OverallBestTrainingJob"] = self._objective.summary(overall)
        self._state.set(**fields)

    def _outcome(self) -> tuple[str, Document]:
        if self._run.stopped or time.monotonic() >= self._deadline:
            return "Stopped", {}
        if self._values():
            return "Completed", {}
        if all(job["TrainingJobStatus"] == "Failed" for job in self.jobs()):
            reason = self.jobs()[0].get("FailureReason", "")
            return "Failed", {
                "FailureReason": "All training jobs failed. Please take a look at the training "
                f"job failures to get more details. The first: {reason}"
            }
        return "Failed", {
            "FailureReason": f"No objective metrics found after running {len(self._names)} "
            "training jobs. Please ensure that the custom algorithm is emitting the objective "
            "metric as defined by the regular expression provided."
        }
