"""The bill before there is one: what each resource adds, what a change does, what is not known."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.assembly import Assembly
from cli.cost.difference import differences, estimate_of
from cli.cost.estimate import estimate
from cli.cost.prices import TABLE, read_prices
from cli.cost.report import markdown, unpriced_note, verdict
from cli.cost.resources import PRICED
from cli.errors import RefusedError
from cli.main import app
from stacks.config.__main__ import document
from stacks.config.environments import DEV

PRICES = read_prices()
CONFIG = document(DEV)


def assembly(*resources, block="Inference", usage=None, **parts):
    config = {**CONFIG, "usage": {**CONFIG["usage"], **(usage or {})}, **parts}
    nodes = {f"Resource{number}": node for number, node in enumerate(resources)}
    return Assembly(config, {block: {"Resources": nodes}}, 6)


def of(found, kind):
    return sum(line.usd for line in found.lines if line.kind == kind)


def resource(kind, **properties):
    return {"Type": kind, "Properties": properties}


def test_an_endpoint_costs_its_hours_whether_it_is_asked_or_not():
    inference = {**CONFIG["inference"], "instance_type": "ml.m5.xlarge", "instance_count": 2}

    found = estimate(assembly(usage={"endpoint_hours": 100}, inference=inference), PRICES)

    assert of(found, "endpoint") == pytest.approx(2 * 100 * 0.23)
    assert found.idle_usd >= of(found, "endpoint")


def test_the_spark_job_costs_its_workers_times_its_time():
    job = resource("AWS::Glue::Job", NumberOfWorkers=4, WorkerType="G.2X")

    found = estimate(
        assembly(job, block="DataPipeline", usage={"batches": 6, "batch_minutes": 30}), PRICES
    )

    assert of(found, "Glue Spark job") == pytest.approx(6 * 0.5 * 4 * 2 * 0.44)


def test_transitions_are_the_states_of_the_definition_times_the_runs():
    states = {name: {"Type": "Pass"} for name in "abc"}
    machine = resource(
        "AWS::StepFunctions::StateMachine", DefinitionString=json.dumps({"States": states})
    )

    found = estimate(assembly(machine, block="TrainingPipeline", usage={"trainings": 1000}), PRICES)

    assert of(found, "Step Functions transitions") == pytest.approx(3 * 1000 * 0.000025)


def test_keys_and_alarms_are_paid_every_month():
    found = estimate(
        assembly(resource("AWS::KMS::Key"), resource("AWS::CloudWatch::Alarm")), PRICES
    )

    assert of(found, "KMS keys") == 1.0
    assert of(found, "CloudWatch alarms") == 0.1
    assert {line.kind for line in found.lines if line.idle} >= {"KMS keys", "CloudWatch alarms"}


def test_what_the_table_does_not_know_is_said_and_not_counted_as_nothing():
    found = estimate(assembly(resource("AWS::Braket::QuantumTask")), PRICES)

    assert found.unpriced == {"AWS::Braket::QuantumTask": 1}
    assert "AWS::Braket::QuantumTask" in unpriced_note(found)


def test_an_instance_without_a_price_is_refused_by_name():
    inference = {**CONFIG["inference"], "instance_type": "ml.z9.huge"}

    with pytest.raises(RefusedError, match=r"no price for ml\.z9\.huge"):
        estimate(assembly(inference=inference), PRICES)


def test_every_price_says_its_unit_and_its_page():
    assert PRICES.document["as_known_on"]
    for name, price in PRICES.document["prices"].items():
        assert price["usd"] > 0, name
        assert price["per"], name
        assert price["page"].startswith("https://aws.amazon.com/"), name


def test_no_price_is_left_over():
    code = "".join(file.read_text() for file in TABLE.parent.glob("*.py"))
    dynamic = {"lambda_gigabyte_second_arm", "lambda_gigabyte_second_x86"}

    assert {name for name in PRICES.document["prices"] if f'"{name}"' not in code} <= dynamic


def test_a_type_is_priced_or_free_and_not_both():
    assert [kind for kind in PRICED if PRICES.is_free(kind)] == ["AWS::ApiGateway::Stage"]


def test_a_change_is_told_by_what_moved_most():
    before = estimate(assembly(resource("AWS::KMS::Key")), PRICES).document()
    after = estimate(
        assembly(resource("AWS::CloudWatch::Dashboard"), resource("AWS::KMS::Key")), PRICES
    ).document()

    changes = differences(before, after)
    line = verdict("dev", before, after)

    assert [(each.kind, each.usd) for each in changes] == [("dashboards", 3.0)]
    assert "$3.00 more than before" in line
    assert "| Inference | dashboards | 0.00 | 3.00 | +3.00 |" in markdown(line, changes, "now")


def test_an_estimate_of_a_file_is_read_again(tmp_path):
    found = estimate(assembly(resource("AWS::KMS::Key")), PRICES).document()
    file = tmp_path / "before.json"
    file.write_text(json.dumps(found))

    assert differences(estimate_of(str(file), "dev", PRICES), found) == []


def test_a_file_that_is_no_estimate_is_refused(tmp_path):
    file = tmp_path / "before.json"
    file.write_text("[]")

    with pytest.raises(RefusedError, match="is no estimate"):
        estimate_of(str(file), "dev", PRICES)


def test_what_is_neither_file_nor_commit_is_refused():
    with pytest.raises(RefusedError, match="neither a file nor a commit"):
        estimate_of("no-such-commit", "dev", PRICES)


def test_an_environment_that_does_not_exist_is_named_with_those_that_do():
    result = CliRunner().invoke(app, ["cost", "production"])

    assert result.exit_code == 1
    assert "'production'" in result.output
    assert "prod" in result.output
