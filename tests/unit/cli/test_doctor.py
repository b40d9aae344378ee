"""A healthy environment has no finding; each seeded fault is found, alone, with its remedy."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from typer.testing import CliRunner

from cli.assembly import Assembly
from cli.doctor.command import findings_table
from cli.doctor.examination import Patient, examine
from cli.doctor.machine import Machine
from cli.doctor.templates import text_length
from cli.errors import CredentialsError, RefusedError
from cli.main import app
from stacks.config.__main__ import document
from stacks.config.environments import DEV
from tests.unit.cli.aws_answers import AnsweringSession, Refusal

ACCOUNT = "123456789012"
REGION = "us-east-1"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CONNECTION = f"arn:aws:codeconnections:us-east-1:{ACCOUNT}:connection/x"
GLUE_NAME = "fourblocks_dev_example"
TEMPLATE = {
    "Resources": {
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"DatabaseInput": {"Name": GLUE_NAME}},
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    },
    "Mappings": {"Accounts": {"us-east-1": {"frameworks": "1"}, "eu-west-1": {"frameworks": "2"}}},
}
QUOTAS = {
    "sagemaker": {
        "ml.m5.large for training job usage": 20.0,
        "ml.m5.large for processing job usage": 20.0,
        "ml.t2.medium for endpoint usage": 4.0,
    },
    "lambda": {"Concurrent executions": 1000.0},
}
ABSENT = Refusal("ValidationError", "Stack with id x does not exist")


def quota_page(params, quotas=QUOTAS):
    service = params["body"]
    code = json.loads(service)["ServiceCode"]
    found = [{"QuotaName": name, "Value": value} for name, value in quotas[code].items()]
    return {"Quotas": found}


HEALTHY = {
    "sts.GetCallerIdentity": {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me"},
    "sts.AssumeRole": {},
    "account.GetRegionOptStatus": {"RegionName": REGION, "RegionOptStatus": "ENABLED_BY_DEFAULT"},
    "ecr.DescribeImages": {"imageDetails": []},
    "ssm.GetParameter": {"Parameter": {"Value": "28"}},
    "s3.HeadBucket": Refusal("404", "Not Found", 404),
    "service-quotas.ListAWSDefaultServiceQuotas": quota_page,
    "service-quotas.ListServiceQuotas": {"Quotas": []},
    "codeconnections.GetConnection": {"Connection": {"ConnectionStatus": "AVAILABLE"}},
    "codecommit.GetBranch": {},
    "cloudformation.DescribeStacks": ABSENT,
    "glue.GetDatabase": Refusal("EntityNotFoundException", "Database not found"),
}


class Seed:
    """A healthy environment, into which a test puts one fault."""

    def __init__(self, path):
        self.config = {**document(DEV), "account": ACCOUNT, "region": REGION}
        self.template = deepcopy(TEMPLATE)
        self.answers = dict(HEALTHY)
        self.region = REGION
        self.clock = NOW
        self.machine = Machine(path, str(path))
        self.session = self._session
        self.synthesise = self._synthesise

    def _session(self):
        return AnsweringSession(self.answers, self.region, format_datetime(NOW, usegmt=True))

    def _synthesise(self, _):
        return Assembly(self.config, {"DataPipeline": self.template}, 6, ("abc",))

    def examined(self, environment="dev"):
        patient = Patient(
            environment,
            self.session,
            self.machine,
            lambda _: self.config,
            self.synthesise,
            lambda: self.clock,
        )
        return examine(patient)


class FullMachine(Machine):
    """A machine whose disk is full."""

    def free_bytes(self):
        return 1024


def tool(folder, name, says):
    file = folder / name
    file.write_text(f"#!/bin/sh\necho {says}\n")
    file.chmod(0o755)


@pytest.fixture
def seed(tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, says in (("node", "v22.1.0"), ("cdk", "2.1"), ("java", '"17.0.9"')):
        tool(tmp_path, name, says)
    return Seed(tmp_path)


def faults(findings):
    return [each for each in findings if each.state == "fault"]


def test_a_healthy_environment_has_no_finding(seed):
    findings = seed.examined()

    assert {each.state for each in findings} == {"ok"}
    assert len(findings) >= 16


def answers(**changes):
    def put(seed):
        seed.answers.update({name.replace("__", "."): value for name, value in changes.items()})

    return put


def config(part, **values):
    def put(seed):
        seed.config[part] = {**seed.config[part], **values}

    return put


def source(**values):
    return config("build", source=values)


def no_credentials(seed):
    def refuse():
        raise CredentialsError("The profile nobody does not exist")

    seed.session = refuse


def other_region(seed):
    seed.region = "eu-west-1"


def misspelt_region(seed):
    seed.region = "us-esat-1"


def unmapped_region(seed):
    del seed.template["Mappings"]["Accounts"]["us-east-1"]


def slow_clock(seed):
    seed.clock = NOW - timedelta(minutes=10)


def expired_by_clock(seed):
    seed.clock = NOW + timedelta(hours=1)
    date = format_datetime(NOW, usegmt=True)
    seed.answers["sts.GetCallerIdentity"] = Refusal("SignatureDoesNotMatch", "too late", 403, date)


def low_quota(seed):
    granted = {
        "Quotas": [{"QuotaName": "ml.t2.medium for endpoint usage", "Value": 1.0}],
    }
    seed.answers["service-quotas.ListServiceQuotas"] = granted


def long_name(seed):
    seed.config["names"] = {**seed.config["names"], "endpoint_name": "e" * 64}


def long_declared_name(seed):
    name = {"Fn::Join": ["-", ["b" * 51, {"Ref": "AWS::AccountId"}]]}
    seed.template["Resources"]["Bucket"] = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": name},
    }


def closed_service(seed):
    seed.template["Resources"]["Monitor"] = {"Type": "AWS::SageMaker::MonitoringSchedule"}


def too_many_resources(seed):
    role = {"Type": "AWS::IAM::Role"}
    seed.template["Resources"].update({f"Role{number}": role for number in range(500)})


def no_service(seed):
    seed.config["region"] = seed.region = "ap-southeast-7"
    seed.template["Resources"]["Pipeline"] = {"Type": "AWS::CodePipeline::Pipeline"}
    seed.template["Mappings"] = {}


def full_disk(seed):
    seed.machine = FullMachine(seed.machine.folder, seed.machine.path)


def no_node(seed):
    (seed.machine.folder / "node").unlink()


def old_node(seed):
    tool(seed.machine.folder, "node", "v16.1.0")


def no_cdk(seed):
    (seed.machine.folder / "cdk").unlink()


def bad_config(seed):
    def refuse(_):
        raise RefusedError("app.py failed in /project:\nValueError: online_days=0")

    seed.synthesise = refuse


def image_without_docker(seed):
    seed.answers["ecr.DescribeImages"] = Refusal("ImageNotFoundException")


def connected(seed):
    source(kind="code_connections", connection_arn=CONNECTION, owner="team", repository="models")(
        seed
    )


def pending_connection(seed):
    connected(seed)
    pending = {"Connection": {"ConnectionStatus": "PENDING"}}
    seed.answers["codeconnections.GetConnection"] = pending


def somebody_elses_connection(seed):
    connected(seed)
    seed.config["build"]["source"]["connection_arn"] = CONNECTION.replace(ACCOUNT, "9" * 12)


def no_branch(seed):
    source(kind="code_commit", repository="models", branch="main")(seed)
    seed.answers["codecommit.GetBranch"] = Refusal("BranchDoesNotExistException")


def stack(status):
    found = {
        "Stacks": [{"StackName": "x", "CreationTime": NOW, "StackStatus": status}],
    }
    return answers(cloudformation__DescribeStacks=found)


def unbootstrapped_beside_an_old_bucket(seed):
    seed.answers["ssm.GetParameter"] = Refusal("ParameterNotFound")
    seed.answers["s3.HeadBucket"] = Refusal("403", "Forbidden", 403)


SEEDED = [
    (no_credentials, "credentials", "nobody", "aws sso login"),
    (answers(sts__GetCallerIdentity=Refusal("ExpiredToken")), "credentials", "expired", "login"),
    (
        answers(sts__GetCallerIdentity=Refusal("InvalidClientTokenId")),
        "credentials",
        "InvalidClientTokenId",
        "--profile",
    ),
    (
        answers(
            sts__GetCallerIdentity={"Account": "9" * 12, "Arn": "arn:aws:iam::999999999999:user/me"}
        ),
        "account",
        "999999999999",
        ACCOUNT,
    ),
    (other_region, "region", "eu-west-1", "us-east-1"),
    (misspelt_region, "region", "us-esat-1", "us-east-1"),
    (
        answers(account__GetRegionOptStatus={"RegionName": REGION, "RegionOptStatus": "DISABLED"}),
        "region",
        "not opened",
        "enable-region",
    ),
    (slow_clock, "clock", "600 s slow", "timedatectl"),
    (expired_by_clock, "clock", "3600 s fast", "timedatectl"),
    (answers(ssm__GetParameter=Refusal("ParameterNotFound")), "bootstrap", "not", "cdk bootstrap"),
    (answers(ssm__GetParameter={"Parameter": {"Value": "5"}}), "bootstrap", "version is 5", "cdk"),
    (unbootstrapped_beside_an_old_bucket, "bootstrap", "somebody else", "aws s3 rb"),
    (answers(sts__AssumeRole=Refusal("AccessDenied")), "bootstrap", "deploy-role", "AssumeRole"),
    (low_quota, "quotas", "1 granted, 2 needed", "servicequotas"),
    (
        config("inference", instance_type="ml.z9.huge"),
        "quotas",
        "ml.z9.huge for endpoint usage",
        "another instance type",
    ),
    (image_without_docker, "model image", "no Docker", "build pipeline"),
    (unmapped_region, "AWS's images", "no us-east-1", "eu-west-1"),
    (pending_connection, "source", "PENDING", "allow it"),
    (somebody_elses_connection, "source", "999999999999", "Make a connection"),
    (no_branch, "source", "no branch main", "Push"),
    (long_name, "names", "64 characters, AWS takes 63", "shorter"),
    (long_declared_name, "names", "DataPipeline.Bucket", "shorter"),
    (closed_service, "closed services", "DataPipeline.Monitor", "Take"),
    (too_many_resources, "stack limits", "502 resources", "Split"),
    (no_service, "services", "no codepipeline", "another region"),
    (stack("ROLLBACK_COMPLETE"), "stacks", "ROLLBACK_COMPLETE", "delete-stack"),
    (stack("UPDATE_ROLLBACK_FAILED"), "stacks", "FAILED", "continue-update-rollback"),
    (stack("UPDATE_IN_PROGRESS"), "stacks", "IN_PROGRESS", "Wait"),
    (
        answers(glue__GetDatabase={"Database": {"Name": GLUE_NAME}}),
        "leftovers",
        GLUE_NAME,
        "cdk import",
    ),
    (full_disk, "disk", "0.0 GB free", "make clean"),
    (no_node, "tools", "Node is missing", "make setup"),
    (old_node, "tools", "Node 16 is too old", "make setup"),
    (no_cdk, "tools", "cdk", "make setup"),
    (bad_config, "synthesis", "online_days=0", "make synth"),
]


@pytest.mark.parametrize(
    ("put", "check", "words", "remedy"), SEEDED, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_seeded_fault_is_found_and_nothing_else(seed, monkeypatch, put, check, words, remedy):
    monkeypatch.setattr("cli.doctor.region.tool_environment", lambda: {"PATH": seed.machine.path})
    put(seed)

    found = faults(seed.examined())

    assert {each.check for each in found} == {check}
    assert any(words in each.what for each in found), found
    assert any(remedy in each.remedy for each in found), found
    assert all(each.remedy for each in found)


def test_an_image_that_is_not_in_the_registry_is_no_fault_where_docker_can_build_it(seed):
    image_without_docker(seed)
    tool(seed.machine.folder, "docker", "27.0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.doctor.region.tool_environment", lambda: {"PATH": seed.machine.path})

        assert faults(seed.examined()) == []


def test_what_may_not_be_looked_at_is_unknown_and_named(seed):
    refused = Refusal("AccessDeniedException", "no servicequotas:ListAWSDefaultServiceQuotas")
    seed.answers["service-quotas.ListAWSDefaultServiceQuotas"] = refused

    (found,) = [each for each in seed.examined() if each.state != "ok"]

    assert (found.check, found.state) == ("quotas", "unknown")
    assert "servicequotas:ListAWSDefaultServiceQuotas" in found.remedy


def test_a_quota_that_the_account_raised_counts_above_the_default(seed):
    config("training", concurrent_jobs=30)(seed)
    assert [each.check for each in faults(seed.examined())] == ["quotas"]

    raised = {"Quotas": [{"QuotaName": "ml.m5.large for training job usage", "Value": 30.0}]}
    seed.answers["service-quotas.ListServiceQuotas"] = raised

    assert faults(seed.examined()) == []


def test_without_credentials_what_rests_on_them_is_unknown(seed):
    no_credentials(seed)

    findings = seed.examined()

    unknown = {each.check for each in findings if each.state == "unknown"}
    assert {"bootstrap", "quotas", "source"} <= unknown
    assert "without credentials" in next(e.what for e in findings if e.check == "quotas")


def test_the_embedded_aws_is_not_asked_what_it_has_not(seed):
    seed.config |= {"environment": "local", "account": None, "region": None}

    checks = {each.check for each in seed.examined("local")}

    assert {"tools", "stacks", "leftovers"} <= checks
    assert checks.isdisjoint({"bootstrap", "quotas", "source", "model image"})


def test_java_is_wanted_where_spark_runs_on_this_machine(seed):
    tool(seed.machine.folder, "java", '"11.0.2"')
    seed.config |= {"environment": "local", "account": None, "region": None}

    assert faults(seed.examined("dev")) == []
    assert [each.what for each in faults(seed.examined("local"))] == [
        "Java 11 is not Spark's; Spark needs 17 or 21"
    ]


def test_the_checks_run_side_by_side(seed):
    """Nine checks that wait for each other end only if none waits for its turn."""
    from threading import Barrier  # noqa: PLC0415 - used here alone

    from cli.doctor import examination  # noqa: PLC0415 - patched here alone

    barrier = Barrier(len(examination.ON_AWS), timeout=30)

    def meeting(plan):
        barrier.wait()
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examination, "ON_AWS", dict.fromkeys(examination.ON_AWS, meeting))
        assert faults(seed.examined()) == []


def test_faults_stand_above_all_else_with_their_remedies(seed, paper):
    full_disk(seed)

    paper.print(findings_table(seed.examined()))

    lines = paper.file.getvalue().splitlines()
    marks = [line.strip()[0] for line in lines if line.strip()[:1] in {"✘", "✔"}]
    assert marks[0] == "✘"
    assert set(marks[1:]) == {"✔"}
    assert "make clean" in lines[1]


def test_a_fault_ends_the_command_with_one_and_is_in_the_json(seed, monkeypatch):
    full_disk(seed)
    monkeypatch.setattr("cli.doctor.command.examine", lambda _: seed.examined())

    result = CliRunner().invoke(app, ["doctor", "dev", "--json"])

    assert result.exit_code == 1
    written = json.loads(result.stdout[: result.stdout.rindex("]") + 1])
    assert [each["check"] for each in written if each["state"] == "fault"] == ["disk"]


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("abc", 3),
        ({"Ref": "AWS::AccountId"}, 12),
        ({"Fn::Sub": "a-${AWS::Region}"}, 2),
        ({"Fn::Join": ["-", ["ab", {"Ref": "Other"}, "c"]]}, 5),
        ({"Fn::GetAtt": ["a", "Arn"]}, 0),
    ],
)
def test_the_length_of_a_name_counts_what_the_template_knows(value, length):
    assert text_length(value) == length


def test_a_patient_is_what_the_command_makes_of_its_options():
    patient = Patient("dev", lambda: None)

    assert not patient.is_local
    assert replace(patient, environment="local").is_local
