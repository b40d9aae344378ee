"""The machine that the embedded AWS runs on, as jobs see it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from localcloud.credentials import role_environment
from localcloud.environment import STATE_VARIABLE
from localcloud.images import resolve
from localcloud.jobs.host import Host

KEPT = ("AWS_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


@cache
def this_machine() -> Host:
    """Describe this machine, from what the daemon was started with."""
    folder = Path(os.environ[STATE_VARIABLE]) / "jobs"
    return Host(folder, _aws_settings, resolve)


def _aws_settings(role_arn: str, service: str, session_name: str) -> dict[str, str]:
    everything = role_environment(role_arn, service, session_name)
    return {name: value for name, value in everything.items() if name.startswith(KEPT)}
