"""Lambda of the steps "Catalog run" and "Catalog quarantine"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.documents import S3Documents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.data_pipeline.catalog_run.adapters import Buckets, S3Runs
from lambdas.data_pipeline.catalog_run.glue import GlueCatalog
from lambdas.data_pipeline.catalog_run.logic import catalog_run
from lambdas.data_pipeline.catalog_run.lookups import DynamoLookups
from lambdas.data_pipeline.contract import CatalogRunRequest, CatalogRunResponse

LOGGER = JsonLogger("catalog_run")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    raw_lake_bucket: str
    model_input_bucket: str
    analytics_bucket: str
    analytics_table: str
    metadata_table: str
    database_name: str


@cache
def _wiring() -> partial[CatalogRunResponse]:
    settings = read_settings(Settings, os.environ)
    zones = Buckets(
        settings.raw_lake_bucket, settings.model_input_bucket, settings.analytics_bucket
    )
    return partial(
        catalog_run,
        runs=S3Runs(S3Documents(boto3.client("s3")), zones),
        zones=zones,
        catalog=GlueCatalog(boto3.client("glue"), settings.database_name),
        lookups=DynamoLookups(
            boto3.client("dynamodb"),
            use_case=settings.use_case,
            table=settings.analytics_table,
            metadata_table=settings.metadata_table,
            clock=utc_now,
        ),
    )


def lambda_handler(event: CatalogRunRequest, _context: object) -> CatalogRunResponse:
    """Make known what a run wrote."""
    response = _wiring()(event)
    LOGGER.info("run catalogued", run_id=event["run_id"], **response)
    return response
