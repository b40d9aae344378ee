"""The catalog in Glue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code
from lambdas.common.errors import DocumentedError
from lambdas.data_pipeline.catalog_run.logic import Partition

_BATCH = 100
"""Partitions that one ``BatchCreatePartition`` takes."""
_EXISTS = "AlreadyExistsException"
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    },
}


class PartitionNotRegisteredError(DocumentedError):
    """The catalog did not take the partition {values} of {table}: {code}: {message}."""


class GlueCatalog:
    """One database of the Glue Data Catalog."""

    def __init__(self, client: Any, database: str) -> None:
        self._client = client
        self._database = database

    def declare(
        self, table: str, columns: Mapping[str, str], keys: Sequence[str], location: str
    ) -> None:
        """Make a Parquet table, or give it these columns."""
        described = [{"Name": name, "Type": kind} for name, kind in columns.items()]
        wanted = {
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": {**_PARQUET, "Columns": described, "Location": location},
        }
        current = self._find(table)
        if current is None:
            self._create(wanted)
        elif _columns(current) != columns:
            self._client.update_table(DatabaseName=self._database, TableInput=wanted)

    def register(self, table: str, partitions: Sequence[Partition]) -> None:
        """Add partitions to a table; those that are there stay as they are."""
        answer = self._client.get_table(DatabaseName=self._database, Name=table)
        storage = answer["Table"]["StorageDescriptor"]
        for start in range(0, len(partitions), _BATCH):
            self._register(table, storage, partitions[start : start + _BATCH])

    def _register(
        self, table: str, storage: Mapping[str, Any], partitions: Sequence[Partition]
    ) -> None:
        answer = self._client.batch_create_partition(
            DatabaseName=self._database,
            TableName=table,
            PartitionInputList=[
                {"Values": list(values), "StorageDescriptor": {**storage, "Location": location}}
                for values, location in partitions
            ],
        )
        for failed in answer.get("Errors", []):
            detail = failed["ErrorDetail"]
            if detail["ErrorCode"] != _EXISTS:
                raise PartitionNotRegisteredError(
                    table=table,
                    values=failed["PartitionValues"],
                    code=detail["ErrorCode"],
                    message=detail.get("ErrorMessage"),
                )

    def _find(self, table: str) -> Any:
        try:
            return self._client.get_table(DatabaseName=self._database, Name=table)["Table"]
        except ClientError as error:
            if error_code(error) != "EntityNotFoundException":
                raise
            return None

    def _create(self, wanted: Mapping[str, Any]) -> None:
        try:
            self._client.create_table(DatabaseName=self._database, TableInput=wanted)
        except ClientError as error:
            # Another run of the same code made it meanwhile.
            if error_code(error) != _EXISTS:
                raise


def _columns(table: Mapping[str, Any]) -> dict[str, str]:
    return {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
