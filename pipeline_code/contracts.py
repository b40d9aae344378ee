"""Contracts at the command line: ``python -m pipeline_code.contracts check|accept|document NAME``.

``check`` fails when the lock is not that of the contracts; ``accept`` writes the lock, unless a
change breaks without a higher version; ``document`` prints the contracts as Markdown.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from pipeline_code.contract_document import document
from pipeline_code.contract_lock import LOCK_FILE, accepted, read_lock, spell
from pipeline_code.use_case import UseCaseError, load_use_case, read_use_case
from pipeline_code.yaml_node import PACKAGE


def check(use_case: str) -> str:
    """Say that the lock is current, or raise."""
    loaded = load_use_case(use_case)
    if accepted(use_case, loaded.lockable()) != read_lock(use_case):
        raise UseCaseError(
            f"{PACKAGE}/{use_case}/{LOCK_FILE}: is not that of the contracts; accept them:"
            f" python -m pipeline_code.contracts accept {use_case}"
        )
    return f"{use_case}: the contracts are those that were accepted.\n"


def accept(use_case: str) -> str:
    """Write the lock of the contracts as they are now, or raise."""
    lock = accepted(use_case, read_use_case(use_case).lockable())
    before = read_lock(use_case)
    path = Path(str(files(f"{PACKAGE}.{use_case}").joinpath(LOCK_FILE)))
    path.write_text(spell(lock), encoding="utf-8")
    changed = [
        f"{name} version {contract['version']}"
        for name, contract in lock.items()
        if contract != before.get(name)
    ]
    gone = [f"{name} is gone" for name in before if name not in lock]
    return f"{use_case}: accepted {', '.join(changed + gone) or 'what was accepted before'}.\n"


def describe(use_case: str) -> str:
    """Write the contracts as Markdown."""
    return document(load_use_case(use_case))


COMMANDS = {"check": check, "accept": accept, "document": describe}


def main() -> None:
    """Read the arguments and run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline_code.contracts")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("use_case", metavar="NAME", help="a folder of use_cases/")
    arguments = parser.parse_args()
    try:
        sys.stdout.write(COMMANDS[arguments.command](arguments.use_case))
    except UseCaseError as error:
        raise SystemExit(f"contracts: {error}") from error


if __name__ == "__main__":
    main()
