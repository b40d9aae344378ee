"""Arrivals in any order and number, and the executions that they start, step by step.

The real functions run through their handlers on moto; the Spark job between them really runs once
a batch. Which execution goes on next, where one dies, and which function is called twice (as AWS
may) is drawn from a seed.
"""

from __future__ import annotations

import importlib
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdas.common.dynamo_ledger import DynamoLedger
from tests.integration.conftest import World
from tests.integration.data_pipeline.runs import Lake

RUN_MARK = "r-of-this-test"
REPORT = f"runs/{RUN_MARK}/report.json"
LONG_SECONDS = "3600"
"""A time to settle that no arrival of a test outlives; the test moves it, not the clock."""
STEPS = ("collect_batch", "publish_dataset", "reject_batch")
PER_RUN = re.compile(r"r-[0-9a-f]{16}|arn:aws:states:[^\"\s]+|\d{4}-\d\d-\d\dT[\d:.+]+(Z|#\d+)?")

Files = Mapping[str, bytes]
"""What lands: content by key."""


class SparkRuns:
    """What the Spark job makes of a batch: run once, handed out as if each run had made it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, dict[tuple[str, str], bytes]] = {}

    def __len__(self) -> int:
        return len(self._made)

    def write(self, world: World, batch: Mapping[str, Any], run_id: str) -> str:
        """Leave in the buckets what a run makes; give its status."""
        name = batch["batch_id"]
        if name not in self._made:
            self._made[name] = self._run(world, batch)
        for (bucket, key), content in self._made[name].items():
            place = key.replace(RUN_MARK, run_id)
            if not place.endswith("/manifest.json") or not _exists(world, bucket, place):
                body = content.replace(RUN_MARK.encode(), run_id.encode())
                world.s3.put_object(Bucket=bucket, Key=place, Body=body)
        return str(json.loads(self._made[name]["model-input", REPORT])["status"])

    def _run(self, world: World, batch: Mapping[str, Any]) -> dict[tuple[str, str], bytes]:
        lake = Lake(self._folder / batch["batch_id"])
        for entry in batch["objects"]:
            name = entry["key"].rsplit("/", 1)[-1]
            lake.land_bytes(entry["source"], name, world.read("raw-lake", entry["key"]))
        try:
            lake.run(RUN_MARK)
        except SystemExit as stop:
            assert "batch rejected" in str(stop.code)
        self._name_batch(lake, batch["batch_id"])
        roots = {"model": "model-input", "lake/quarantine": "raw-lake"}
        return {
            (bucket, str(path.relative_to(lake.folder / root.split("/")[0]))): path.read_bytes()
            for root, bucket in roots.items()
            for path in sorted((lake.folder / root).rglob("[!._]*"))
            if path.is_file()
        }

    def _name_batch(self, lake: Lake, name: str) -> None:
        """Put the batch's own name where the folder's run has that of its folder."""
        file = lake.folder / "model" / REPORT
        report = json.loads(file.read_text())
        file.write_text(json.dumps({**report, "batch_id": name}))


@dataclass
class Shuffle:
    """One world in which files arrive, driven by a seed."""

    world: World
    files: Files
    spark: SparkRuns
    environment: Any
    seed: int
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - no secret is drawn
        self._running: list[Iterator[None]] = []
        self._landed: set[str] = set()
        machines = self.world.stepfunctions.list_state_machines()["stateMachines"]
        self._machine = machines[0]["stateMachineArn"]

    def in_one_burst(self) -> None:
        """All arrives before anything has settled; what finds it settled comes after."""
        self._settle(LONG_SECONDS)
        for key in self._deliveries():
            self._arrive(key)
            self._go_on(self._random.randint(0, 2), at_least=1)
        self._settle("0")
        self._go_on(None)

    def with_pauses(self) -> None:
        """Runs begin and end between the arrivals."""
        self._settle("0")
        for key in self._deliveries():
            self._arrive(key)
            self._go_on(self._random.randint(0, 4))
        self._go_on(None)

    def _deliveries(self) -> list[str]:
        keys = [key for key in sorted(self.files) for _ in range(self._random.randint(1, 5))]
        self._random.shuffle(keys)
        return keys

    def _arrive(self, key: str) -> None:
        """Upload a file, or have the event of one that is there delivered once more."""
        again = key in self._landed and self._random.random() < 0.5
        if not again:
            self.world.put("raw-lake", key, self.files[key])
            self._landed.add(key)
        self._running.append(self._execution())

    def _go_on(self, count: int | None, at_least: int = 0) -> None:
        """Take steps of executions drawn at random: so many, or all that there are."""
        while len(self._running) > at_least and count != 0:
            chosen = self._random.choice(self._running)
            if next(chosen, self) is self:
                self._running.remove(chosen)
            count = None if count is None else count - 1

    def _execution(self) -> Iterator[None]:
        """Walk one execution of the workflow; it stops for others before each of its steps."""
        started = self.world.stepfunctions.start_execution(stateMachineArn=self._machine)
        arn = started["executionArn"]
        yield
        batch = self._call("collect_batch", {"execution_arn": arn})
        if batch["status"] != "ready":
            return
        yield
        # One that dies leaves its claim behind: somebody else must come to take it over.
        if len(self._running) > 1 and self._random.random() < 0.2:
            self.world.stepfunctions.stop_execution(executionArn=arn)
            self._running.append(self._execution())
            return
        request = {"batch_id": batch["batch_id"], "run_id": batch["run_id"], "execution_arn": arn}
        document = json.loads(
            self.world.read("raw-lake", batch["batch_uri"].removeprefix("s3://raw-lake/"))
        )
        status = self.spark.write(self.world, document, batch["run_id"])
        yield
        if status == "published":
            self._call("publish_dataset", request)
        else:
            self._call("reject_batch", {**request, "error": "States.TaskFailed", "cause": "{}"})
        self.world.stepfunctions.stop_execution(executionArn=arn)

    def _call(self, name: str, event: dict[str, Any]) -> Any:
        handler = importlib.import_module(f"lambdas.data_pipeline.{name}.handler").lambda_handler
        answer = handler(event, None)
        self.steps.append(name)
        if self._random.random() < 0.2:
            assert handler(event, None) == answer
        return answer

    def _settle(self, seconds: str) -> None:
        self.environment.setenv("SETTLE_SECONDS", seconds)
        for name in STEPS:
            sys.modules.pop(f"lambdas.data_pipeline.{name}.handler", None)


def _exists(world: World, bucket: str, key: str) -> bool:
    return bool(world.s3.list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"))


def final_state(world: World) -> dict[str, Any]:
    """Give all that arrivals left behind, but names of runs and executions, and times."""
    items = world.dynamodb.scan(TableName="metadata")["Items"]
    ledger = DynamoLedger(world.dynamodb, "ledger", "demo", str).records()
    business = [(r["event_type"], r["subject"], r["reason"], r["evidence"]) for r in ledger]
    return {
        "metadata": sorted(_plain(item) for item in items),
        "ledger": sorted(_plain(record) for record in business),
        "datasets": _objects(world, "model-input", "datasets/"),
        "quarantine": _objects(world, "raw-lake", "quarantine/"),
        "batches": sorted(_objects(world, "raw-lake", "batches/")),
    }


def _objects(world: World, bucket: str, prefix: str) -> dict[str, str]:
    listed = world.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    found = {}
    for each in listed:
        body = world.read(bucket, each["Key"])
        readable = each["Key"].endswith((".json", ".jsonl"))
        found[_plain(each["Key"])] = _plain(body.decode()) if readable else each["ETag"]
    return found


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return PER_RUN.sub("<of this run>", text)
