"""The catalog's partitions in Glue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline_code.data_pipeline.contract import DATASET_TABLE


class GluePartitions:
    """Partitions of the table of dataset versions."""

    def __init__(self, client: Any, database: str) -> None:
        self._client = client
        self._database = database

    def forget(self, dataset_id: str) -> None:
        """Drop the partitions of a version; a catalog without them is content."""
        for values in self._partitions(dataset_id):
            self._drop(values)

    def _partitions(self, dataset_id: str) -> list[Sequence[str]]:
        try:
            pages = self._client.get_paginator("get_partitions").paginate(
                DatabaseName=self._database,
                TableName=DATASET_TABLE,
                Expression=f"dataset = '{dataset_id}'",
            )
            found = [each["Values"] for page in pages for each in page["Partitions"]]
        except self._client.exceptions.EntityNotFoundException:
            return []
        return [values for values in found if values[0] == dataset_id]

    def _drop(self, values: Sequence[str]) -> None:
        try:
            self._client.delete_partition(
                DatabaseName=self._database, TableName=DATASET_TABLE, PartitionValues=list(values)
            )
        except self._client.exceptions.EntityNotFoundException:
            return
