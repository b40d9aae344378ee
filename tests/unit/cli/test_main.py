"""The command's subcommands, their options, and what an operator's mistakes come to."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from typer.testing import CliRunner

from cli.command import as_operator_error
from cli.embedded import exported
from cli.errors import CredentialsError, ExitCode, NotThereError, RefusedError
from cli.main import app
from cli.target import Address, describe_stack, open_target

COMMANDS = (
    "up", "down", "deploy", "ingest", "datasets", "dataset show", "dataset diff", "quarantine list",
    "quarantine show", "quarantine replay", "train", "status", "predict", "open", "logs", "demo",
)  # fmt: skip
ON_TARGET = [name for name in COMMANDS if name not in {"up", "down", "demo"}]


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run, name):
    result = run(*name.split(), "--help")

    assert result.exit_code == ExitCode.OK
    assert "Usage" in result.output


@pytest.mark.parametrize("name", ON_TARGET)
def test_every_command_that_speaks_to_aws_takes_environment_profile_and_region(run, name):
    output = run(*name.split(), "--help").output

    for option in ("--environment", "--profile", "--region"):
        assert option in output


def test_a_command_that_does_not_exist_is_wrong_usage(run):
    assert run("fly").exit_code == 2


def test_more_samples_than_a_request_may_carry_is_wrong_usage(run):
    assert run("predict", "--sample", "501").exit_code == 2


def test_a_profile_that_does_not_exist_is_a_matter_of_credentials(aws, run):
    result = run("status", "--environment", "dev", "--profile", "nobody")

    assert result.exit_code == ExitCode.CREDENTIALS
    assert "nobody" in result.output


def test_without_a_region_the_operator_is_told_to_give_one(aws, run, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    result = run("status", "--environment", "dev")

    assert result.exit_code == ExitCode.CREDENTIALS
    assert "--region" in result.output


def test_a_stack_that_is_not_deployed_is_named_with_the_command_that_deploys_it(target):
    with pytest.raises(NotThereError, match="Fourblocks-test-Foundation is not deployed") as raised:
        target.output("Foundation", "UseCase")

    assert "fourblocks deploy --environment test" in str(raised.value)


def test_a_stack_of_another_version_is_told_by_the_output_it_lacks(foundation):
    with pytest.raises(NotThereError, match="no output Nonsense"):
        foundation.output("Foundation", "Nonsense")


def test_a_stack_that_cloudformation_does_not_know_is_none(aws):
    client = open_target(Address("dev", None, None)).client("cloudformation")
    with Stubber(client) as stubber:
        message = "Stack with id Fourblocks-dev-Foundation does not exist"
        stubber.add_client_error("describe_stacks", "ValidationError", message)

        assert describe_stack(client, "Fourblocks-dev-Foundation") is None


def test_any_other_error_of_cloudformation_is_not_taken_for_an_absent_stack(aws):
    client = open_target(Address("dev", None, None)).client("cloudformation")
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_stacks", "AccessDenied", "not authorised")

        with pytest.raises(ClientError, match="not authorised"):
            describe_stack(client, "Fourblocks-dev-Foundation")


def _client_error(code):
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_client_error("ExpiredToken"), CredentialsError),
        (_client_error("ValidationError"), RefusedError),
        (NoCredentialsError(), CredentialsError),
        (EndpointConnectionError(endpoint_url="https://localhost:4566"), NotThereError),
        (NotThereError("as it is"), NotThereError),
    ],
)
def test_an_error_of_aws_becomes_an_operators_error(error, kind):
    assert type(as_operator_error(error)) is kind


def test_the_exit_codes_are_those_that_the_help_promises():
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "REFUSED": 1,
        "NOT_THERE": 3,
        "CREDENTIALS": 4,
        "MACHINE": 5,
    }


def test_the_variables_of_the_embedded_aws_are_read_from_its_shell_lines():
    text = (
        "# the embedded AWS\nexport AWS_ENDPOINT_URL=https://localhost:1\nexport A='b c'\nnoise\n"
    )

    assert exported(text) == {"AWS_ENDPOINT_URL": "https://localhost:1", "A": "b c"}
