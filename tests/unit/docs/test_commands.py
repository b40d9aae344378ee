"""Every command in the documentation exists, and every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from itertools import dropwhile
from pathlib import Path

import pytest
import typer.main
from click import Context

from cli.main import app

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:make|fourblocks) [a-z][^`]*)`")
EVIDENCE_ROW = re.compile(r"^\|[^|]+\|\s*`([^`]+)`\s*\|", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)[^)]*\)")
TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
PROGRAMS = {"make", "fourblocks", "git", "source", ".venv/bin/pytest", "eval", "python", "cdk"}

MAKE_TARGETS = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


def _commands():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fenced = [
            line.removeprefix("$ ") for block in BLOCK.findall(text) for line in block.splitlines()
        ]
        rows = EVIDENCE_ROW.findall(text) if page.name == "evidence.md" else []
        for command in [*fenced, *INLINE.findall(text), *rows]:
            if command.strip():
                yield pytest.param(command, id=f"{page.name}: {command[:60]}")


def _check_make(words):
    named = [word for word in words[1:] if "=" not in word]
    assert set(named) <= MAKE_TARGETS, f"make has no target {set(named) - MAKE_TARGETS}"


def _check_fourblocks(words):
    group = typer.main.get_command(app)
    context = Context(group, info_name="fourblocks")
    _, command, rest = group.resolve_command(context, words[1:])
    command.make_context(command.name, list(rest), parent=context, resilient_parsing=False)


def _check_path(words):
    paths = [word for word in words[1:] if "/" in word]
    assert all((ROOT / path).exists() for path in paths), paths


CHECKS = {"make": _check_make, "fourblocks": _check_fourblocks, ".venv/bin/pytest": _check_path}


@pytest.mark.parametrize("command", list(_commands()))
def test_a_command_of_the_documentation_exists(command):
    settings = re.compile(r"[A-Z_]+=\S*")
    words = list(dropwhile(settings.fullmatch, shlex.split(command, comments=True)))

    assert words[0] in PROGRAMS
    if words[0] in CHECKS:
        CHECKS[words[0]](words)


def test_the_two_commands_of_the_quick_start_are_in_the_readme():
    assert "```sh\nmake demo\nmake test\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page):
    broken = [
        link
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert broken == []


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda page: page.name
)
def test_every_decision_has_status_context_decision_and_consequences(page):
    text = page.read_text(encoding="utf-8")

    for part in ("\nStatus: ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n"):
        assert part in text


def test_every_row_of_the_evidence_names_its_figure_or_says_that_there_is_none():
    rows = [
        line.strip("|").split("|")
        for line in (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and "`" in line
    ]

    assert rows
    assert all(len(row) == 3 and row[2].strip() for row in rows)
