"""What served at a moment, read from what the ledger says of deployments."""

from __future__ import annotations

import pytest

from cli.errors import RefusedError
from cli.model_deployments import moment, serving_at


def entry(event, version, at):
    return {"event_type": event, "subject": f"v{version}", "at": at}


ENTRIES = [
    entry("model_deployed", 1, "2026-01-01T10:00:00.000Z"),
    entry("model_deployed", 2, "2026-01-02T10:00:00.000Z"),
    entry("deployment_failed", 3, "2026-01-03T10:00:00.000Z"),
    entry("model_deployed", 1, "2026-01-04T10:00:00.000Z"),
    entry("model_rolled_back", 2, "2026-01-04T10:00:00.001Z"),
]


@pytest.mark.parametrize(
    ("at", "version"),
    [
        ("2026-01-01T09:59", None),
        ("2026-01-01T10:00", "v1"),
        ("2026-01-03T12:00+01:00", "v2"),
        ("2026-01-05", "v1"),
    ],
)
def test_the_last_deployment_before_a_moment_served_then(at, version):
    found = serving_at(ENTRIES, moment(at))
    assert (found and found["subject"]) == version


def test_what_is_no_moment_is_refused_by_its_value():
    with pytest.raises(RefusedError, match="'yesterday'"):
        moment("yesterday")
