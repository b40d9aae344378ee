"""Job arguments, as Glue's own `awsglue.utils` hands them to a script."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


class GlueArgumentError(Exception):
    """A script asked for an argument that the job was not given."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # raises instead of exiting
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802
    """Find the values of named options in a command line; each of them must be there."""
    parser = _Parser(allow_abbrev=False)
    for option in options:
        parser.add_argument(f"--{option}", required=True)
    for reserved in ("JOB_NAME", "JOB_RUN_ID", "TempDir"):
        if reserved not in options:
            parser.add_argument(f"--{reserved}")
    known, _ = parser.parse_known_args(args[1:])
    return {name: value for name, value in vars(known).items() if value is not None}
