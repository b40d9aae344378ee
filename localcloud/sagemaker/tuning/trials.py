"""What is known of the training jobs of a tuning job: summaries, counts, the best one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.scope import Document

FINAL = "FinalHyperParameterTuningJobObjectiveMetric"
ENDED = ("Completed", "Failed", "Stopped")
_COPIED = (
    *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime"),
    *("TrainingEndTime", "TrainingJobStatus", "FailureReason"),
)


@dataclass(frozen=True)
class Objective:
    """The metric that decides, and its direction."""

    metric: str
    maximise: bool

    def value(self, job: Document) -> float | None:
        """Return the metric's last value in a training job."""
        found = [m for m in job.get("FinalMetricDataList", []) if m["MetricName"] == self.metric]
        return float(found[0]["Value"]) if found else None

    def better(self, one: float, other: float) -> bool:
        """Tell whether one value is better than another."""
        return one > other if self.maximise else one < other

    def best(self, jobs: Sequence[Document]) -> Document | None:
        """Choose the best of the jobs that ended with a value."""
        valued = [(self.value(job), job) for job in jobs if job["TrainingJobStatus"] != "Failed"]
        ended = [(v, job) for v, job in valued if v is not None and v == v]  # noqa: PLR0124 - NaN
        ended = [(v, job) for v, job in ended if job["TrainingJobStatus"] in ENDED]
        if not ended:
            return None
        return (max if self.maximise else min)(ended, key=lambda each: each[0])[1]

    def summary(self, job: Document) -> Document:
        """Describe one training job as the tuning job's answers do."""
        value, ended = self.value(job), job["TrainingJobStatus"] in ENDED
        described: dict[str, Any] = {name: job[name] for name in _COPIED if name in job}
        described["TunedHyperParameters"] = job.get("TunedHyperParameters", {})
        if not ended:
            return {**described, "ObjectiveStatus": "Pending"}
        if value is None or job["TrainingJobStatus"] == "Failed":
            return {**described, "ObjectiveStatus": "Failed"}
        kind = "Maximize" if self.maximise else "Minimize"
        final = {"Type": kind, "MetricName": self.metric, "Value": value}
        return {
            **described,
            FINAL: final,
            "ObjectiveStatus": "Succeeded",
        }


def counters(summaries: Sequence[Document]) -> Document:
    """Count the training jobs by status and by objective."""

    def count(member: str, *words: str) -> int:
        return sum(each[member] in words for each in summaries)

    return {
        "TrainingJobStatusCounters": {
            "Completed": count("TrainingJobStatus", "Completed"),
            "InProgress": count("TrainingJobStatus", "InProgress", "Stopping"),
            "RetryableError": 0,
            "NonRetryableError": count("TrainingJobStatus", "Failed"),
            "Stopped": count("TrainingJobStatus", "Stopped"),
        },
        "ObjectiveStatusCounters": {
            word: count("ObjectiveStatus", word) for word in ("Succeeded", "Pending", "Failed")
        },
    }
