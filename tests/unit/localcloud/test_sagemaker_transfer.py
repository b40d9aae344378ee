"""Where data lies, in every spelling that SageMaker and CDK use, and archives."""

import io
import tarfile

import pytest

from localcloud.sagemaker.transfer import TransferError, location, pack, unpack


@pytest.mark.parametrize(
    "uri",
    [
        "s3://some.bucket/a/key",
        "https://s3.us-east-1.amazonaws.com/some.bucket/a/key",
        "https://s3-eu-west-1.amazonaws.com/some.bucket/a/key",
        "https://s3.amazonaws.com/some.bucket/a/key",
        "https://s3.cn-north-1.amazonaws.com.cn/some.bucket/a/key",
        "https://some.bucket.s3.us-east-1.amazonaws.com/a/key",
        "https://some.bucket.s3.amazonaws.com/a/key",
    ],
)
def test_an_object_is_found_under_every_spelling(uri):
    assert location(uri) == ("some.bucket", "a/key")


def test_a_whole_bucket_has_an_empty_key():
    assert location("s3://bucket") == location("https://s3.us-east-1.amazonaws.com/bucket/")
    assert location("s3://bucket") == ("bucket", "")


@pytest.mark.parametrize(
    "uri", ["", "s3://", "bucket/key", "https://example.org/s3/key", "https://s3.amazonaws.com"]
)
def test_anything_else_is_refused_with_what_is_allowed(uri):
    with pytest.raises(TransferError, match=r"is not an S3 URI: it is either s3://"):
        location(uri)


def test_an_archive_depends_on_the_content_alone(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file").write_text("same")
        pack(tmp_path / name, tmp_path / f"{name}.tar.gz")

    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../outside"), io.BytesIO())

    with pytest.raises(TransferError, match=r"bad\.tar\.gz cannot be unpacked"):
        unpack(tmp_path / "bad.tar.gz", tmp_path / "folder")


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "bad.tar.gz").write_bytes(b"text")

    with pytest.raises(TransferError, match=r"bad\.tar\.gz cannot be unpacked"):
        unpack(tmp_path / "bad.tar.gz", tmp_path / "folder")
