"""Lambda that a schedule calls for each source that is to be pulled."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.data_pipeline.contract import PullSourceRequest, PullSourceResponse
from lambdas.data_pipeline.pull_source.adapters import (
    BucketFiles,
    DynamoPullStates,
    S3LandingZone,
)
from lambdas.data_pipeline.pull_source.logic import pull_source
from lambdas.data_pipeline.pull_source.web import WebFiles

LOGGER = JsonLogger("pull_source")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    raw_lake_bucket: str
    metadata_table: str
    pull_limit_bytes: int
    pull_timeout_seconds: int


@cache
def _settings() -> Settings:
    return read_settings(Settings, os.environ)


def lambda_handler(event: PullSourceRequest, _context: object) -> PullSourceResponse:
    """Land what is new of a source."""
    settings = _settings()
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    response = pull_source(
        event,
        WebFiles(event["source"], settings.pull_limit_bytes, settings.pull_timeout_seconds),
        BucketFiles(s3, event["source"], settings.pull_limit_bytes),
        S3LandingZone(s3, settings.raw_lake_bucket),
        DynamoPullStates(dynamodb, settings.metadata_table, settings.use_case),
        utc_now,
    )
    LOGGER.info("source pulled", uri=event["uri"], **response)
    return response
