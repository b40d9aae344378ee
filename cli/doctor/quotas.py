"""Checks of service quotas: what the configuration uses at once, and whether AWS offers it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cli.doctor.findings import Account, Finding, Plan, fault, well

REQUEST_SECONDS = 0.1
"""How long a request keeps a function; its rate times this is what runs at once."""
LEAST_CONCURRENCY = 20
"""Functions of workflows beside those of requests."""
DURING_DEPLOYMENT = 2
"""While a deployment shifts traffic, the old instances and the new ones run side by side."""
VCPU_PER_WORKER = 4


class Need(NamedTuple):
    """How much of a quota the configuration uses."""

    service: str
    quota: str
    amount: float
    what_for: str


def needs(config: Mapping[str, Any]) -> Iterator[Need]:
    """List what an environment uses at the same time, by the names of AWS's quotas."""
    training, inference = config["training"], config["inference"]
    yield Need(
        "sagemaker",
        f"{training['instance_type']} for training job usage",
        training["concurrent_jobs"],
        "training jobs at once",
    )
    yield Need(
        "sagemaker",
        f"{training['evaluation_instance_type']} for processing job usage",
        1,
        "an evaluation",
    )
    yield Need(
        "sagemaker",
        f"{inference['instance_type']} for endpoint usage",
        inference["instance_count"] * DURING_DEPLOYMENT,
        "the endpoint while a deployment shifts traffic",
    )
    concurrency = math.ceil(inference["requests_per_second"] * REQUEST_SECONDS)
    yield Need(
        "lambda", "Concurrent executions", max(LEAST_CONCURRENCY, concurrency), "the API's rate"
    )
    if config["data_pipeline"]["engine"] == "emr_serverless":
        cores = config["data_pipeline"]["workers"] * VCPU_PER_WORKER
        yield Need("emr-serverless", "Max concurrent vCPUs per account", cores, "the Spark job")


def quotas(plan: Plan) -> list[Finding]:
    """Hold what the configuration uses against the account's quotas."""
    wanted = list(needs(plan.assembly.config))
    granted = {
        service: _granted(plan.account, service) for service in {need.service for need in wanted}
    }
    found = [
        finding
        for need in wanted
        for finding in _judge(need, granted[need.service], plan.account.region)
    ]
    return found or well("quotas", f"{len(wanted)} are large enough")


def _judge(need: Need, granted: Mapping[str, float], region: str) -> list[Finding]:
    if need.quota not in granted:
        what = f"{region} knows no quota {need.quota!r}: it does not offer that"
        return [fault("quotas", what, "Choose another instance type in environments.py")]
    value = granted[need.quota]
    if value >= need.amount:
        return []
    what = f"{need.quota}: {value:g} granted, {need.amount:g} needed for {need.what_for}"
    remedy = (
        f"Ask for more: https://{region}.console.aws.amazon.com/servicequotas/home/services/"
        f"{need.service}/quotas"
    )
    return [fault("quotas", what, remedy)]


def _granted(account: Account, service: str) -> dict[str, float]:
    """Read a service's quotas: AWS's defaults, and above them what the account has instead."""
    client = account.client("service-quotas")
    values: dict[str, float] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            values.update({each["QuotaName"]: float(each["Value"]) for each in page["Quotas"]})
    return values
