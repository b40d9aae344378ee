"""Decides what the stacker gets, and what need not be trained again."""

from __future__ import annotations

from typing import Protocol

from lambdas.common.claims import Claim, Claims
from lambdas.training_pipeline.contract import (
    CollectMembersRequest,
    CollectMembersResponse,
    TrainedMember,
)
from lambdas.training_pipeline.plan_training.job_inputs import training_channel
from pipeline_code.training_pipeline.contract import (
    CONFIG_CHANNEL,
    DATASET_CHANNEL,
    MEMBER_CHANNEL_PREFIX,
    PREPARED_CHANNEL,
    PREPROCESSING_FOLDER,
)


class MemberCache(Protocol):
    """Where members' artefacts lie, by the digest of all that they were made of."""

    def put(self, cache_key: str, artefact_uri: str) -> None:
        """Remember the artefact of these inputs."""


def collect_members(
    request: CollectMembersRequest, claims: Claims, cache: MemberCache
) -> CollectMembersResponse:
    """Name the stacker's channels; a member that was trained is remembered by its inputs."""
    for member in request["members"]:
        if member["cache_key"]:
            cache.put(member["cache_key"], member["artefact_uri"])
    _note(request, claims)
    folder = f"{request['prepared_uri']}/{PREPROCESSING_FOLDER}/"
    return {
        "stack_inputs": [
            training_channel(DATASET_CHANNEL, request["dataset_uri"]),
            training_channel(CONFIG_CHANNEL, request["config_uri"]),
            *([training_channel(PREPARED_CHANNEL, folder)] if request["prepares"] else []),
            *(
                training_channel(MEMBER_CHANNEL_PREFIX + member["name"], member["artefact_uri"])
                for member in request["members"]
            ),
        ]
    }


def _note(request: CollectMembersRequest, claims: Claims) -> None:
    """Keep with the claim how each member came about; the registration writes it down."""
    claim = claims.get(request["training_id"])
    if claim is None or not claim.is_held_by(request["execution_arn"]):
        return  # a reproduction claims nothing
    facts = {**claim.facts, "members": {m["name"]: _facts(m) for m in request["members"]}}
    claims.put(Claim(claim.subject, claim.state, claim.execution_arn, facts), replacing=claim)


def _facts(member: TrainedMember) -> dict[str, object]:
    return {name: value for name, value in member.items() if name != "name"}
