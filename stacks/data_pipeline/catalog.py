"""The catalog: a database and a table per raw source, generated from the use case's contracts."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from pipeline_code.data_pipeline.contract import LANDING_PREFIX
from pipeline_code.use_case import SourceContract, UseCase


class SourceCatalog(Construct):
    """What Athena and Spark find the landed files by."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        database_name: str,
        use_case: UseCase,
        raw_lake: s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                # Queries are written against this name, so it must be known beforehand.
                name=database_name,
                description=f"Raw sources of the use case {use_case.name}",
            ),
        )
        tables = Construct(self, "Tables")
        for source in use_case.sources.values():
            self._table(tables, source, raw_lake)

    def _table(self, scope: Construct, source: SourceContract, raw_lake: s3.IBucket) -> None:
        """Describe one source; the id is its name, which is literal in its contract."""
        glue.CfnTable(
            scope,
            source.name.replace("_", " ").title().replace(" ", ""),
            catalog_id=Stack.of(self).account,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=source.name,
                description=source.description,
                table_type="EXTERNAL_TABLE",
                parameters={
                    "classification": source.format,
                    "skip.header.line.count": "1",
                    "contract_version": str(source.version),
                },
                storage_descriptor=_storage(source, raw_lake),
            ),
        )


def _storage(
    source: SourceContract, raw_lake: s3.IBucket
) -> glue.CfnTable.StorageDescriptorProperty:
    return glue.CfnTable.StorageDescriptorProperty(
        location=raw_lake.s3_url_for_object(f"{LANDING_PREFIX}{source.name}/"),
        input_format="org.apache.hadoop.mapred.TextInputFormat",
        output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        serde_info=glue.CfnTable.SerdeInfoProperty(
            serialization_library="org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            parameters={"field.delim": ",", "serialization.null.format": source.null_value},
        ),
        columns=[
            glue.CfnTable.ColumnProperty(name=name, type=kind, comment=comment)
            for name, kind, comment in source.glue_columns
        ],
    )
