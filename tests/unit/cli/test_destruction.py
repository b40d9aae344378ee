"""What is left of an environment is found by name and tag; what is kept is told apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cli.destruction import (
    buckets_that_go,
    empty,
    kept_resources,
    remove_logs,
    stop_endpoints,
    stop_jobs,
    tell,
)
from cli.errors import RefusedError
from cli.leftovers import Leftover, left
from cli.target import Target
from tests.unit.cli.aws_answers import AnsweringSession

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
NAT = "arn:aws:ec2:us-east-1:123456789012:natgateway/nat-1"
EMPTY = {
    "cloudformation.DescribeStacks": {"Stacks": []},
    "sagemaker.ListEndpoints": {"Endpoints": []},
    "sagemaker.ListTrainingJobs": {"TrainingJobSummaries": []},
    "sagemaker.ListProcessingJobs": {"ProcessingJobSummaries": []},
    "sagemaker.ListTransformJobs": {"TransformJobSummaries": []},
    "sagemaker.ListFeatureGroups": {"FeatureGroupSummaries": []},
    "s3.ListBuckets": {"Buckets": []},
    "dynamodb.ListTables": {"TableNames": []},
    "dynamodb.ListBackups": {"BackupSummaries": []},
    "logs.DescribeLogGroups": {"logGroups": []},
    "emr-serverless.ListApplications": {"applications": []},
    "resourcegroupstaggingapi.GetResources": {"ResourceTagMappingList": []},
    "kms.DescribeKey": {"KeyMetadata": {"KeyId": "1", "KeyState": "PendingDeletion"}},
}


def of(environment="dev", **answers):
    named = {name.replace("__", ".").replace("_", "-"): value for name, value in answers.items()}
    return Target(environment=environment, session=AnsweringSession({**EMPTY, **named}))


def stack(name, status="CREATE_COMPLETE"):
    return {"StackName": name, "CreationTime": NOW, "StackStatus": status}


def endpoint(name):
    return {
        "EndpointName": name,
        "EndpointArn": "arn:aws:sagemaker:us-east-1:1:endpoint/x",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "EndpointStatus": "InService",
    }


def job(name):
    return {
        "TrainingJobName": name,
        "TrainingJobArn": "arn",
        "CreationTime": NOW,
        "TrainingJobStatus": "InProgress",
    }


def application(name, state):
    return {
        "id": "1",
        "name": name,
        "arn": "arn:aws:emr-serverless:us-east-1:123456789012:/applications/0123456789",
        "releaseLabel": "emr-7.11.0",
        "type": "SPARK",
        "state": state,
        "createdAt": NOW,
        "updatedAt": NOW,
    }


def tagged(arn):
    return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": []}]}


def test_where_nothing_is_left_nothing_is_found():
    assert left(of()) == []


@pytest.mark.parametrize(
    ("answers", "kind", "name"),
    [
        (
            {"cloudformation__DescribeStacks": {"Stacks": [stack("Fourblocks-dev-Inference")]}},
            "stack",
            "Fourblocks-dev-Inference",
        ),
        (
            {"sagemaker__ListEndpoints": {"Endpoints": [endpoint("fourblocks-dev-demo")]}},
            "endpoint",
            "fourblocks-dev-demo",
        ),
        (
            {"sagemaker__ListTrainingJobs": {"TrainingJobSummaries": [job("fourblocks-dev-1")]}},
            "training job",
            "fourblocks-dev-1",
        ),
        ({"s3__ListBuckets": {"Buckets": [{"Name": "fourblocks-dev-a"}]}}, "bucket", "dev-a"),
        ({"dynamodb__ListTables": {"TableNames": ["Fourblocks-dev-T"]}}, "table", "dev-T"),
        (
            {
                "dynamodb__ListBackups": {
                    "BackupSummaries": [{"TableName": "Fourblocks-dev-T", "BackupName": "night"}]
                }
            },
            "backup",
            "night",
        ),
        (
            {"logs__DescribeLogGroups": {"logGroups": [{"logGroupName": "Fourblocks-dev-L"}]}},
            "log group",
            "Fourblocks-dev-L",
        ),
        (
            {
                "emr_serverless__ListApplications": {
                    "applications": [application("fourblocks-dev-etl", "STARTED")]
                }
            },
            "EMR application",
            "fourblocks-dev-etl",
        ),
        ({"resourcegroupstaggingapi__GetResources": tagged(NAT)}, "tagged ec2", "nat-1"),
    ],
)
def test_what_is_left_is_found(answers, kind, name):
    (found,) = left(of(**answers))

    assert found.kind == kind
    assert found.name.endswith(name)


def test_another_environments_things_are_none_of_ours():
    others = of(
        cloudformation__DescribeStacks={"Stacks": [stack("Fourblocks-dev2-Inference")]},
        sagemaker__ListEndpoints={"Endpoints": [endpoint("my-fourblocks-dev-copy")]},
        s3__ListBuckets={"Buckets": [{"Name": "fourblocks-prod-a"}]},
        emr_serverless__ListApplications={
            "applications": [application("fourblocks-dev-etl", "TERMINATED")]
        },
    )

    assert left(others) == []


def test_a_key_that_waits_for_its_end_costs_nothing():
    assert left(of(resourcegroupstaggingapi__GetResources=tagged(KEY))) == []

    alive = {"KeyMetadata": {"KeyId": "1", "KeyState": "Enabled"}}
    found = left(of(resourcegroupstaggingapi__GetResources=tagged(KEY), kms__DescribeKey=alive))
    assert found == [Leftover("tagged kms", KEY)]


def test_what_the_configuration_keeps_is_told_apart(capsys):
    bucket, key = Leftover("bucket", "fourblocks-prod-a"), Leftover("tagged kms", KEY)

    tell([bucket, key], {"fourblocks-prod-a": "AWS::S3::Bucket", KEY.rpartition("/")[2]: "Key"})

    with pytest.raises(RefusedError, match="1 things are left"):
        tell([bucket, key], {"fourblocks-prod-a": "AWS::S3::Bucket"})


@pytest.fixture
def deployed(aws):
    """A foundation of two buckets, one that goes with it and one that stays."""
    policies = {"Gone": "Delete", "Kept": "Retain"}
    resources = {
        name: {"Type": "AWS::S3::Bucket", "DeletionPolicy": policy}
        for name, policy in policies.items()
    }
    summaries = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": f"fourblocks-test-{name.lower()}",
            "ResourceType": "AWS::S3::Bucket",
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name in policies
    ]
    answers = {
        "cloudformation.DescribeStacks": {"Stacks": [stack("Fourblocks-test-Foundation")]},
        "cloudformation.GetTemplate": {"TemplateBody": json.dumps({"Resources": resources})},
        "cloudformation.ListStackResources": {"StackResourceSummaries": summaries},
    }
    target = Target(environment="test", session=AnsweringSession(answers, strict=False))
    for summary in summaries:
        target.client("s3").create_bucket(Bucket=summary["PhysicalResourceId"])
    target.client("s3").put_bucket_versioning(
        Bucket="fourblocks-test-gone", VersioningConfiguration={"Status": "Enabled"}
    )
    return target


def test_buckets_that_go_are_emptied_of_all_versions_and_those_that_stay_are_not_touched(deployed):
    (bucket,) = buckets_that_go(deployed)
    client = deployed.client("s3")
    for body in (b"1", b"2"):
        client.put_object(Bucket=bucket, Key="a", Body=body)
    client.delete_object(Bucket=bucket, Key="a")

    empty(deployed, bucket)

    answer = client.list_object_versions(Bucket=bucket)
    assert "Versions" not in answer
    assert "DeleteMarkers" not in answer
    assert kept_resources(deployed) == {"fourblocks-test-kept": "AWS::S3::Bucket"}


def test_an_environment_that_was_never_deployed_keeps_nothing(target):
    assert kept_resources(target) == {}


def test_endpoints_configs_and_models_of_workflows_go_with_the_environment(deployed):
    client = deployed.client("sagemaker")
    role = "arn:aws:iam::123456789012:role/serving"
    for name in ("fourblocks-test-m", "fourblocks-other-m"):
        image = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1"}
        client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=image)
        variant = {
            "VariantName": "v",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)

    assert list(stop_endpoints(deployed)) == ["fourblocks-test-m"] * 3
    assert [each["ModelName"] for each in client.list_models()["Models"]] == ["fourblocks-other-m"]
    assert len(client.list_endpoints()["Endpoints"]) == 1


def test_jobs_under_way_are_stopped_and_nobody_elses():
    jobs = [job("fourblocks-dev-1"), job("other-fourblocks-dev-2")]
    stopped = []
    target = of(
        sagemaker__ListTrainingJobs={"TrainingJobSummaries": jobs},
        sagemaker__StopTrainingJob=lambda params: stopped.append(params["body"]) or {},
    )

    assert list(stop_jobs(target)) == ["fourblocks-dev-1"]
    assert [json.loads(body) for body in stopped] == [{"TrainingJobName": "fourblocks-dev-1"}]


def test_log_groups_that_services_made_go_too(target):
    logs = target.client("logs")
    ours = "/aws/sagemaker/Endpoints/fourblocks-test-demo"
    for name in (ours, "/aws/sagemaker/Endpoints/fourblocks-other"):
        logs.create_log_group(logGroupName=name)

    remove_logs(target)

    left_over = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    assert left_over == ["/aws/sagemaker/Endpoints/fourblocks-other"]
