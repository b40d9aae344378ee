"""Proves a release by its API: it answers for held-out entities, with the model that should serve.

``python -m pipeline_code.build_pipeline.verify_job``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from pipeline_code.build_pipeline.block_access import Block, open_block
from pipeline_code.build_pipeline.contract import Variable

SAMPLES = 8
SAMPLES_NAME = "sample_requests.jsonl"
TIMEOUT_SECONDS = 35
OK, BAD_REQUEST, UNAUTHORIZED = 200, 400, 401


class VerificationError(Exception):
    """What was released does not answer as it should."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: Any


class Api:
    """The environment's API of predictions."""

    def __init__(self, block: Block) -> None:
        self._session = block.session
        self._url = f"{_address(block.outputs)}/predictions"

    def ask(self, document: Any, *, signed: bool = True) -> Answer:
        """Send one request."""
        headers = {"Content-Type": "application/json"}
        body = json.dumps(document)
        request = AWSRequest(method="POST", url=self._url, data=body, headers=headers)
        if signed:
            keys = self._session.get_credentials().get_frozen_credentials()
            SigV4Auth(keys, "execute-api", self._session.region_name).add_auth(request)
        verify = os.environ.get("AWS_CA_BUNDLE") or True
        http = URLLib3Session(verify=verify, timeout=TIMEOUT_SECONDS)
        answer = http.send(request.prepare())
        try:
            return Answer(answer.status_code, json.loads(answer.text))
        except ValueError:
            return Answer(answer.status_code, answer.text)


def _address(outputs: Mapping[str, str]) -> str:
    """Give the API's address; an AWS at another address has its APIs under that address."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is None:
        return outputs["ApiUrl"].rstrip("/")
    stage = f"{outputs['ApiId']}/{outputs['ApiStage']}"
    return f"{endpoint.rstrip('/')}/restapis/{stage}/_user_request_"


def check_answers(answer: Answer, asked: int, version: int) -> None:
    """Refuse an answer that is not one probability an instance, by the version that serves.

    Raises:
        VerificationError: it is not.

    """
    if answer.status != OK:
        message = f"The API answered {answer.status}: {answer.body}"
        raise VerificationError(message)
    predictions = answer.body["predictions"]
    probabilities = [each["probability"] for each in predictions]
    if len(probabilities) != asked or not all(0 <= each <= 1 for each in probabilities):
        message = f"{asked} instances were asked about; the answers are {probabilities}"
        raise VerificationError(message)
    if str(answer.body["model_version"]) != str(version):
        message = f"Version {answer.body['model_version']} answers; version {version} serves"
        raise VerificationError(message)


def check_refusals(api: Api) -> None:
    """Refuse an API that takes what it must not take.

    Raises:
        VerificationError: it does.

    """
    for signed, wanted in ((True, BAD_REQUEST), (False, UNAUTHORIZED)):
        answer = api.ask({}, signed=signed)
        if answer.status != wanted:
            message = f"No instances, signed={signed}: answered {answer.status}, not {wanted}"
            raise VerificationError(message)


def samples(block: Block, dataset: Mapping[str, Any]) -> Sequence[Any]:
    """Read held-out instances of a dataset version."""
    bucket, _, key = str(dataset["manifest_uri"]).removeprefix("s3://").partition("/")
    name = f"{key.rpartition('/')[0]}/{SAMPLES_NAME}"
    body = block.session.client("s3").get_object(Bucket=bucket, Key=name)["Body"].read()
    lines = [json.loads(line) for line in body.decode().splitlines() if line.strip()]
    return [each["instance"] for each in lines if each["split"] == "test"][:SAMPLES]


def item(block: Block, table: str, key: Mapping[str, str]) -> dict[str, Any]:
    """Read an item; empty where there is none."""
    resource = block.session.resource("dynamodb").Table(block.outputs[table])
    return dict(resource.get_item(Key=dict(key), ConsistentRead=True).get("Item", {}))


def verify() -> str:
    """Ask the API; say what was proved."""
    block, use_case = open_block("inference", "Inference"), os.environ[Variable.USE_CASE]
    api = Api(block)
    check_refusals(api)
    serving = item(block, "ModelTableName", {"pk": f"MODEL#{use_case}", "sk": "SERVING"})
    dataset = item(block, "MetadataTableName", {"pk": f"DATASET#{use_case}", "sk": "LATEST"})
    if not serving or not dataset:
        return "the API refuses what it must; no model serves yet, so none was asked"
    version = int(serving["version"])
    instances = samples(block, dataset)
    check_answers(api.ask({"instances": instances}), len(instances), version)
    key = {"pk": f"MODEL#{use_case}", "sk": f"V#{version:08d}"}
    commit = item(block, "ModelTableName", key).get("code_commit", "unknown")
    return f"{len(instances)} predictions by model version {version} of commit {commit}"


def main() -> int:
    """Verify the release of this build's environment."""
    try:
        sys.stdout.write(f"{verify()}\n")
    except VerificationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
