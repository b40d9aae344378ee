"""Pulling a source from a web server and from a bucket, through the function's handler."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BLOCK, NAME = "data_pipeline", "pull_source"


class Site:
    """What a web server gives, and what it was asked."""

    def __init__(self) -> None:
        self.body = b"a,b\n1,2\n"
        self.etag = '"one"'
        self.status = 200
        self.claimed_length: int | None = None
        self.location = ""
        self.silent = threading.Event()
        self.is_silent = False
        self.asked: list[str | None] = []

    @property
    def headers(self) -> dict[str, str]:
        length = len(self.body) if self.claimed_length is None else self.claimed_length
        said = {"Location": self.location, "ETag": self.etag, "Content-Length": str(length)}
        return {name: value for name, value in said.items() if value}


def handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("If-None-Match")
            site.asked.append(known)
            if site.is_silent:
                site.silent.wait(10)
            same = bool(site.etag) and known == site.etag
            self.send_response(304 if same else site.status)
            for name, value in ({} if same else site.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if not same:
                self.wfile.write(site.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    made = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(made))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made, f"http://127.0.0.1:{server.server_port}/exports/a-2013-01.csv?token=x"
    made.silent.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def pull(world, call, monkeypatch):
    monkeypatch.setenv("PULL_LIMIT_BYTES", "1000")
    monkeypatch.setenv("PULL_TIMEOUT_SECONDS", "1")

    def run(uri: str, source: str = "a"):
        return call(BLOCK, NAME, {"source": source, "uri": uri})

    return run


def versions(world) -> list[str]:
    listed = world.s3.list_object_versions(Bucket="raw-lake", Prefix="landing/")
    return [version["Key"] for version in listed.get("Versions", [])]


def state(world, uri: str, source: str = "a"):
    return world.item("metadata", "PULL#demo", f"{source}#{uri}")


def test_a_file_lands_once_and_not_again_while_the_server_says_it_is_the_same(world, pull, site):
    made, uri = site
    first = pull(uri)
    again = pull(uri)

    assert first == {"source": "a", "landed": ["landing/a/a-2013-01.csv"], "unchanged": 0}
    assert again == {"source": "a", "landed": [], "unchanged": 1}
    assert made.asked == [None, '"one"']
    assert versions(world) == ["landing/a/a-2013-01.csv"]
    head = world.s3.head_object(Bucket="raw-lake", Key="landing/a/a-2013-01.csv")
    assert head["Metadata"]["sha256"] == hashlib.sha256(made.body).hexdigest()


@pytest.mark.parametrize("etag", ["", '"another"'])
def test_a_server_without_reliable_etags_lands_the_same_content_once(world, pull, site, etag):
    made, uri = site
    pull(uri)
    made.etag = etag

    assert pull(uri)["unchanged"] == 1
    assert len(versions(world)) == 1


def test_changed_content_lands_as_a_new_version(world, pull, site):
    made, uri = site
    pull(uri)
    made.body, made.etag = b"a,b\n3,4\n", '"two"'

    assert pull(uri)["landed"] == ["landing/a/a-2013-01.csv"]
    assert world.read("raw-lake", "landing/a/a-2013-01.csv") == made.body
    assert len(versions(world)) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": 503}, "the server answers 503"),
        ({"body": b"x" * 1001}, "larger than 1000 bytes"),
        ({"claimed_length": 99}, "8 of 99 bytes came|IncompleteRead"),
        ({"is_silent": True}, "timed out"),
        ({"status": 302, "location": "http://example.com/x.csv"}, "which has no TLS"),
    ],
)
def test_what_cannot_be_fetched_whole_lands_nothing_and_is_remembered(
    world, pull, site, changes, said
):
    made, uri = site
    for name, value in changes.items():
        setattr(made, name, value)

    with pytest.raises(Exception, match=said) as failure:
        pull(uri)
    assert type(failure.value).__name__ == "PullFailedError"
    assert versions(world) == []
    assert state(world, uri)["failure"].endswith(str(failure.value))


def test_a_failure_is_forgotten_once_the_source_is_there_again(world, pull, site):
    made, uri = site
    made.status = 500
    with pytest.raises(Exception, match="500"):
        pull(uri)
    made.status = 200

    assert pull(uri)["landed"]
    assert state(world, uri)["failure"] == ""


def test_an_address_without_a_file_name_is_refused(pull, site):
    _, uri = site
    with pytest.raises(Exception, match="no file name"):
        pull(uri.split("/exports")[0] + "/")


def test_all_under_a_prefix_of_a_bucket_lands_and_only_what_changed_lands_again(world, pull):
    world.s3.create_bucket(Bucket="partner")
    for name in ("2013-01", "2013-02"):
        world.put("partner", f"exports/b-{name}.csv", name.encode())
    world.put("partner", "other/b-2013-03.csv", b"no")

    first = pull("s3://partner/exports/", "b")
    world.put("partner", "exports/b-2013-02.csv", b"corrected")
    world.put("partner", "exports/b-2013-01.csv", b"2013-01")
    second = pull("s3://partner/exports/", "b")

    assert first["landed"] == ["landing/b/b-2013-01.csv", "landing/b/b-2013-02.csv"]
    assert second == {"source": "b", "landed": ["landing/b/b-2013-02.csv"], "unchanged": 1}
    assert world.read("raw-lake", "landing/b/b-2013-02.csv") == b"corrected"


def test_a_bucket_that_is_not_there_is_named_and_remembered(world, pull):
    with pytest.raises(Exception, match=r"s3://nowhere-at-all/x/ .*NoSuchBucket"):
        pull("s3://nowhere-at-all/x/")
    assert "NoSuchBucket" in state(world, "s3://nowhere-at-all/x/")["failure"]
