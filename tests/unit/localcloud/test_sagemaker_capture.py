"""Data capture writes files as AWS does: where they lie, what their lines say."""

from __future__ import annotations

import base64
import json
import re

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker.capture import Capture, Exchange

JSON = "application/json"
ASKED = Exchange(b'{"a": 1}', JSON, b"1,2", "text/csv", "id-1", "trace=1")


class FakeS3:
    """Objects by bucket and key; it may refuse."""

    def __init__(self, *, refusing: bool = False):
        self.objects = {}
        self.refusing = refusing

    def put_object(self, *, Bucket, Key, Body):  # noqa: N803 - boto3's
        if self.refusing:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")
        self.objects[f"{Bucket}/{Key}"] = Body


def capture(s3: FakeS3, *modes: str, percent: int = 100, **header: list[str]) -> Capture:
    config = {
        "DestinationS3Uri": "s3://bucket/captured/",
        "InitialSamplingPercentage": percent,
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
        "CaptureContentTypeHeader": header,
    }
    return Capture("endpoint-1", config, lambda: s3)


def lines(s3: FakeS3) -> list[dict]:
    return [json.loads(line) for body in s3.objects.values() for line in body.splitlines()]


def test_a_variants_records_lie_under_endpoint_variant_and_hour():
    s3 = FakeS3()
    captured = capture(s3, "Output", CsvContentTypes=["text/csv"])
    captured.record("blue", ASKED, mirrored=False)
    captured.record("blue", ASKED, mirrored=False)
    captured.record("green", ASKED, mirrored=True)
    captured.write()
    pattern = (
        r"bucket/captured/endpoint-1/(blue|green)/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-.*jsonl"
    )
    assert len(s3.objects) == 2
    assert all(re.fullmatch(pattern, key) for key in s3.objects)
    first, _, third = lines(s3)
    output = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "1,2", "encoding": "CSV"}
    assert first["captureData"] == {"endpointOutput": output}
    assert first["eventMetadata"]["inferenceId"] == "id-1"
    assert first["eventMetadata"]["customAttributes"] == ["trace=1"]
    assert "invocationSource" not in first["eventMetadata"]
    assert third["eventMetadata"]["invocationSource"] == "ShadowExperiment"


def test_what_no_header_names_is_base64():
    s3 = FakeS3()
    captured = capture(s3, "InputAndOutput", JsonContentTypes=[JSON])
    captured.record("blue", ASKED, mirrored=False)
    captured.write()
    (record,) = lines(s3)
    data = record["captureData"]
    assert (data["endpointInput"]["encoding"], data["endpointInput"]["data"]) == (
        "JSON",
        '{"a": 1}',
    )
    assert data["endpointOutput"]["encoding"] == "BASE64"
    assert base64.b64decode(data["endpointOutput"]["data"]) == b"1,2"


@pytest.mark.parametrize(("percent", "kept"), [(0, 0), (100, 50)])
def test_the_percentage_chooses(percent, kept):
    s3 = FakeS3()
    captured = capture(s3, "Output", percent=percent)
    for _ in range(50):
        captured.record("blue", ASKED, mirrored=False)
    captured.write()
    assert len(lines(s3)) == kept


def test_a_role_that_may_not_write_loses_the_records_and_says_so(caplog):
    captured = capture(FakeS3(refusing=True), "Output")
    captured.record("blue", ASKED, mirrored=False)
    captured.write()
    assert "data capture of endpoint endpoint-1" in caplog.text
    assert "AccessDenied" in caplog.text
