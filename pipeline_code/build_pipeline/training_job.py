"""Has an environment make the data and the model of a new code, and says what the verdict was.

``python -m pipeline_code.build_pipeline.training_job``: the data pipeline runs again, as a new code
makes a new dataset of the same files; then the training pipeline, champion against challenger. A
model that was rejected fails the release; one that waits for a person does not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from pipeline_code.build_pipeline.block_access import Block, open_block
from pipeline_code.build_pipeline.contract import TRAINED, Variable
from pipeline_code.build_pipeline.executions import SUCCEEDED, Execution, Workflow
from pipeline_code.build_pipeline.fingerprints import fingerprints
from pipeline_code.build_pipeline.records import ReleaseRecords
from pipeline_code.build_pipeline.release_job import record_of

ASKS = "Ask for approval"
"""The training workflow's state in which it waits for a person."""
ATTEMPTS = 10
"""Another training may come first, each time; then it is ours."""
NOT_OURS = ("taken", "queued")
REFUSED = ("rejected", "blocked")


class TrainingError(Exception):
    """Data or model of the new code were not made, or not good enough."""


def refresh(workflow: Workflow) -> str:
    """Make the dataset of the new code; give what the data pipeline said of the batch.

    Raises:
        TrainingError: a run failed, or others kept the batch for themselves.

    """
    for _ in range(ATTEMPTS):
        execution = workflow.run({})
        if execution.status != SUCCEEDED:
            message = f"The data pipeline failed: {execution.failure()}"
            raise TrainingError(message)
        batch = execution.document("batch_id", "status", "waiting_for")
        if batch.get("status") != "taken":
            return f"{batch.get('status')}: {batch.get('detail')}"
        workflow.wait_for_others()
    message = "Other runs of the data pipeline keep taking the batch."
    raise TrainingError(message)


def train(workflow: Workflow, request: Mapping[str, str]) -> Execution:
    """Train with the new code; give the execution that trained, or found the model trained.

    Raises:
        TrainingError: the training failed, or others kept coming first.

    """
    for _ in range(ATTEMPTS):
        workflow.wait_for_others()
        execution = workflow.run(request)
        if execution.status not in (SUCCEEDED, "RUNNING"):
            message = f"The training failed: {execution.failure()}"
            raise TrainingError(message)
        if execution.document("training_id", "status", "members").get("status") not in NOT_OURS:
            return execution
    message = "Other trainings keep coming first."
    raise TrainingError(message)


def version_of(execution: Execution) -> int:
    """Name the model version that a training registered, or found registered."""
    registered = execution.document("version", "model_id", "state")
    known = execution.document("training_id", "status", "members").get("registered_version")
    return int(registered.get("version") or known or 0)


def judged(record: Mapping[str, Any]) -> str:
    """Say what became of a version.

    Raises:
        TrainingError: it was rejected, and why.

    """
    version, state = int(record["version"]), str(record["state"])
    reasons = "; ".join(map(str, record.get("reasons", [])))
    if state in REFUSED:
        message = f"Model version {version} is {state}: {reasons}"
        raise TrainingError(message)
    waits = " It waits for a person: fourblocks approve" if state == "candidate" else ""
    return f"model version {version} is {state}: {reasons}.{waits}"


def model_record(block: Block, version: int) -> Mapping[str, Any]:
    """Read a version's record."""
    table = block.session.resource("dynamodb").Table(block.outputs["ModelTableName"])
    key = {"pk": f"MODEL#{os.environ[Variable.USE_CASE]}", "sk": f"V#{version:08d}"}
    return dict(table.get_item(Key=key, ConsistentRead=True)["Item"])


def release_model() -> str:
    """Refresh, train and judge; say what came of it."""
    data = open_block("data", "DataPipeline")
    said = refresh(Workflow(data.session.client("stepfunctions"), data.outputs["WorkflowArn"]))
    sys.stdout.write(f"data pipeline: {said}\n")
    if said.startswith("waiting"):
        return "no batch is complete yet: nothing to train on"
    block = open_block("training", "TrainingPipeline")
    workflow = Workflow(
        block.session.client("stepfunctions"), block.outputs["WorkflowArn"], asks_in=ASKS
    )
    caller = block.session.client("sts").get_caller_identity()["Arn"]
    reason = f"push of commit {os.environ[Variable.COMMIT]}"
    execution = train(workflow, {"requested_by": caller, "reason": reason})
    words = judged(model_record(block, version_of(execution)))
    _remember()
    return words


def _remember() -> None:
    """Keep what was trained; the next push is compared with it."""
    records = ReleaseRecords(boto3.client("s3"), os.environ[Variable.ARTEFACT_BUCKET])
    record = record_of(fingerprints(Path.cwd())["model"], [])
    records.write(os.environ[Variable.ENVIRONMENT], TRAINED, record)


def main() -> int:
    """Train where the push changed what a model is made with."""
    if os.environ[Variable.TRAINS] != "true":
        sys.stdout.write("nothing that a model is made with has changed\n")
        return 0
    try:
        sys.stdout.write(f"{release_model()}\n")
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
