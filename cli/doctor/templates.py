"""Checks of the templates: names that are too long, services that are closed, limits of a stack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cli.assembly import Assembly
from cli.doctor.findings import Finding, fault, well

LIMITS: Mapping[tuple[str, str], int] = {
    ("AWS::ApiGateway::RestApi", "Name"): 255,
    ("AWS::Athena::WorkGroup", "Name"): 128,
    ("AWS::Budgets::Budget", "BudgetName"): 100,
    ("AWS::CodeBuild::Project", "Name"): 150,
    ("AWS::CodePipeline::Pipeline", "Name"): 100,
    ("AWS::DynamoDB::Table", "TableName"): 255,
    ("AWS::ECR::Repository", "RepositoryName"): 256,
    ("AWS::EMRServerless::Application", "Name"): 64,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::Glue::Job", "Name"): 255,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"): 64,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::SageMaker::FeatureGroup", "FeatureGroupName"): 64,
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName"): 63,
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): 80,
}
"""The most characters of a name that a template gives itself."""
RUN_TIME_LIMITS = {
    "stage_name": 100,
    "resource_prefix": 32,
    "endpoint_name": 63,
    "feature_group_prefix": 50,
    "model_package_group": 63,
    "work_group_name": 128,
    "database_name": 255,
}
"""The most characters of a name that workflows give, or of what such names begin with."""
CLOSED = {
    "AWS::SageMaker::MonitoringSchedule": "SageMaker Model Monitor takes no new customers",
    "AWS::SageMaker::*JobDefinition": "SageMaker Model Monitor takes no new customers",
    "AWS::Cloud9::*": "Cloud9 takes no new customers",
    "AWS::CodeStar::*": "CodeStar projects have ended",
    "AWS::DataPipeline::*": "Data Pipeline takes no new customers",
    "AWS::ElasticInference::*": "Elastic Inference has ended",
    "AWS::Evidently::*": "CloudWatch Evidently has ended",
    "AWS::Forecast::*": "Forecast takes no new customers",
    "AWS::LookoutMetrics::*": "Lookout for Metrics has ended",
    "AWS::OpsWorks*": "OpsWorks has ended",
    "AWS::QLDB::*": "QLDB has ended",
    "AWS::RoboMaker::*": "RoboMaker has ended",
    "AWS::Timestream::*": "Timestream for LiveAnalytics takes no new customers",
}
"""Services that a new account cannot use, by resource type."""
MOST_RESOURCES = 500
MOST_BYTES = 1_000_000
PSEUDO = {"AWS::AccountId": 12, "AWS::Region": 14, "AWS::Partition": 3}
"""Characters of what CloudFormation fills in; the longest region has fourteen."""
SHORTEN = "Choose a shorter environment or use case in stacks/config/environments.py"


def names(assembly: Assembly) -> list[Finding]:
    """Look for names that AWS would refuse for their length."""
    found = [
        fault("names", f"{owner}: {length} characters, AWS takes {limit}", SHORTEN)
        for owner, length, limit in (*_declared(assembly), *_run_time(assembly))
        if length > limit
    ]
    return found or well("names", "all short enough")


def _declared(assembly: Assembly) -> Iterator[tuple[str, int, int]]:
    for block, name, node in assembly.resources:
        for (kind, field), limit in LIMITS.items():
            value = (node.get("Properties") or {}).get(field) if node["Type"] == kind else None
            if value is not None:
                yield f"{block}.{name} {field} {_shown(value)}", text_length(value), limit


def _run_time(assembly: Assembly) -> Iterator[tuple[str, int, int]]:
    given = assembly.config["names"]
    for name, limit in RUN_TIME_LIMITS.items():
        yield f"{name} {given[name]}", len(given[name]), limit


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)[:80]


def text_length(value: Any) -> int:
    """Return how long a value gets at most; what another resource gives counts as nothing."""
    match value:
        case str():
            return len(value)
        case {"Ref": str(name)}:
            return PSEUDO.get(name, 0)
        case {"Fn::Sub": str(template)}:
            return len(re.sub(r"\$\{[^}]*\}", "", template))
        case {"Fn::Join": [str(separator), list(parts)]}:
            return len(separator) * (len(parts) - 1) + sum(text_length(part) for part in parts)
    return 0


def closed_services(assembly: Assembly) -> list[Finding]:
    """Look for services that a new account cannot use."""
    found = [
        fault("closed services", f"{block}.{name}: {reason}", f"Take {node['Type']} out")
        for block, name, node in assembly.resources
        for pattern, reason in CLOSED.items()
        if fnmatchcase(node["Type"], pattern)
    ]
    return found or well("closed services", "none is used")


def stack_limits(assembly: Assembly) -> list[Finding]:
    """Look whether CloudFormation takes templates as large as these."""
    remedy = "Split the block, or move what repeats out of the template"
    found = []
    for block, template in assembly.templates.items():
        count, size = len(template["Resources"]), len(json.dumps(template).encode())
        if count > MOST_RESOURCES:
            what = f"{block} has {count} resources, a stack takes {MOST_RESOURCES}"
            found.append(fault("stack limits", what, remedy))
        if size > MOST_BYTES:
            what = f"{block}'s template has {size} bytes, CloudFormation takes {MOST_BYTES}"
            found.append(fault("stack limits", what, remedy))
    return found or well("stack limits", f"{len(assembly.resources)} resources")
