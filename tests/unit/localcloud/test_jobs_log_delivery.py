"""Log lines reach CloudWatch Logs in order, whether or not the group exists."""

# ruff: noqa: N803 - the fakes take AWS's own parameter names

from __future__ import annotations

from botocore.exceptions import ClientError

from localcloud.jobs.log_delivery import LogStream


class FakeLogs:
    """CloudWatch Logs as far as the delivery uses it."""

    def __init__(self, *, denied: bool = False):
        self.groups: set[str] = set()
        self.streams: set[tuple[str, str]] = set()
        self.batches: list[list[str]] = []
        self.denied = denied
        self.exceptions = type(
            "Exceptions",
            (),
            {
                "ResourceNotFoundException": type("NotFound", (Exception,), {}),
                "ResourceAlreadyExistsException": type("Exists", (Exception,), {}),
            },
        )

    def create_log_group(self, logGroupName):
        self.groups.add(logGroupName)

    def create_log_stream(self, logGroupName, logStreamName):
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateLogStream")
        if logGroupName not in self.groups:
            raise self.exceptions.ResourceNotFoundException
        self.streams.add((logGroupName, logStreamName))

    def put_log_events(self, logGroupName, logStreamName, logEvents):
        assert (logGroupName, logStreamName) in self.streams
        self.batches.append([event["message"] for event in logEvents])


def test_lines_arrive_in_order_and_empty_ones_do_not():
    logs = FakeLogs()
    stream = LogStream(logs, "/group", "stream")
    for line in ("one", "", "two"):
        stream.write(line)
    stream.close()
    assert [line for batch in logs.batches for line in batch] == ["one", "two"]


def test_many_lines_go_in_batches():
    logs = FakeLogs()
    stream = LogStream(logs, "/group", "stream")
    for number in range(2500):
        stream.write(str(number))
    stream.close()
    assert sum(len(batch) for batch in logs.batches) == 2500
    assert max(len(batch) for batch in logs.batches) <= 1000


def test_a_refusal_ends_the_delivery_and_says_so(caplog):
    stream = LogStream(FakeLogs(denied=True), "/group", "stream")
    stream.write("lost")
    stream.close()
    assert "log delivery to /group stream stopped" in caplog.text
