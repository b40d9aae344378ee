"""Endpoints and their runtime, through boto3."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections import Counter

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

SETTLED = ("InService", "Failed")


@pytest.fixture(scope="module")
def models(cloud):
    bucket = cloud.bucket()
    role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket))
    sagemaker = cloud.client("sagemaker")

    def create(constant: float, flavour: str = "plain", role=role, isolated=False) -> str:
        archive = io.BytesIO()
        content = json.dumps({"constant": constant}).encode()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            entry = tarfile.TarInfo("model.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        name = cloud.name("model")
        cloud.client("s3").put_object(
            Bucket=bucket, Key=f"{name}/model.tar.gz", Body=archive.getvalue()
        )
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role,
            EnableNetworkIsolation=isolated,
            PrimaryContainer={
                "Image": cloud.image,
                "ModelDataUrl": f"s3://{bucket}/{name}/model.tar.gz",
                "Environment": {"FLAVOUR": flavour},
            },
        )
        return name

    return create


@pytest.fixture(scope="module")
def configure(cloud):
    def create(**weights: float) -> str:
        name = cloud.name("config")
        cloud.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": f"on-{model}",
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": weight,
                }
                for model, weight in weights.items()
            ],
        )
        return name

    return create


@pytest.fixture
def settled(cloud, wait_until):
    def wait(name: str):
        return wait_until(
            lambda: cloud.client("sagemaker").describe_endpoint(EndpointName=name),
            lambda endpoint: endpoint["EndpointStatus"] in SETTLED,
        )

    return wait


@pytest.fixture
def deploy(cloud, settled):
    sagemaker = cloud.client("sagemaker")
    names = []

    def create(config: str) -> str:
        names.append(cloud.name("endpoint"))
        sagemaker.create_endpoint(EndpointName=names[-1], EndpointConfigName=config)
        settled(names[-1])
        return names[-1]

    yield create
    for name in names:
        settled(name)
        sagemaker.delete_endpoint(EndpointName=name)


def ask(cloud, endpoint: str, body: bytes = b"{}", **parameters):
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=body, **parameters
    )
    return {**answer, "Body": json.loads(answer["Body"].read())}


def test_an_endpoint_serves_its_model_at_once(cloud, models, configure, deploy):
    config = configure(**{models(4.5): 1})
    started = time.monotonic()
    endpoint = deploy(config)
    assert time.monotonic() - started < 10
    answer = ask(
        cloud,
        endpoint,
        b"12345",
        ContentType="text/csv",
        Accept="application/json",
        CustomAttributes="trace=1",
    )
    told = answer["Body"]
    assert told["constant"] == 4.5
    assert (told["length"], told["content_type"]) == (5, "text/csv")
    assert (told["accept"], told["attributes"]) == ("application/json", "trace=1")
    assert answer["ContentType"] == "application/json"
    assert answer["CustomAttributes"] == "seen"
    assert told["key"].startswith("ASIA")


def test_an_isolated_endpoint_is_reached_and_knows_no_credentials(cloud, models, configure, deploy):
    endpoint = deploy(configure(**{models(4.5, isolated=True): 1}))

    told = ask(cloud, endpoint, b"12345")["Body"]

    assert (told["constant"], told["length"], told["key"]) == (4.5, 5, None)


def test_an_endpoint_describes_what_it_runs(cloud, models, configure, deploy):
    model = models(1)
    config = configure(**{model: 1})
    endpoint = deploy(config)
    told = cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    assert told["EndpointArn"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/{endpoint}"
    assert told["EndpointConfigName"] == config
    (variant,) = told["ProductionVariants"]
    assert variant["VariantName"] == f"on-{model}"
    assert variant["DeployedImages"][0]["SpecifiedImage"] == cloud.image


def test_an_update_never_stops_answering_and_ends_on_the_new_model(
    cloud, models, configure, deploy, settled
):
    endpoint = deploy(configure(**{models(1): 1}))
    slow = threading.Thread(target=ask, args=(cloud, endpoint, b"slow"))
    slow.start()
    config = configure(**{models(2): 1})
    sagemaker = cloud.client("sagemaker")
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    status = "Updating"
    seen = []
    while status == "Updating":
        seen.append(ask(cloud, endpoint)["Body"]["constant"])
        status = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    slow.join()
    assert seen == sorted(seen)
    assert ask(cloud, endpoint)["Body"]["constant"] == 2
    assert settled(endpoint)["EndpointConfigName"] == config


def test_a_failed_update_leaves_the_old_model_serving(cloud, models, configure, deploy, settled):
    good = configure(**{models(1): 1})
    endpoint = deploy(good)
    sick = configure(**{models(2, flavour="sick"): 1})
    cloud.client("sagemaker").update_endpoint(EndpointName=endpoint, EndpointConfigName=sick)
    told = settled(endpoint)
    assert (told["EndpointStatus"], told["EndpointConfigName"]) == ("InService", good)
    assert "did not pass the ping health check" in told["FailureReason"]
    assert ask(cloud, endpoint)["Body"]["constant"] == 1


def test_a_model_that_never_answers_fails_the_endpoint_with_its_last_words(
    cloud, models, configure, deploy
):
    endpoint = deploy(configure(**{models(2, flavour="sick"): 1}))
    told = cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    assert told["EndpointStatus"] == "Failed"
    assert "cannot load the model" in told["FailureReason"]
    assert "cannot load the model" in cloud.log(f"/aws/sagemaker/Endpoints/{endpoint}")


def test_a_model_that_the_role_may_not_read_fails_the_endpoint(cloud, models, configure, deploy):
    powerless = cloud.role("sagemaker.amazonaws.com")
    endpoint = deploy(configure(**{models(2, role=powerless): 1}))
    told = cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    assert told["EndpointStatus"] == "Failed"
    assert "s3:GetObject" in told["FailureReason"]


@pytest.mark.parametrize(
    ("body", "status", "kind"), [(b"bad", 400, "client"), (b"broken", 500, "server")]
)
def test_an_error_of_the_container_is_a_model_error(
    cloud, models, configure, deploy, body, status, kind
):
    endpoint = deploy(configure(**{models(1): 1}))
    runtime = cloud.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as error:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=body)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == ('{"title": "bad"}' if body == b"bad" else "broken")
    assert f"Received {kind} error ({status})" in response["Error"]["Message"]
    assert f"/aws/sagemaker/Endpoints/{endpoint}" in response["LogStreamArn"]


def test_a_container_that_dies_is_started_again(cloud, models, configure, deploy, wait_until):
    endpoint = deploy(configure(**{models(1): 1}))
    with pytest.raises(ClientError, match="ModelError"):
        ask(cloud, endpoint, b"die")

    def recovered():
        try:
            return ask(cloud, endpoint)["Body"]["constant"]
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("ServiceUnavailable", "ModelError")
            return None

    assert wait_until(recovered, lambda constant: constant == 1) == 1


def test_variants_share_requests_by_weight_and_can_be_named(cloud, models, configure, deploy):
    first, second = models(1), models(2)
    endpoint = deploy(configure(**{first: 3, second: 1}))
    answers = Counter(ask(cloud, endpoint)["InvokedProductionVariant"] for _ in range(120))
    assert answers[f"on-{first}"] > answers[f"on-{second}"] > 5
    named = ask(cloud, endpoint, TargetVariant=f"on-{second}")
    assert named["Body"]["constant"] == 2


def test_invocations_are_counted_in_cloudwatch(cloud, models, configure, deploy):
    endpoint = deploy(configure(**{models(1): 1}))
    ask(cloud, endpoint)
    listed = cloud.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker", Dimensions=[{"Name": "EndpointName", "Value": endpoint}]
    )["Metrics"]
    assert {"Invocations", "ModelLatency"} <= {metric["MetricName"] for metric in listed}


def test_invoking_needs_the_permission_on_this_endpoint(cloud, models, configure, deploy):
    endpoint = deploy(configure(**{models(1): 1}))
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint"
    other = cloud.assume(allow("sagemaker:InvokeEndpoint", f"{arn}/other"))
    with pytest.raises(ClientError, match="sagemaker:InvokeEndpoint"):
        cloud.client("sagemaker-runtime", other).invoke_endpoint(EndpointName=endpoint, Body=b"{}")
    this = cloud.assume(allow("sagemaker:InvokeEndpoint", f"{arn}/{endpoint}"))
    answer = cloud.client("sagemaker-runtime", this).invoke_endpoint(
        EndpointName=endpoint, Body=b"{}"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_unknown_endpoint_is_a_validation_error(cloud):
    with pytest.raises(ClientError, match="Endpoint nowhere of account") as error:
        ask(cloud, "nowhere")
    assert error.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="Could not find endpoint"):
        cloud.client("sagemaker").describe_endpoint(EndpointName="nowhere")


def test_a_deleted_endpoint_is_gone_with_its_process(cloud, models, configure, settled, wait_until):
    sagemaker = cloud.client("sagemaker")
    name = cloud.name("endpoint")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(**{models(1): 1}))
    settled(name)
    sagemaker.delete_endpoint(EndpointName=name)

    def names():
        listed = sagemaker.list_endpoints(NameContains=name)["Endpoints"]
        return [endpoint["EndpointName"] for endpoint in listed]

    assert wait_until(names, lambda left: name not in left) == []


def test_a_config_of_an_unknown_model_is_refused(configure):
    with pytest.raises(ClientError, match="Could not find model"):
        configure(unknown=1)


def test_endpoints_serve_again_after_a_restart(cloud, models, configure, deploy, settled):
    endpoint = deploy(configure(**{models(7): 1}))
    cloud.command("down", check=True)
    left = [file.name for file in (cloud.state / "jobs/pids").iterdir()]
    assert left == []
    cloud.command("up", "--port", "auto", check=True)
    told = settled(endpoint)
    assert told["EndpointStatus"] == "InService", told["FailureReason"]
    assert ask(cloud, endpoint)["Body"]["constant"] == 7
