"""A feature group's rows as a table: every version of each record, by month of event time."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from constructs import Construct

from pipeline_code.data_pipeline.contract import FEATURES_PREFIX
from stacks.common.bucket import DataBucket

CATALOG = "AwsDataCatalog"
CATALOG_TYPES = {
    "string": "string",
    "datetime": "string",
    "integer": "bigint",
    "number": "double",
}
ADDED = {"write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
"""What Feature Store adds to a record offline: a query as of a time needs them."""
PARTITIONS = {"year": "2000,2100", "month": "01,12"}
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


class FeatureTable(glue.CfnTable):
    """A table over `features/<feature group>/`; its partitions need no registration."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        fields: Mapping[str, str],
        store: DataBucket,
        database: glue.CfnDatabase,
    ) -> None:
        self._database_name, self._table_name = database.ref, name.replace("-", "_")
        place = store.s3_url_for_object(f"{FEATURES_PREFIX}{name}")
        columns = {column: CATALOG_TYPES[kind] for column, kind in fields.items()} | ADDED
        super().__init__(
            scope,
            construct_id,
            catalog_id=Stack.of(scope).account,
            database_name=self._database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=self._table_name,
                description=f"Offline store of the feature group {name}",
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "parquet", **_projection(place)},
                partition_keys=[_column(key, "string") for key in PARTITIONS],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=f"{place}/",
                    input_format=f"{_PARQUET}.MapredParquetInputFormat",
                    output_format=f"{_PARQUET}.MapredParquetOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe"
                    ),
                    columns=[_column(column, kind) for column, kind in columns.items()],
                ),
            ),
        )

    def location(self) -> dict[str, str]:
        """Say which table this is, as a feature group says it."""
        return {
            "Catalog": CATALOG,
            "Database": self._database_name,
            "TableName": self._table_name,
        }


def _column(name: str, kind: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=kind)


def _projection(place: str) -> dict[str, str]:
    """Let Athena find the months by counting through them."""
    parameters = {"projection.enabled": "true"}
    for name, span in PARTITIONS.items():
        parameters |= {
            f"projection.{name}.type": "integer",
            f"projection.{name}.range": span,
            f"projection.{name}.digits": str(len(span.split(",")[0])),
        }
    folders = "/".join(f"{name}=${{{name}}}" for name in PARTITIONS)
    return {**parameters, "storage.location.template": f"{place}/{folders}"}
