"""The canary judge on real processes: two fleets answer, its verdict's alarm rolls back.

What the API's function and the workflow do on the platform, the test does here: it counts what each
version answers, looks every second, and publishes the verdict.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.inference.canary_evidence import (
    ANSWERS,
    FAILURES,
    latency_counter,
    score_counter,
)
from lambdas.inference.judge_canary.checks import Limits
from lambdas.inference.judge_canary.logic import ROLL_BACK, first_look, look_again
from tests.e2e.localcloud.conftest import eventually
from tests.e2e.localcloud.jobs.deployments import watched
from tests.e2e.localcloud.jobs.test_sagemaker_deployments import Endpoints, percent

KINDS = os.environ.get("CANARY_REAL_KINDS", "raising,swapped").split(",")
"""Of raising, raising-20, raising-5, slow, swapped and nan; and measured, which is good."""
RUNS = int(os.environ.get("CANARY_REAL_RUNS", "1"))
BAKE_SECONDS = int(os.environ.get("CANARY_REAL_BAKE", "20"))
CANARY_PERCENT = 25


class Watch:
    """Asks, counts, judges and tells, until it is left."""

    def __init__(self, cloud: Any, endpoint: str) -> None:
        self.counts: dict[str, Counter[str]] = {"1": Counter(), "2": Counter()}
        self.reason = ""
        self._cloud, self._endpoint = cloud, endpoint
        self._runtime = cloud.client("sagemaker-runtime")
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(4)

    def __enter__(self) -> Watch:
        self._running = [self._pool.submit(self._ask) for _ in range(3)]
        eventually(lambda: self.counts["1"].total() >= 120)
        self._state = first_look(self._seen())["state"]
        self._running.append(self._pool.submit(self._judge))
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for each in self._running:
            each.result()

    def _ask(self) -> None:
        while not self._stopping.is_set():
            started = time.perf_counter()
            try:
                answer = self._runtime.invoke_endpoint(EndpointName=self._endpoint, Body=b"{}")
                told = json.loads(answer["Body"].read())
                version, names = _outcome(told, time.perf_counter() - started)
            except ClientError as error:
                told = json.loads(error.response["OriginalMessage"])
                version, names = f"{told['constant']:.0f}", (FAILURES,)
            with self._lock:
                self.counts[version].update(names)

    def _judge(self) -> None:
        while not self._stopping.wait(1.0):
            judgement = look_again(
                self._state, self._seen(), champion="1", challenger="2", limits=Limits()
            )
            self._state = judgement["state"]
            bad = judgement["verdict"] == ROLL_BACK
            self.reason = judgement["reason"] if bad else ""
            tell(self._cloud, self._endpoint, bad=bad)

    def _seen(self) -> dict[str, dict[str, int]]:
        with self._lock:
            return {version: dict(counts) for version, counts in self.counts.items()}


def _outcome(told: dict[str, Any], seconds: float) -> tuple[str, tuple[str, ...]]:
    version = f"{told['constant']:.0f}"
    if not math.isfinite(told["score"]):
        return version, (FAILURES,)
    return version, (ANSWERS, latency_counter(seconds * 1000), score_counter(told["score"]))


def tell(cloud: Any, endpoint: str, *, bad: bool) -> None:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}]
    cloud.client("cloudwatch").put_metric_data(
        Namespace="Judge",
        MetricData=[
            {"MetricName": "Bad", "Dimensions": dimensions, "Value": bad, "StorageResolution": 1}
        ],
    )


def verdict_alarm(cloud: Any, endpoint: str) -> str:
    name = cloud.name("verdict")
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Judge",
        MetricName="Bad",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    return name


@pytest.fixture(scope="module")
def endpoints(cloud):
    return Endpoints(cloud)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run", range(RUNS))
def test_a_bad_version_is_rolled_back_and_a_good_one_stays(cloud, endpoints, kind, run):
    name = endpoints.serving(1, flavour="measured")
    before = cloud.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointConfigName"]
    alarm, fresh = verdict_alarm(cloud, name), endpoints.config(2, flavour=kind)
    try:
        with Watch(cloud, name) as watch:
            endpoints.update(
                name,
                fresh,
                alarm,
                Type="CANARY",
                CanarySize=percent(CANARY_PERCENT),
                WaitIntervalInSeconds=BAKE_SECONDS,
            )
            told, _, _ = watched(cloud, name)
    finally:
        cloud.client("sagemaker").delete_endpoint(EndpointName=name)
    good = kind == "measured"
    assert told["EndpointConfigName"] == (fresh if good else before), watch.reason
    assert bool(watch.reason) is not good
