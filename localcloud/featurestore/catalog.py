"""The offline store's table in the Glue Data Catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.featurestore.offline_file import ADDED, CATALOG_TYPES, PARTITIONS
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.scope import Document

DATABASE = "sagemaker_featurestore"
CATALOG = "AwsDataCatalog"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def table_of(name: str, created_at: float, offline: Mapping[str, Any]) -> Document | None:
    """Say which table a feature group has; it may have none."""
    if "DataCatalogConfig" in offline:
        return dict(offline["DataCatalogConfig"])
    if offline.get("DisableGlueTableCreation"):
        return None
    table = f"{name}_{int(created_at)}".replace("-", "_").lower()
    return {"TableName": table, "Catalog": CATALOG, "Database": DATABASE}


def create_table(glue: Any, group: Document) -> None:
    """Make a feature group's table, and Feature Store's own database if it is not there."""
    offline = group["OfflineStoreConfig"]
    where = offline["DataCatalogConfig"]
    try:
        if where["Database"] == DATABASE:
            _create_database(glue)
        glue.create_table(DatabaseName=where["Database"], TableInput=_input(group))
    except ClientError as error:
        raise invalid(f"The table {where['TableName']} cannot be made: {error}") from error


def _create_database(glue: Any) -> None:
    try:
        glue.create_database(DatabaseInput={"Name": DATABASE})
    except glue.exceptions.AlreadyExistsException:
        return


def update_table(glue: Any, group: Document) -> None:
    """Add a feature group's new features to its table."""
    where = group["OfflineStoreConfig"]["DataCatalogConfig"]
    glue.update_table(DatabaseName=where["Database"], TableInput=_input(group))


def _input(group: Document) -> Document:
    offline = group["OfflineStoreConfig"]
    location = offline["S3StorageConfig"]["ResolvedOutputS3Uri"]
    columns = [
        {"Name": each["FeatureName"].lower(), "Type": CATALOG_TYPES[each["FeatureType"]]}
        for each in group["FeatureDefinitions"]
    ]
    columns += [{"Name": name, "Type": kind} for name, kind in ADDED.items()]
    return {
        "Name": offline["DataCatalogConfig"]["TableName"],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE", **_projection(location)},
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in PARTITIONS],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
        },
    }


def _projection(location: str) -> dict[str, str]:
    """Let a query find the partitions without their being listed in the catalog."""
    ranges = {
        "year": f"{_FIRST_YEAR},{_LAST_YEAR}",
        "month": "01,12",
        "day": "01,31",
        "hour": "00,23",
    }
    parameters = {"projection.enabled": "true"}
    for name, span in ranges.items():
        digits = str(len(span.split(",")[0]))
        parameters |= {
            f"projection.{name}.type": "integer",
            f"projection.{name}.range": span,
            f"projection.{name}.digits": digits,
        }
    folders = "/".join(f"{name}=${{{name}}}" for name in PARTITIONS)
    return {**parameters, "storage.location.template": f"{location}/{folders}"}
