"""The estimate of a month: what the templates hold, and what the workflows make at run time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from cli.assembly import Assembly
from cli.cost.lines import Line, added_up
from cli.cost.prices import Prices
from cli.cost.resources import Month, resource_lines

DAYS = 30
"""Of a month, for what is kept by the day."""


@dataclass(frozen=True)
class Estimate:
    """What an environment costs a month."""

    environment: str
    lines: list[Line]
    unpriced: dict[str, int]
    """Resource types of which the price table knows nothing, and how many there are of each."""

    @property
    def usd(self) -> float:
        """Return the whole bill."""
        return sum(line.usd for line in self.lines)

    @property
    def idle_usd(self) -> float:
        """Return what is paid even when nobody uses the platform."""
        return sum(line.usd for line in self.lines if line.idle)

    def document(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "environment": self.environment,
            "usd_per_month": round(self.usd, 2),
            "idle_usd_per_month": round(self.idle_usd, 2),
            "lines": [line.document() for line in self.lines],
            "unpriced": self.unpriced,
        }


def estimate(assembly: Assembly, prices: Prices) -> Estimate:
    """Estimate a month of an environment."""
    lines: list[Line] = []
    unpriced: Counter[str] = Counter()
    for block, _name, node in assembly.resources:
        found = resource_lines(node, Month(block, assembly.config, prices))
        if found is None:
            unpriced[node["Type"]] += 1
        else:
            lines.extend(found)
    lines += run_time_lines(assembly.config, prices)
    shown = [line for line in added_up(lines) if line.quantity]
    return Estimate(
        environment=str(assembly.config["environment"]),
        lines=sorted(shown, key=lambda line: (line.block, -line.usd)),
        unpriced=dict(unpriced),
    )


def run_time_lines(config: dict[str, Any], prices: Prices) -> list[Line]:
    """Price what no template holds: data, logs, images, training jobs and the endpoint."""
    usage = config["usage"]
    stores = Month("Foundation", config, prices)
    return [
        stores.line("S3 storage", usage["stored_gigabytes"], "s3_gigabyte", idle=True),
        stores.line("ECR storage", usage["image_gigabytes"], "ecr_gigabyte", idle=True),
        stores.line("logs", usage["log_gigabytes"], "logs_gigabyte"),
        *prediction_lines(stores),
        *training_lines(config, prices),
        *serving_lines(config, prices),
    ]


def prediction_lines(stores: Month) -> list[Line]:
    """Price the stored predictions: only their table grows with use."""
    predictions = float(stores.usage["predictions"])
    kilobytes = float(stores.usage["prediction_kilobytes"])
    kept = stores.config["inference"]["prediction_days"] / DAYS
    gigabytes = predictions * kilobytes * kept / 1024**2
    return [
        stores.line("DynamoDB writes", predictions * max(1.0, kilobytes), "dynamodb_write"),
        stores.line("DynamoDB storage", gigabytes, "dynamodb_gigabyte"),
        stores.line("DynamoDB backups", gigabytes, "dynamodb_backup_gigabyte"),
    ]


def training_lines(config: dict[str, Any], prices: Prices) -> list[Line]:
    """Price the jobs that the training workflow starts."""
    usage, training = config["usage"], config["training"]
    jobs = usage["trainings"] * usage["training_jobs"] * usage["training_minutes"] / 60
    evaluations = usage["trainings"] * usage["evaluation_minutes"] / 60
    train = prices.instance(training["instance_type"])
    evaluate = prices.instance(training["evaluation_instance_type"])
    return [
        Line("TrainingPipeline", "training jobs", jobs, train),
        Line("TrainingPipeline", "evaluation jobs", evaluations, evaluate),
    ]


def serving_lines(config: dict[str, Any], prices: Prices) -> list[Line]:
    """Price the endpoint, which is paid by the hour whether it is asked or not."""
    inference = config["inference"]
    hours = config["usage"]["endpoint_hours"] * inference["instance_count"]
    price = prices.instance(inference["instance_type"])
    return [Line("Inference", "endpoint", hours, price, idle=True)]
