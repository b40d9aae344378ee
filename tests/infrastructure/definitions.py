"""Reads state machines and policies out of templates, as far as their text is literal."""

from __future__ import annotations

import json
from collections.abc import Iterator


def text_of(value) -> str:
    """Join a template value into text; a reference stands as `<name>`."""
    if isinstance(value, str):
        return value
    if "Fn::Sub" in value:
        return value["Fn::Sub"]
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(text_of(part) for part in parts)
    return f"<{_name_of(value)}>"


def _name_of(value) -> str:
    if "Ref" in value:
        return value["Ref"]
    if "Fn::GetAtt" in value:
        return ".".join(value["Fn::GetAtt"])
    if "Fn::FindInMap" in value:
        mapping, _, name = value["Fn::FindInMap"]
        return f"{mapping}.{name}"
    return text_of(value["Fn::ImportValue"])


MACHINES = {
    "DataPipeline": ("DataPipeline", ""),
    "Inference": ("Inference", "Deployment"),
    "Decisions": ("Inference", "Decisions"),
    "TrainingPipeline": ("TrainingPipeline", ""),
}
"""Each state machine: its stack, and how its logical id begins."""


def machine_of(synthesis, name: str) -> dict:
    """Find a state machine by its name among ours."""
    block, prefix = MACHINES[name]
    machines = synthesis.resources(block, "AWS::StepFunctions::StateMachine")
    (machine,) = (node for logical, node in machines.items() if logical.startswith(prefix))
    return machine


def template_of(synthesis, name: str) -> dict:
    """Find the template that a state machine stands in."""
    return synthesis.templates[MACHINES[name][0]]


def definition_of(machine: dict) -> dict:
    """Parse a state machine's definition."""
    return json.loads(text_of(machine["Properties"]["DefinitionString"]))


def states_of(definition: dict) -> Iterator[tuple[str, dict]]:
    """Walk all states, those inside of a Map too."""
    for name, state in definition["States"].items():
        yield name, state
        for inner in ("ItemProcessor", "Iterator"):
            if inner in state:
                yield from states_of(state[inner])


def tasks_of(definition: dict) -> dict[str, dict]:
    """All task states by name."""
    return {name: state for name, state in states_of(definition) if state["Type"] == "Task"}


def statements_of(template: dict, role_id: str) -> list[tuple[set[str], list[str]]]:
    """What a role is allowed: actions and resources of each statement of its policies."""
    allowed = []
    for node in template["Resources"].values():
        if node["Type"] != "AWS::IAM::Policy":
            continue
        if {"Ref": role_id} not in node["Properties"]["Roles"]:
            continue
        for statement in node["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            allowed.append(
                (set(_listed(statement["Action"])), _texts(_listed(statement["Resource"])))
            )
    return allowed


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]


def _texts(values: list) -> list[str]:
    return [text_of(value) for value in values]
