"""What real clients see: validation, errors and answers as AWS gives them."""

import json

import pytest
from botocore.exceptions import ClientError

OFTEN = {"Delay": 1, "MaxAttempts": 60}


def test_the_aws_cli_knows_who_it_is(cloud):
    answer = cloud.program("aws", "sts", "get-caller-identity")

    assert json.loads(answer.stdout)["Account"] == "000000000000"


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}, "InvalidAccessKeyId"),
    ],
)
def test_a_wrong_secret_and_a_well_known_key_are_refused(cloud, variables, error):
    answer = cloud.program("aws", "s3", "ls", check=False, **variables)

    assert answer.returncode != 0
    assert error in answer.stderr


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("codepipeline", "list_webhooks", {}),
        ("sagemaker", "list_clusters", {}),
    ],
)
def test_an_operation_that_is_not_supported_is_named(cloud, service, operation, parameters):
    client = cloud.client(service)

    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)

    name = client.meta.method_to_api_mapping[operation]
    assert refused.value.response["Error"]["Code"] == "UnsupportedOperationException"
    assert f"does not support {name}; it supports" in str(refused.value)


def test_every_violation_of_a_request_is_named(cloud):
    answer = cloud.program(
        "aws",
        "sagemaker",
        "describe-training-job",
        "--training-job-name",
        "no_underscores",
        check=False,
    )

    assert "ValidationException" in answer.stderr
    assert "'no_underscores' at 'TrainingJobName' failed to satisfy constraint" in answer.stderr


def test_an_unknown_resource_type_fails_the_stack_by_name(cloud):
    template = {"Resources": {"Odd": {"Type": "AWS::Nonsense::Thing"}}}

    with pytest.raises(ClientError, match="AWS::Nonsense::Thing"):
        cloud.client("cloudformation").create_stack(
            StackName="Odd", TemplateBody=json.dumps(template)
        )


def test_a_table_goes_with_its_stack_and_is_listed_by_no_tag(cloud):
    key = {"AttributeName": "pk"}
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{**key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{**key, "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    }
    name, template = cloud.name("Table"), json.dumps({"Resources": {"Table": table}})
    cloudformation, tagging = (
        cloud.client("cloudformation"),
        cloud.client("resourcegroupstaggingapi"),
    )

    def tagged():
        wanted = [{"Key": "aws:cloudformation:stack-name", "Values": [name]}]
        return tagging.get_resources(TagFilters=wanted)["ResourceTagMappingList"]

    cloudformation.create_stack(StackName=name, TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=OFTEN)
    assert [each["ResourceARN"].split(":")[2] for each in tagged()] == ["dynamodb"]
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=OFTEN)

    assert tagged() == []


def pipeline(build_input="Code"):
    def action(name, category, provider, **artifacts):
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "actionTypeId": kind, **artifacts}

    source = action("Fetch", "Source", "S3", outputArtifacts=[{"name": "Code"}])
    build = action("Make", "Build", "CodeBuild", inputArtifacts=[{"name": build_input}])
    return {
        "name": "conformance",
        "roleArn": "arn:aws:iam::000000000000:role/any",
        "artifactStore": {"type": "S3", "location": "any-bucket"},
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Build", "actions": [build]},
        ],
    }


def test_a_pipeline_is_created_updated_described_and_deleted(cloud):
    client = cloud.client("codepipeline")

    client.create_pipeline(pipeline=pipeline(), tags=[{"key": "team", "value": "ml"}])
    client.update_pipeline(pipeline=pipeline())

    described = client.get_pipeline(name="conformance")
    assert described["pipeline"]["version"] == 2
    arn = described["metadata"]["pipelineArn"]
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"key": "team", "value": "ml"}
    ]
    state = client.get_pipeline_state(name="conformance")
    assert [each["stageName"] for each in state["stageStates"]] == ["Source", "Build"]
    client.delete_pipeline(name="conformance")
    with pytest.raises(client.exceptions.PipelineNotFoundException):
        client.get_pipeline(name="conformance")


def test_a_pipeline_with_an_artifact_nobody_makes_is_refused(cloud):
    client = cloud.client("codepipeline")

    with pytest.raises(client.exceptions.InvalidStructureException, match="Nothing"):
        client.create_pipeline(pipeline=pipeline(build_input="Nothing"))


def test_every_decision_is_logged_with_principal_action_and_resource(cloud):
    cloud.client("s3").list_buckets()

    last = [each for each in cloud.decisions() if each["action"] == "s3:ListAllMyBuckets"][-1]

    assert last["principal"] == "arn:aws:iam::000000000000:root"
    assert last["decision"] == "Allow"
