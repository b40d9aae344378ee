"""`fourblocks doctor`: what would fail, said in seconds, each with its remedy."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from cli.doctor.examination import Patient, examine
from cli.doctor.findings import Finding
from cli.errors import RefusedError
from cli.screen import console, one_step
from cli.target import Address, open_target

MARKS = {"ok": ("✔", "green"), "fault": ("✘", "red"), "unknown": ("?", "yellow")}


def diagnose(address: Address, *, as_json: bool) -> None:
    """Examine an environment and show what was found.

    Raises:
        RefusedError: something would fail.

    """
    patient = Patient(address.environment, lambda: open_target(address).session)
    if as_json:
        findings = examine(patient)
        console.print_json(json.dumps([finding.document() for finding in findings]))
    else:
        with one_step(f"examine {address.environment}"):
            findings = examine(patient)
        console.print(findings_table(findings))
    faults = [finding for finding in findings if finding.state == "fault"]
    if faults:
        message = f"{len(faults)} of {len(findings)} checks found what would fail."
        raise RefusedError(message)


def findings_table(findings: Sequence[Finding]) -> Table:
    """Lay the findings out: what would fail first."""
    order = ("fault", "unknown", "ok")
    table = Table("", "check", "found", "what to do", box=None)
    for each in sorted(findings, key=lambda finding: order.index(finding.state)):
        mark, style = MARKS[each.state]
        table.add_row(Text(mark, style=style), Text(each.check), Text(each.what), Text(each.remedy))
    return table
