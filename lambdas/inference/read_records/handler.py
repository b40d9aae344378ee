"""Lambda behind the API's reads, and behind every path and method that the API does not have."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.common.api import Answer, ApiRequest, ApiResponse, serve
from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.documented import document, refuse_unknown
from lambdas.inference.read_records.adapters import (
    DynamoHistory,
    DynamoModels,
    DynamoPredictions,
    StoredDatasets,
)
from lambdas.inference.read_records.logic import Records

LOGGER = JsonLogger("read_records")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    prediction_table: str
    metadata_table: str
    ledger_table: str


@cache
def _routes() -> Mapping[tuple[str, str], Answer]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    records = Records(
        models=DynamoModels(DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)),
        predictions=DynamoPredictions(dynamodb, settings.prediction_table, time.time),
        datasets=StoredDatasets(
            dynamodb, settings.metadata_table, settings.use_case, S3Documents(boto3.client("s3"))
        ),
        history=DynamoHistory(dynamodb, settings.ledger_table, settings.use_case),
        document=document,
    )
    return {
        ("GET", "/models"): records.list_models,
        ("GET", "/models/{version}"): records.get_model,
        ("GET", "/deployments"): records.list_deployments,
        ("GET", "/predictions/{prediction_id}/lineage"): records.get_lineage,
        ("GET", "/openapi.json"): records.get_document,
    }


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request."""
    return serve(event, LOGGER, _answer)


def _answer(request: ApiRequest) -> ApiResponse:
    found = _routes().get((request.method, request.resource))
    if found is None:
        raise refuse_unknown(request, document()["paths"])
    return found(request)
