"""Objects by URI: a local folder and S3 behave alike."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from pipeline_code.data_pipeline.storage import HEAD_BYTES, Storage, storage_of

REGION = "us-east-1"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch):
    """A versioned bucket."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="lake")
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        yield s3


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of an empty place to write to."""
    if request.param == "file":
        return f"file://{tmp_path}/a%20place/"
    request.getfixturevalue("bucket")
    return "s3://lake/a place/"


@pytest.fixture
def storage(place: str) -> Storage:
    return storage_of(place)


def test_what_is_written_is_read(storage: Storage, place: str):
    storage.write(f"{place}folder/file", b"first")
    storage.write(f"{place}folder/file", b"second")

    assert storage.read(f"{place}folder/file") == b"second"


def test_the_head_is_no_more_than_the_first_bytes(storage: Storage, place: str):
    storage.write(f"{place}large", bytes(HEAD_BYTES) + b"rest")
    storage.write(f"{place}small", b"small")

    assert storage.head(f"{place}large") == bytes(HEAD_BYTES)
    assert storage.head(f"{place}small") == b"small"


def test_what_is_written_once_stays(storage: Storage, place: str):
    assert storage.write_once(f"{place}manifest", b"first") is True
    assert storage.write_once(f"{place}manifest", b"second") is False

    assert storage.read(f"{place}manifest") == b"first"


def test_a_copy_outlives_what_it_was_made_of(storage: Storage, place: str):
    storage.write(f"{place}landing/file", b"delivered")
    storage.copy(f"{place}landing/file", f"{place}staging/deep/file")
    storage.delete_all(f"{place}landing/")

    assert storage.read(f"{place}staging/deep/file") == b"delivered"


def test_all_below_a_folder_goes_and_nothing_beside_it(storage: Storage, place: str):
    for name in ("run-1/a", "run-1/deep/b", "run-10/c"):
        storage.write(f"{place}{name}", b"content")

    storage.delete_all(f"{place}run-1/")

    assert storage.read(f"{place}run-10/c") == b"content"
    assert storage.write_once(f"{place}run-1/a", b"new") is True


def test_an_empty_folder_is_deleted_in_peace(storage: Storage, place: str):
    storage.delete_all(f"{place}never/written/")

    assert storage.write_once(f"{place}never/written/a", b"new") is True


def test_s3_reads_and_copies_the_version_that_is_asked_for(bucket):
    storage = storage_of("s3://lake/")
    first = bucket.put_object(Bucket="lake", Key="file", Body=b"first")["VersionId"]
    bucket.put_object(Bucket="lake", Key="file", Body=b"second")

    storage.copy("s3://lake/file", "s3://lake/copy", first)

    assert storage.head("s3://lake/file", first) == b"first"
    assert storage.read("s3://lake/copy") == b"first"
    assert storage.read("s3://lake/file") == b"second"


def test_s3_deletes_more_than_one_page_of_objects(bucket):
    for number in range(1003):
        bucket.put_object(Bucket="lake", Key=f"staging/{number}", Body=b"")

    storage_of("s3://lake/").delete_all("s3://lake/staging/")

    assert bucket.list_objects_v2(Bucket="lake")["KeyCount"] == 0


def test_s3_errors_other_than_a_taken_name_are_raised(bucket):
    with pytest.raises(bucket.exceptions.NoSuchBucket):
        storage_of("s3://nowhere/").write_once("s3://nowhere/file", b"")


def test_another_scheme_is_refused():
    with pytest.raises(ValueError, match="the scheme is 'ftp', must be s3 or file"):
        storage_of("ftp://host/file")
