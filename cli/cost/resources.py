"""What each resource of a template costs, by its type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.cost.lines import Line
from cli.cost.prices import Prices

STEP_SECONDS = 2.0
"""How long a function of a workflow works; some take less, none of them much more."""
REQUEST_SECONDS = 0.05
"""How long the prediction function works on a request, most of it waiting for the endpoint."""
RUNS = {
    "DataPipeline": "batches",
    "TrainingPipeline": "trainings",
    "Inference": "trainings",
    "BuildPipeline": "pushes",
}
"""What makes a block work, by the field of the usage that counts it."""
SERVES = "serve_predictions"
COMPUTE = {
    "BUILD_GENERAL1_SMALL": "codebuild_minute_small",
    "BUILD_GENERAL1_MEDIUM": "codebuild_minute_medium",
    "BUILD_GENERAL1_LARGE": "codebuild_minute_large",
}

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Month:
    """What the lines of one block rest on."""

    block: str
    config: Mapping[str, Any]
    prices: Prices

    @property
    def usage(self) -> Mapping[str, Any]:
        """Return what the environment's configuration says of a month."""
        usage: Mapping[str, Any] = self.config["usage"]
        return usage

    @property
    def runs(self) -> float:
        """Return how often the block works."""
        return float(self.usage[RUNS[self.block]]) if self.block in RUNS else 0.0

    def line(self, kind: str, quantity: float, price: str, *, idle: bool = False) -> Line:
        """Make a line at a price of the table."""
        return Line(self.block, kind, quantity, self.prices.of(price), idle)


def _function(node: Node, month: Month) -> list[Line]:
    properties = node["Properties"]
    serves = SERVES in str(properties.get("Handler", ""))
    calls = float(month.usage["predictions"]) if serves else month.runs
    seconds = REQUEST_SECONDS if serves else STEP_SECONDS
    gigabytes = properties.get("MemorySize", 128) / 1024
    arm = properties.get("Architectures") == ["arm64"]
    return [
        month.line("Lambda requests", calls, "lambda_request"),
        month.line(
            "Lambda compute",
            calls * seconds * gigabytes,
            f"lambda_gigabyte_second_{'arm' if arm else 'x86'}",
        ),
    ]


def _state_machine(node: Node, month: Month) -> list[Line]:
    written = node["Properties"]["DefinitionString"]
    states = json.dumps(written).count('\\"Type\\":')
    return [month.line("Step Functions transitions", month.runs * states, "state_transition")]


def _glue_job(node: Node, month: Month) -> list[Line]:
    properties = node["Properties"]
    units = properties["NumberOfWorkers"] * month.prices.glue_units(properties["WorkerType"])
    hours = float(month.usage["batches"]) * float(month.usage["batch_minutes"]) / 60
    return [month.line("Glue Spark job", hours * units, "glue_dpu_hour")]


def _emr_application(_node: Node, month: Month) -> list[Line]:
    hours = float(month.usage["batches"]) * float(month.usage["batch_minutes"]) / 60
    workers = month.config["data_pipeline"]["workers"]
    return [
        month.line("EMR Serverless cores", hours * workers * 4, "emr_serverless_vcpu_hour"),
        month.line("EMR Serverless memory", hours * workers * 16, "emr_serverless_gigabyte_hour"),
    ]


def _build_project(node: Node, month: Month) -> list[Line]:
    minutes = month.runs * float(month.usage["build_minutes"])
    compute = COMPUTE[node["Properties"]["Environment"]["ComputeType"]]
    return [month.line("CodeBuild minutes", minutes, compute)]


def _pipeline(node: Node, month: Month) -> list[Line]:
    actions = [action for stage in node["Properties"]["Stages"] for action in stage["Actions"]]
    builds = sum(action["ActionTypeId"]["Provider"] == "CodeBuild" for action in actions)
    minutes = month.runs * builds * float(month.usage["build_minutes"])
    return [month.line("CodePipeline action minutes", minutes, "codepipeline_minute")]


def _feature_group(node: Node, month: Month) -> list[Line]:
    if not (node["Properties"].get("OnlineStoreConfig") or {}).get("EnableOnlineStore"):
        return []
    records = float(month.usage["online_records"])
    return [
        month.line("Feature Store writes", records, "feature_store_write"),
        month.line("Feature Store reads", float(month.usage["predictions"]), "feature_store_read"),
    ]


def _stage(_node: Node, month: Month) -> list[Line]:
    """Price requests of the API of predictions; what people approve are some a month."""
    if month.block != "Inference":
        return []
    return [month.line("API Gateway requests", float(month.usage["predictions"]), "api_request")]


def _alarm(node: Node, month: Month) -> list[Line]:
    bands = any("ANOMALY" in json.dumps(each) for each in node["Properties"].get("Metrics", []))
    price = "cloudwatch_anomaly_alarm" if bands else "cloudwatch_alarm"
    return [month.line("CloudWatch alarms", 1, price, idle=True)]


def _delivery_stream(_node: Node, month: Month) -> list[Line]:
    """Price a stream of predictions; Firehose counts records in steps of 5 KB."""
    gigabytes = float(month.usage["predictions"]) * 5 / 1024**2
    return [month.line("Firehose", gigabytes, "firehose_gigabyte")]


def _each(kind: str, price: str) -> Callable[[Node, Month], list[Line]]:
    """Price a resource that costs the same every month, used or not."""
    return lambda _node, month: [month.line(kind, 1, price, idle=True)]


def _per(kind: str, price: str, field: str) -> Callable[[Node, Month], list[Line]]:
    """Price a resource by one number of the usage."""
    return lambda _node, month: [month.line(kind, float(month.usage[field]), price)]


def _nat_gateway(_node: Node, month: Month) -> list[Line]:
    return [month.line("NAT gateways", month.prices.hours, "nat_gateway_hour", idle=True)]


def _nothing(_node: Node, _month: Month) -> list[Line]:
    """Stand for a type whose cost is in another line: what is stored is counted all together."""
    return []


PRICED: Mapping[str, Callable[[Node, Month], list[Line]]] = {
    "AWS::ApiGateway::Stage": _stage,
    "AWS::Athena::WorkGroup": _per("Athena scans", "athena_gigabyte", "query_gigabytes"),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _each("composite alarms", "cloudwatch_composite_alarm"),
    "AWS::CloudWatch::Dashboard": _each("dashboards", "cloudwatch_dashboard"),
    "AWS::CodeBuild::Project": _build_project,
    "AWS::CodePipeline::Pipeline": _pipeline,
    "AWS::Cognito::UserPool": _per("Cognito users", "cognito_user", "people"),
    "AWS::DynamoDB::Table": _nothing,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::ECR::Repository": _nothing,
    "AWS::EMRServerless::Application": _emr_application,
    "AWS::Glue::Job": _glue_job,
    "AWS::KMS::Key": _each("KMS keys", "kms_key"),
    "AWS::KinesisFirehose::DeliveryStream": _delivery_stream,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _nothing,
    "AWS::S3::Bucket": _nothing,
    "AWS::SNS::Topic": _nothing,
    "AWS::SQS::Queue": _nothing,
    "AWS::SageMaker::FeatureGroup": _feature_group,
    "AWS::SecretsManager::Secret": _each("secrets", "secret"),
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::WAFv2::WebACL": _each("WAF", "waf_acl"),
}


def resource_lines(node: Node, month: Month) -> list[Line] | None:
    """Price one resource; None where the table knows nothing of its type."""
    price = PRICED.get(node["Type"])
    if price is not None:
        return price(node, month)
    return [] if month.prices.is_free(node["Type"]) else None
