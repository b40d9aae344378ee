"""Job arguments: what Glue itself reads, and what the script gets."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Read by Glue, and of no meaning to a script.
RESERVED = (
    "--additional-python-modules",
    "--class",
    "--conf",
    "--continuous-log-",
    "--datalake-formats",
    "--enable-",
    "--extra-",
    "--job-bookmark-",
    "--job-language",
    "--python-modules-installer-option",
    "--spark-event-logs-path",
    "--user-jars-first",
)


def script_arguments(arguments: Mapping[str, str], job_name: str, run_id: str) -> list[str]:
    """Build the command line of a script, as Glue does."""
    line = ["--JOB_NAME", job_name, "--JOB_RUN_ID", run_id]
    for name, value in arguments.items():
        if not name.startswith(RESERVED):
            line += [name, value] if value else [name]
    return line


def spark_settings(arguments: Mapping[str, str]) -> dict[str, str]:
    """Read `--conf`: "k=v --conf k2=v2", Glue's way to give more than one."""
    given = re.split(r"\s*--conf\s+", arguments.get("--conf", ""))
    pairs = (item.strip().partition("=") for item in given if item.strip())
    return {name: value for name, _, value in pairs}


def listed(arguments: Mapping[str, str], name: str) -> list[str]:
    """Read an argument that is a comma-separated list."""
    return [item.strip() for item in arguments.get(name, "").split(",") if item.strip()]
