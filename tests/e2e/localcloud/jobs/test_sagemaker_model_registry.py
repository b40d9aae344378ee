"""Model package groups and packages, models made of them, and products of the Marketplace."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

HERE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
PRODUCT = "arn:aws:sagemaker:us-east-1:865070037744:{}/somebody-s-forest-1-2"
TEXT = ["text/csv"]


@pytest.fixture(scope="module")
def data(cloud):
    bucket = cloud.bucket()
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"4\n6\n")
    return bucket


@pytest.fixture(scope="module")
def role(cloud, data):
    return cloud.role("sagemaker.amazonaws.com", *bucket_rights(data))


@pytest.fixture(scope="module")
def training(cloud, data, role):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/numbers/"}

    def request(algorithm):
        return {
            "TrainingJobName": cloud.name("registry"),
            "RoleArn": role,
            "AlgorithmSpecification": {"TrainingInputMode": "File", **algorithm},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{data}/models"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }

    return request


@pytest.fixture(scope="module")
def artefact(cloud, training, wait_until):
    sagemaker = cloud.client("sagemaker")
    request = training({"TrainingImage": cloud.image})
    sagemaker.create_training_job(**request)
    job = wait_until(
        lambda: sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"]),
        lambda job: job["TrainingJobStatus"] == "Completed",
    )
    return job["ModelArtifacts"]["S3ModelArtifacts"]


@pytest.fixture
def group(cloud):
    name = cloud.name("Weather-model")
    cloud.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=name,
        ModelPackageGroupDescription="knows the weather",
        Tags=[{"Key": "team", "Value": "one"}],
    )
    return name


@pytest.fixture
def register(cloud, group, artefact):
    def create(client=None, **more):
        container = {"Image": cloud.image, "ModelDataUrl": artefact}
        answer = (client or cloud.client("sagemaker")).create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": TEXT,
                "SupportedResponseMIMETypes": TEXT,
            },
            **more,
        )
        return answer["ModelPackageArn"]

    return create


def test_a_package_is_described_with_what_it_was_registered_with(cloud, group, register, artefact):
    sagemaker = cloud.client("sagemaker")
    report = {"ContentType": "application/json", "S3Uri": "s3://reports/evaluation.json"}
    arn = register(
        ModelPackageDescription="the first",
        ModelMetrics={"ModelQuality": {"Statistics": report}},
        CustomerMetadataProperties={"digest": "abc"},
    )
    assert arn == f"{HERE}:model-package/{group.lower()}/1"
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (package["ModelPackageGroupName"], package["ModelPackageVersion"]) == (group, 1)
    assert package["ModelPackageStatus"] == "Completed"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"] == report
    assert package["CustomerMetadataProperties"] == {"digest": "abc"}
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == artefact
    assert container["ImageDigest"].startswith("sha256:")
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupArn"] == f"{HERE}:model-package-group/{group.lower()}"
    assert described["ModelPackageGroupDescription"] == "knows the weather"
    tags = sagemaker.list_tags(ResourceArn=described["ModelPackageGroupArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "one"}]


def test_versions_are_gapless_under_concurrency_and_never_given_twice(cloud, group, register):
    sagemaker = cloud.client("sagemaker")
    with ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(lambda _: register(), range(12)))
    assert sorted(int(arn.rsplit("/", 1)[1]) for arn in arns) == list(range(1, 13))
    sagemaker.delete_model_package(ModelPackageName=f"{HERE}:model-package/{group.lower()}/12")
    assert register().endswith("/13")
    with pytest.raises(ClientError, match="has 12 Model Packages"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_a_token_registers_once(register):
    assert register(ClientToken="one") == register(ClientToken="one") != register()


def test_approval_and_metadata_are_updated_and_found(cloud, group, register):
    sagemaker = cloud.client("sagemaker")
    first, second = register(CustomerMetadataProperties={"a": "1", "b": "2"}), register()
    sagemaker.update_model_package(
        ModelPackageArn=first,
        ModelApprovalStatus="Approved",
        ApprovalDescription="better on every slice",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    package = sagemaker.describe_model_package(ModelPackageName=first)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == "better on every slice"
    assert package["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert package["LastModifiedTime"] >= package["CreationTime"]
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)
    summaries = listed["ModelPackageSummaryList"]
    assert [each["ModelPackageArn"] for each in summaries] == [second, first]
    approved = sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved"
    )["ModelPackageSummaryList"]
    assert [each["ModelPackageVersion"] for each in approved] == [1]


def test_an_approved_package_serves(cloud, role, register, wait_until):
    sagemaker, name = cloud.client("sagemaker"), cloud.name("packaged")
    arn = register()
    request = {
        "ModelName": name,
        "ExecutionRoleArn": role,
        "PrimaryContainer": {"ModelPackageName": arn, "Environment": {"FLAVOUR": "sweet"}},
    }
    with pytest.raises(ClientError, match="only an Approved one can be deployed"):
        sagemaker.create_model(**request)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.create_model(**request)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(
        lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"],
        lambda status: status == "InService",
    )
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"1")
    told = json.loads(answer["Body"].read())
    assert (told["constant"], told["flavour"]) == (5, "sweet")
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_unknown_group_package_or_image_is_named(cloud, register):
    sagemaker = cloud.client("sagemaker")
    with pytest.raises(ClientError, match="model-package-group/nothing does not exist"):
        sagemaker.list_model_packages(ModelPackageGroupName="nothing")
    with pytest.raises(ClientError, match="model-package/nothing/1 does not exist"):
        sagemaker.describe_model_package(ModelPackageName=f"{HERE}:model-package/nothing/1")
    unpushed = {"Image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/nothing:1"}
    with pytest.raises(ClientError, match=r"nothing:1 not found"):
        sagemaker.create_model_package(
            ModelPackageName="alone",
            InferenceSpecification={
                "Containers": [unpushed],
                "SupportedContentTypes": TEXT,
                "SupportedResponseMIMETypes": TEXT,
            },
        )


def test_a_caller_needs_the_right_to_the_groups_packages(cloud, group, register):
    other = allow("sagemaker:CreateModelPackage", f"{HERE}:model-package/another-group/*")
    with pytest.raises(ClientError, match="sagemaker:CreateModelPackage"):
        register(client=cloud.client("sagemaker", cloud.assume(other)))
    own = allow("sagemaker:CreateModelPackage", f"{HERE}:model-package/{group.lower()}/*")
    assert register(client=cloud.client("sagemaker", cloud.assume(own))).endswith("/1")


def test_a_product_of_the_marketplace_is_checked_and_refused_with_the_reason(cloud, role, training):
    sagemaker = cloud.client("sagemaker")
    algorithm = PRODUCT.format("algorithm")
    with pytest.raises(ClientError, match=r"not subscribed .* cannot run its products"):
        sagemaker.create_training_job(**training({"AlgorithmName": algorithm}))
    with pytest.raises(ClientError, match="cannot be given together"):
        sagemaker.create_training_job(
            **training({"AlgorithmName": algorithm, "TrainingImage": cloud.image})
        )
    with pytest.raises(ClientError, match="neither the ARN of an algorithm nor"):
        sagemaker.create_training_job(**training({"AlgorithmName": "my-algorithm"}))
    package = PRODUCT.format("model-package")
    with pytest.raises(ClientError, match=r"not subscribed .* cannot run its products"):
        sagemaker.create_model(
            ModelName=cloud.name("product"),
            ExecutionRoleArn=role,
            PrimaryContainer={"ModelPackageName": package},
        )


def test_a_stack_makes_a_group_changes_its_policy_and_deletes_it(cloud, wait_until):
    stacks, sagemaker = cloud.client("cloudformation"), cloud.client("sagemaker")
    name, stack = cloud.name("stacked"), cloud.name("Registry")

    def template(action):
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": action,
            "Resource": f"{HERE}:model-package-group/{name}",
        }
        group = {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {
                "ModelPackageGroupName": name,
                "ModelPackageGroupDescription": "from a template",
                "ModelPackageGroupPolicy": {"Version": "2012-10-17", "Statement": [statement]},
                "Tags": [{"Key": "team", "Value": "two"}],
            },
        }
        arn = {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}}
        return json.dumps({"Resources": {"Group": group}, "Outputs": {"Arn": arn}})

    def done():
        described = wait_until(
            lambda: stacks.describe_stacks(StackName=stack)["Stacks"][0],
            lambda each: not each["StackStatus"].endswith("IN_PROGRESS"),
        )
        assert described["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), described
        return described

    def policy():
        found = sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
        return json.loads(found["ResourcePolicy"])["Statement"][0]["Action"]

    stacks.create_stack(StackName=stack, TemplateBody=template("sagemaker:CreateModelPackage"))
    assert done()["Outputs"][0]["OutputValue"] == f"{HERE}:model-package-group/{name}"
    assert policy() == "sagemaker:CreateModelPackage"
    stacks.update_stack(StackName=stack, TemplateBody=template("sagemaker:DescribeModelPackage"))
    wait_until(policy, lambda action: action == "sagemaker:DescribeModelPackage")
    done()
    stacks.delete_stack(StackName=stack)
    wait_until(
        lambda: sagemaker.list_model_package_groups(NameContains=name),
        lambda listed: listed["ModelPackageGroupSummaryList"] == [],
    )
