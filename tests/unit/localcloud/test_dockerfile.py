"""Dockerfiles are read as Docker reads them; what is not understood is refused by line."""

import pytest

from localcloud.docker.dockerfile import (
    DockerError,
    argument_values,
    assignments,
    command,
    parse,
    substitute,
    words,
)


def test_stages_have_bases_names_and_instructions():
    first, second = parse(
        "ARG TAG=3.11\nFROM --platform=linux/amd64 python:${TAG} AS build\n"
        "RUN pip \\\n  install x\n# a comment\nFROM python\ncopy --from=build /a /b",
        {},
    )

    assert (first.base, first.name) == ("python:3.11", "build")
    assert [(i.keyword, i.text, i.line) for i in first.instructions] == [
        ("RUN", "pip  install x", 3)
    ]
    assert (second.base, second.name) == ("python", "1")
    assert second.instructions[0].keyword == "COPY"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no FROM"),
        ("RUN x\nFROM y", "line 1: RUN before FROM"),
        ("FROM a b c", "line 1: cannot read FROM a b c"),
        ("FROM a\n\nONBUILD x", "line 3: ONBUILD is not supported; supported are ADD, ARG"),
    ],
)
def test_what_is_not_understood_is_named(text, message):
    with pytest.raises(DockerError, match=message):
        parse(text, {})


def test_an_argument_is_what_was_given_or_its_default():
    assert argument_values('A="x y"', {}) == {"A": "x y"}
    assert argument_values("A=x", {"A": "given"}) == {"A": "given"}
    assert argument_values("A", {}) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A/${A}", "1/1"),
        ("${B:-2}", "2"),
        ("${A:-2}", "1"),
        ("${A:+set}${B:+set}", "set"),
        (r"\$A", "$A"),
        ("$B", "$B"),
    ],
)
def test_variables_are_replaced(text, value):
    assert substitute(text, {"A": "1"}) == value


def test_commands_have_a_shell_form_and_a_json_form():
    assert command('["python", "a b"]') == ("python", "a b")
    assert command("python x") == ("/bin/sh", "-c", "python x")
    assert words("a 'b c'") == ["a", "b c"]


def test_variables_are_set_in_either_form():
    assert assignments('A=1 B="2 3"') == {"A": "1", "B": "2 3"}
    assert assignments("A 1 2") == {"A": "1 2"}
