"""What the data pipeline's roles are granted, and which of it was used so far."""

from __future__ import annotations

import fnmatch
import json
from typing import Any, NamedTuple

BLOCK = "Fourblocks-local-DataPipeline-"
SUFFIX_LENGTH = 13
REMEMBERED = "remembered_grants.json"


class Grant(NamedTuple):
    """One action on one resource, of a role named as in the template."""

    role: str
    action: str
    resource: str


class Acknowledgement(NamedTuple):
    """Why grants, given by patterns, are right though no test of the journey uses them."""

    role: str
    action: str
    resource: str
    reason: str

    def covers(self, grant: Grant) -> bool:
        """Tell whether a grant is among those that are meant."""
        pairs = zip(self[:3], grant, strict=True)
        return all(fnmatch.fnmatchcase(value, pattern) for pattern, value in pairs)


def granted(platform) -> set[Grant]:
    """Read the policies of the roles that are deployed now."""
    iam = platform.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    found: set[Grant] = set()
    for name in names:
        if not name.startswith(BLOCK):
            continue
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            found |= _of_document(_template_name(name), document)
    return found


def remember_grants(platform) -> None:
    """Keep the grants of now for the end of the journey, when their roles may be gone."""
    file = platform.project / REMEMBERED
    file.write_text(json.dumps(sorted(granted(platform))))


def all_grants(platform) -> set[Grant]:
    """Give the grants of now and those that were remembered."""
    file = platform.project / REMEMBERED
    remembered = json.loads(file.read_text()) if file.exists() else []
    return granted(platform) | {Grant(*each) for each in remembered}


def unused(platform) -> set[Grant]:
    """Give the grants that no decision of the embedded AWS rests on."""
    lines = (platform.state / "decisions.jsonl").read_text().splitlines()
    used = {
        (_template_name(_role(each["principal"])), each["action"].lower(), each["resource"])
        for each in map(json.loads, lines)
        if each["decision"] == "Allow"
    }
    return {grant for grant in all_grants(platform) if not any(_uses(grant, u) for u in used)}


def _uses(grant: Grant, used: tuple[str, str, str]) -> bool:
    role, action, resource = used
    return (
        (role, action) == (grant.role, grant.action.lower())
        # A log group's own name stands for its streams too.
        and any(
            fnmatch.fnmatchcase(resource, pattern)
            for pattern in (grant.resource, f"{grant.resource}:log-stream:*")
        )
    )


def _of_document(role: str, document: dict[str, Any]) -> set[Grant]:
    return {
        Grant(role, action, resource)
        for statement in document["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _role(principal: str) -> str:
    return principal.partition(":assumed-role/")[2].split("/", 1)[0]


def _template_name(role: str) -> str:
    """Drop the stack's name and the suffix by which CloudFormation makes a name unique."""
    return role.removeprefix(BLOCK)[:-SUFFIX_LENGTH].rstrip("-")
