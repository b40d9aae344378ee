"""The embedded feature store: records a second written and looked up, beside its DynamoDB."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from bench.figures import report

FEATURES = 60
WRITERS = 4
GROUP = TABLE = "measured"
AT = "2013-01-01T00:00:00Z"


def run(state: str, command: str, *options: str) -> str:
    """Run a command of the embedded AWS."""
    words = [sys.executable, "-m", "localcloud", command, "--state", state, *options]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def client(service: str) -> Any:
    """Make a client that does not check what it sends: the service does."""
    config = Config(max_pool_connections=WRITERS, parameter_validation=False)
    return boto3.client(service, config=config, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def prepare() -> None:
    """Make a feature group, online only, and a table."""
    names = ["id", "at", *(f"f{number}" for number in range(FEATURES))]
    client("sagemaker").create_feature_group(
        FeatureGroupName=GROUP,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[
            {"FeatureName": name, "FeatureType": "Fractional" if name[0] == "f" else "String"}
            for name in names
        ],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def values(number: int) -> dict[str, str]:
    """Give one record's features."""
    shares = {f"f{place}": repr(number + place / 7) for place in range(FEATURES)}
    return {"id": str(number), "at": AT, **shares}


def entry(number: int) -> dict[str, object]:
    """Spell a record for the feature store."""
    record = [{"FeatureName": k, "ValueAsString": v} for k, v in values(number).items()]
    return {"FeatureGroupName": GROUP, "Record": record}


def item(number: int) -> dict[str, object]:
    """Spell the same for DynamoDB."""
    return {"PutRequest": {"Item": {key: {"S": value} for key, value in values(number).items()}}}


def per_second(count: int, size: int, call: Callable[[Sequence[int]], object]) -> float:
    """Make calls for so many records each, from several threads; tell the rate."""

    def batches() -> Iterator[Sequence[int]]:
        return (range(first, min(first + size, count)) for first in range(0, count, size))

    started = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(call, batches()))
    return count / (time.perf_counter() - started)


def measure(count: int) -> None:
    """Write and look up, each beside DynamoDB with the same values."""
    records, dynamodb = client("sagemaker-featurestore-runtime"), client("dynamodb")
    source = f"{count} records of {FEATURES} numbers, {WRITERS} writers"
    peer = "DynamoDB of the same embedded AWS"
    written = per_second(
        count, 25, lambda part: records.batch_write_record(Entries=[entry(n) for n in part])
    )
    items = per_second(
        count,
        25,
        lambda part: dynamodb.batch_write_item(RequestItems={TABLE: [item(n) for n in part]}),
    )
    report("feature records written", written, "/s", against=peer, peer=items, source=source)
    read = per_second(
        count,
        100,
        lambda part: records.batch_get_record(
            Identifiers=[
                {
                    "FeatureGroupName": GROUP,
                    "RecordIdentifiersValueAsString": [str(n) for n in part],
                }
            ]
        ),
    )
    gotten = per_second(
        count,
        100,
        lambda part: dynamodb.batch_get_item(
            RequestItems={TABLE: {"Keys": [{"id": {"S": str(n)}} for n in part]}}
        ),
    )
    report("feature records looked up", read, "/s", against=peer, peer=gotten, source=source)


def main() -> None:
    """Start an embedded AWS of its own, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000, help="how many are written and read")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        run(state, "up", "--port", "auto")
        try:
            os.environ.update(json.loads(run(state, "env", "--json")))
            prepare()
            measure(arguments.records)
        finally:
            run(state, "down")


if __name__ == "__main__":
    main()
