"""A build specification is read as CodeBuild reads it, and its artefacts' patterns match alike."""

from __future__ import annotations

import pytest

from localcloud.codebuild.build_files import BuildFilesError, fetch_source, matching, unpack
from localcloud.codebuild.buildspec import Artefact, BuildspecError, parse

SPECIFICATION = """
version: 0.2
env:
  shell: bash
  variables: {GREETING: hello, STRICT: true}
  exported-variables: [VERSION]
phases:
  build:
    commands: [make]
    finally: [make tidy]
  install:
    on-failure: CONTINUE
    runtime-versions: {python: 3.13}
    commands: [pip install .]
reports:
  unit: {files: ["*.xml"], base-directory: out}
artifacts:
  files: ["**/*"]
  exclude-paths: ["node_modules/**/*"]
cache: {paths: ["node_modules/**/*"]}
"""


def test_every_part_is_read_and_phases_come_in_their_order():
    found = parse(SPECIFICATION)

    assert [phase.name for phase in found.phases] == ["install", "build"]
    assert [phase.on_failure for phase in found.phases] == ["CONTINUE", "CONTINUE"]
    assert found.phases[1].finally_commands == ["make tidy"]
    assert found.variables == {"GREETING": "hello", "STRICT": "true"}
    assert found.exported == ["VERSION"]
    assert found.reports[0].group == "unit"
    assert found.cache_paths == ["node_modules/**/*"]


@pytest.mark.parametrize("phase", ["install", "pre_build", "post_build"])
def test_a_failed_phase_ends_the_build_unless_told_otherwise(phase):
    found = parse(f"version: 0.2\nphases: {{{phase}: {{commands: [a]}}}}")

    assert found.phases[0].on_failure == "ABORT"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "no YAML"),
        ("- a", "a mapping"),
        ("version: 0.1\nphases: {build: {commands: [a]}}", "version is 0.1; allowed: 0.2"),
        ("version: 0.2", "at least one of install"),
        ("version: 0.2\nphases: {deploy: {commands: [a]}}", r"phases.deploy .*allowed: install"),
        ("version: 0.2\nphases: {build: {commands: a}}", r"phases.build.commands is 'a'.*a list"),
        ("version: 0.2\nphases: {build: {command: [a]}}", "phases.build.command is"),
        ("version: 0.2\nbatch: {}\nphases: {build: {commands: [a]}}", "batch is .*does not offer"),
        (
            "version: 0.2\nenv: {shell: fish}\nphases: {build: {commands: [a]}}",
            "env.shell is 'fish'",
        ),
        (
            "version: 0.2\nphases: {build: {on-failure: STOP, commands: [a]}}",
            "phases.build.on-failure is 'STOP'; allowed: ABORT, CONTINUE",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text, words):
    with pytest.raises(BuildspecError, match=words):
        parse(text)


@pytest.fixture
def tree(tmp_path):
    for name in ("a.txt", "one/b.txt", "one/two/c.txt", "one/two/d.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "excluded", "found"),
    [
        (["**/*"], [], ["a.txt", "one/b.txt", "one/two/c.txt", "one/two/d.py"]),
        (["*"], [], ["a.txt"]),
        (["one/*"], [], ["one/b.txt"]),
        (["one/**/*"], [], ["one/b.txt", "one/two/c.txt", "one/two/d.py"]),
        (["**/*.txt"], ["one/two/**/*"], ["a.txt", "one/b.txt"]),
        (["./one/two/d.py"], [], ["one/two/d.py"]),
    ],
)
def test_patterns_match_as_in_codebuild(tree, patterns, excluded, found):
    artefact = Artefact(patterns, excluded, "", discard_paths=False, name="")

    assert sorted(name for _, name in matching(tree, artefact)) == found


def test_paths_can_be_discarded_and_start_below_a_base_directory(tree):
    artefact = Artefact(["**/*.txt"], [], "one", discard_paths=True, name="")

    assert sorted(name for _, name in matching(tree, artefact)) == ["b.txt", "c.txt"]


def test_a_pattern_without_a_file_is_an_error(tree):
    artefact = Artefact(["*.zip"], [], "", discard_paths=False, name="")

    with pytest.raises(BuildFilesError, match=r"no matching artifact paths found for '\*.zip'"):
        list(matching(tree, artefact))


def test_a_source_that_is_no_zip_is_refused(tree, tmp_path):
    with pytest.raises(BuildFilesError, match="no zip"):
        unpack(tree / "a.txt", tmp_path / "out")


def test_a_source_of_another_kind_is_refused_by_name(tmp_path):
    with pytest.raises(BuildFilesError, match="type GITHUB; it has S3 and NO_SOURCE"):
        fetch_source(None, {"type": "GITHUB"}, tmp_path)
