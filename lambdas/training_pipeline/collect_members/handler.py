"""Lambda of the step "Collect members"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.collect_members.logic import collect_members
from lambdas.training_pipeline.contract import CollectMembersRequest, CollectMembersResponse
from lambdas.training_pipeline.member_cache import DynamoMemberCache
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("collect_members")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str


@cache
def _wiring() -> partial[CollectMembersResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        collect_members,
        claims=training_claims(dynamodb, settings.model_table, settings.use_case),
        cache=DynamoMemberCache(dynamodb, settings.model_table, settings.use_case),
    )


def lambda_handler(event: CollectMembersRequest, _context: object) -> CollectMembersResponse:
    """Gather the members' artefacts for the stacker."""
    response = _wiring()(event)
    names = [member["name"] for member in event["members"]]
    LOGGER.info("members collected", training_id=event["training_id"], members=names)
    return response
