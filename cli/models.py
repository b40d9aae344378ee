"""`fourblocks models`, `why` and `reproduce`: versions, their verdicts, the same model again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key
from rich.table import Table

from cli.datasets import read_object, use_case
from cli.errors import NotThereError, RefusedError
from cli.screen import console
from cli.training import follow, model_record, plan_of, read_evaluation

if TYPE_CHECKING:
    from cli.target import Target

VERDICTS = {
    "promoted": "It was promoted: every rule is kept.",
    "rejected": "It was rejected: {broken}",
    "needs_approval": "A person has to decide: {broken}",
}
REPRODUCTION_NAME = "reproduction.json"


def show_models(target: Target) -> None:
    """List every version with its state, verdict and quality."""
    table = Table("version", "state", "verdict", "AUC", "log loss", "dataset", "at", box=None)
    for record in versions(target):
        metrics = record["metrics"]
        table.add_row(
            str(record["version"]),
            record["state"],
            record["verdict"],
            f"{metrics['auc']:.4f}",
            f"{metrics['log_loss']:.4f}",
            record["dataset_id"],
            record["registered_at"][:19],
        )
    console.print(table)


def versions(target: Target) -> list[dict[str, Any]]:
    """Read the records of all versions, oldest first.

    Raises:
        NotThereError: no version is registered yet.

    """
    table = target.session.resource("dynamodb", region_name=target.region).Table(
        target.output("Foundation", "ModelTableName")
    )
    condition = Key("pk").eq(f"MODEL#{use_case(target)}") & Key("sk").begins_with("V#")
    items = query(table, condition)
    if not items:
        message = f"No model is registered yet. Run: {target.command('train')}"
        raise NotThereError(message)
    return items


def query(table: Any, condition: Any) -> list[dict[str, Any]]:
    """Read all that a condition on a table's key finds."""
    answer = table.query(KeyConditionExpression=condition, ConsistentRead=True)
    found = list(answer["Items"])
    while "LastEvaluatedKey" in answer:
        answer = table.query(
            KeyConditionExpression=condition,
            ConsistentRead=True,
            ExclusiveStartKey=answer["LastEvaluatedKey"],
        )
        found.extend(answer["Items"])
    return found


def registered(target: Target, version: int) -> dict[str, Any]:
    """Read a version's record.

    Raises:
        NotThereError: there is no such version.

    """
    record = model_record(target, version)
    if record is None:
        message = f"There is no version {version}. See: {target.command('models')}"
        raise NotThereError(message)
    return record


def explain(target: Target, version: int) -> None:
    """Say in plain words what became of a version and which rules decided."""
    record = registered(target, version)
    for line in explanation(record):
        console.print(line, markup=False)
    evaluation = read_evaluation(target, str(record["evaluation_uri"]))
    page = str(record["evaluation_uri"]).removesuffix(".json") + ".html"
    if evaluation is not None:
        console.print(f"The whole report: {page}", markup=False)
    if "card_uri" in record:
        console.print(f"The model card: {record['card_uri']}", markup=False)
    for entry in ledger_of(target, f"v{version}"):
        console.print(f"{entry['at'][:19]} {entry['event_type']}: {entry['reason']}", markup=False)


def explanation(record: dict[str, Any]) -> list[str]:
    """Write a record's verdict: what it means, then each rule with its numbers."""
    rules = record.get("rules", [])
    broken = [rule for rule in rules if not rule["passed"]]
    deciding = [rule for rule in broken if rule["broken_means"] == record["verdict"]] or broken
    words = VERDICTS[record["verdict"]].format(
        broken=" ".join(rule["reason"] for rule in deciding) or " ".join(record["reasons"])
    )
    compared = record.get("champion_version")
    against = f"version {compared}" if compared else "no other model: none was serving"
    return [
        f"Version {record['version']} ({record['model_id']}) is {record['state']}.",
        words,
        f"It was compared with {against}, on dataset {record['dataset_id']}.",
        f"The training was asked for by {record.get('requested_by', 'nobody known')}.",
        *(f"  {'kept  ' if rule['passed'] else 'BROKEN'}  {rule['reason']}" for rule in rules),
    ]


def ledger_of(target: Target, subject: str) -> list[dict[str, Any]]:
    """Read what the ledger says of a subject, oldest first."""
    table = target.session.resource("dynamodb", region_name=target.region).Table(
        target.output("Foundation", "LedgerTableName")
    )
    condition = Key("chain").eq(use_case(target))
    return [entry for entry in query(table, condition) if entry["subject"] == subject]


def reproduce(target: Target, version: int) -> None:
    """Rebuild a version from its record and compare it with what was registered.

    Raises:
        RefusedError: the rebuilt model differs, or could not be built.

    """
    record = registered(target, version)
    caller = target.client("sts").get_caller_identity()["Arn"]
    request = {
        "reproduce_version": version,
        "requested_by": caller,
        "reason": f"reproduction of version {version}",
    }
    execution = follow(
        target,
        target.client("stepfunctions").start_execution(
            stateMachineArn=target.output("TrainingPipeline", "WorkflowArn"),
            input=json.dumps(request),
        )["executionArn"],
    )
    if execution.status != "SUCCEEDED":
        message = f"The reproduction failed: {execution.failure()}"
        raise RefusedError(message)
    uri = str(plan_of(execution)["reproduction_output_uri"])
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    text = read_object(target, bucket, f"{key}/{REPRODUCTION_NAME}")
    found = json.loads(text) if text else {}
    tell_reproduction(record, found)


def tell_reproduction(record: dict[str, Any], found: dict[str, Any]) -> None:
    """Print both digests, and which files differ.

    Raises:
        RefusedError: the rebuilt model differs.

    """
    console.print(f"  registered {found.get('original_digest')}", markup=False)
    console.print(f"  rebuilt    {found.get('rebuilt_digest')}", markup=False)
    if not found.get("identical"):
        differences = ", ".join(found.get("differences", [])) or "no comparison was written"
        message = f"Version {record['version']} is different when it is rebuilt: {differences}"
        raise RefusedError(message)
    console.print(f"  equal: version {record['version']} was reproduced")
