"""The file system that a Spark job sees: uncommitted output stays on disk, a commit uploads it."""

# ruff: noqa: N803 - the fakes take AWS's own parameter names

from __future__ import annotations

import datetime
import json
import threading
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from localcloud.spark_filesystem.filesystem import RunFileSystem
from localcloud.spark_filesystem.object_store import S3Tree
from localcloud.spark_filesystem.server import WebHdfsServer
from localcloud.spark_filesystem.staging import StagingArea, is_uncommitted

TOKEN = "secret"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class FakeBody:
    def __init__(self, content: bytes):
        self.content = content

    def read(self) -> bytes:
        return self.content


class FakePaginator:
    def __init__(self, store):
        self.store = store

    def paginate(self, Bucket, Prefix, Delimiter=None):
        found = {k: v for k, v in self.store.objects.items() if k.startswith(Prefix)}
        if not Delimiter:
            yield {"Contents": [self.store.item(k) for k in found]}
            return
        direct = [k for k in found if "/" not in k[len(Prefix) :]]
        folders = {Prefix + k[len(Prefix) :].split("/")[0] + "/" for k in found if k not in direct}
        yield {
            "Contents": [self.store.item(k) for k in direct],
            "CommonPrefixes": [{"Prefix": f} for f in sorted(folders)],
        }


class FakeS3:
    """One bucket in memory; `denied` names operations that the role may not use."""

    def __init__(self):
        self.objects: dict[str, bytes] = {}
        self.denied: set[str] = set()

    def check(self, operation, key="", *, missing=False):
        code = "AccessDenied" if operation in self.denied else "404" if missing else ""
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    def item(self, key):
        return {"Key": key, "Size": len(self.objects[key]), "LastModified": NOW}

    def head_object(self, Bucket, Key):
        self.check("HeadObject", Key, missing=Key not in self.objects)
        return {"ContentLength": len(self.objects[Key]), "LastModified": NOW}

    def list_objects_v2(self, Bucket, Prefix, MaxKeys):
        self.check("ListObjectsV2")
        return {"KeyCount": len([k for k in self.objects if k.startswith(Prefix)][:MaxKeys])}

    def get_paginator(self, _name):
        return FakePaginator(self)

    def get_object(self, Bucket, Key, Range):
        self.check("GetObject", Key)
        first, last = Range.removeprefix("bytes=").split("-")
        return {"Body": FakeBody(self.objects[Key][int(first) : int(last) + 1])}

    def put_object(self, Bucket, Key, Body):
        self.check("PutObject", Key)
        self.objects[Key] = Body.read()

    def copy(self, source, Bucket, Key, Config):
        self.objects[Key] = self.objects[source["Key"]]

    def delete_objects(self, Bucket, Delete):
        for item in Delete["Objects"]:
            self.objects.pop(item["Key"], None)
        return {}


@pytest.fixture
def s3():
    return FakeS3()


@pytest.fixture
def files(s3, tmp_path):
    return RunFileSystem(S3Tree(s3), StagingArea(tmp_path / "staging"))


def write(files, key: str, content: bytes) -> None:
    file = files.new_file()
    file.write_bytes(content)
    files.write("b", key, file)


def read(files, key: str, offset: int = 0, length: int = -1) -> bytes:
    return b"".join(files.read("b", key, offset, length)[1])


def names(files, key: str) -> list[str]:
    return [entry.name for entry in files.children("b", key)]


def test_output_is_invisible_in_s3_until_it_is_renamed_into_place(s3, files):
    attempt = "out/_temporary/0/_temporary/attempt_1"
    write(files, f"{attempt}/p=1/part-0", b"one")
    write(files, f"{attempt}/p=2/part-0", b"two")
    assert s3.objects == {}
    assert names(files, attempt) == ["p=1", "p=2"]
    assert read(files, f"{attempt}/p=1/part-0") == b"one"
    assert files.rename("b", f"{attempt}/p=1/part-0", "out/p=1/part-0")
    assert s3.objects == {"out/p=1/part-0": b"one"}
    files.delete("b", "out/_temporary")
    assert names(files, "out") == ["p=1"]


def test_a_committed_folder_moves_as_a_whole(s3, files):
    write(files, "out/_temporary/0/task_1/a", b"a")
    write(files, "out/_temporary/0/task_1/deep/b", b"b")
    assert files.rename("b", "out/_temporary/0/task_1", "out/final")
    assert s3.objects == {"out/final/a": b"a", "out/final/deep/b": b"b"}


def test_renaming_what_does_not_exist_fails(files):
    assert not files.rename("b", "out/_temporary/0/nothing", "out/x")
    assert not files.rename("b", "nothing", "x")


def test_objects_are_renamed_by_copy_and_delete(s3, files):
    s3.objects = {"a/1": b"1", "a/b/2": b"2"}
    assert files.rename("b", "a", "c")
    assert s3.objects == {"c/1": b"1", "c/b/2": b"2"}


def test_a_range_of_a_file_can_be_read(s3, files):
    s3.objects["k"] = b"0123456789"
    assert read(files, "k", 3, 4) == b"3456"
    assert read(files, "k", 8) == b"89"


def test_an_empty_directory_lives_as_long_as_the_run(s3, files):
    files.make_directory("b", "new/empty")
    assert files.status("b", "new/empty").is_directory
    assert names(files, "new") == ["empty"]
    assert s3.objects == {}


def test_a_missing_path_is_not_found(files):
    with pytest.raises(FileNotFoundError, match="s3://b/nothing"):
        files.status("b", "nothing")


def test_a_refusal_names_the_action_and_the_key(s3, files):
    s3.objects["k"] = b"1"
    s3.denied = {"GetObject", "PutObject"}
    with pytest.raises(PermissionError, match="s3:GetObject on s3://b/k"):
        read(files, "k")
    with pytest.raises(PermissionError, match="s3:PutObject on s3://b/new"):
        write(files, "new", b"1")
    assert "new" not in s3.objects


def test_only_folders_of_running_jobs_are_uncommitted():
    assert is_uncommitted("out/_temporary/0/x")
    assert is_uncommitted("out/.spark-staging-1/x")
    assert not is_uncommitted("out/temporary/x")


@pytest.fixture
def server(files):
    started = WebHdfsServer(files, TOKEN)
    thread = threading.Thread(target=started.serve_forever, daemon=True)
    thread.start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def call(server):
    def send(method: str, path: str, token: str = TOKEN, body: bytes | None = None):
        url = f"http://127.0.0.1:{server.server_address[1]}/webhdfs/v1/{token}/b/{path}"
        request = urllib.request.Request(url, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    return send


def test_a_file_is_created_listed_opened_and_deleted_over_http(call, s3):
    assert call("PUT", "d/f?op=CREATE&accepted=true", body=b"content")[0] == 201
    assert s3.objects == {"d/f": b"content"}
    status, body = call("GET", "d?op=LISTSTATUS")
    (entry,) = json.loads(body)["FileStatuses"]["FileStatus"]
    assert (status, entry["pathSuffix"], entry["length"]) == (200, "f", 7)
    assert call("GET", "d/f?op=OPEN&offset=3") == (200, b"tent")
    assert json.loads(call("DELETE", "d/f?op=DELETE")[1]) == {"boolean": True}
    assert s3.objects == {}


def test_creating_over_an_existing_file_needs_the_overwrite_flag(call, s3):
    s3.objects["f"] = b"old"
    status, body = call("PUT", "f?op=CREATE&accepted=true", body=b"new")
    remote = json.loads(body)["RemoteException"]
    assert (status, remote["exception"]) == (403, "FileAlreadyExistsException")
    assert call("PUT", "f?op=CREATE&accepted=true&overwrite=true", body=b"new")[0] == 201
    assert s3.objects["f"] == b"new"


@pytest.mark.parametrize(
    ("path", "token", "status", "exception"),
    [
        ("nothing?op=GETFILESTATUS", "secret", 404, "FileNotFoundException"),
        ("x?op=GETFILESTATUS", "guessed", 403, "AccessControlException"),
        ("x?op=GETXATTRS", "secret", 400, "UnsupportedOperationException"),
    ],
)
def test_a_refusal_is_the_exception_that_hadoop_expects(call, path, token, status, exception):
    answered, body = call("GET", path, token)
    assert (answered, json.loads(body)["RemoteException"]["exception"]) == (status, exception)
