"""The catalog: a database, and a table for every zone that the use case's contracts describe."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from constructs import Construct

from lambdas.inference.contract import (
    DECISION_COLUMNS,
    DECISION_ROWS_PREFIX,
    DECISION_TABLE,
    PREDICTION_COLUMNS,
    PREDICTION_ROWS_PREFIX,
    PREDICTION_TABLE,
)
from pipeline_code.data_pipeline.contract import (
    ANALYTICS_PREFIX,
    DATASET_TABLE,
    LABEL_COLUMNS,
    LABEL_ROWS_PREFIX,
    LABEL_TABLE,
    LANDING_PREFIX,
    QUARANTINE_COLUMNS,
    QUARANTINE_PREFIX,
    QUARANTINE_TABLE,
)
from pipeline_code.use_case import UseCase
from stacks.data_pipeline.catalog_table import JSON, PARQUET, TableShape, by_day, quoted_csv
from stacks.foundation.buckets import Buckets


class Catalog(Construct):
    """What Athena and Spark find the zones' files by.

    Tables are described here; the partitions of those that have any, and the table of the dataset
    versions, whose columns the job decides, are registered by the runs that write them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        database_name: str,
        use_case: UseCase,
        buckets: Buckets,
    ) -> None:
        super().__init__(scope, construct_id)
        self._use_case = use_case
        self._buckets = buckets
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                # Queries are written against this name, so it must be known beforehand.
                name=database_name,
                description=f"All zones of the use case {use_case.name}",
            ),
        )
        sources = Construct(self, "Tables")
        for name, shape in self._sources().items():
            self._table(sources, name, shape)
        zones = Construct(self, "Zones")
        for name, shape in self._zones().items():
            self._table(zones, name, shape)
        serving = Construct(self, "Serving")
        for name, shape in self._serving().items():
            self._table(serving, name, shape)

    def _table(self, scope: Construct, name: str, shape: TableShape) -> None:
        """Describe a table; the id is its name, which is literal in its contract."""
        glue.CfnTable(
            scope,
            name.replace("_", " ").title().replace(" ", ""),
            catalog_id=Stack.of(self).account,
            database_name=self.database.ref,
            table_input=shape.table_input(name),
        )

    def _sources(self) -> dict[str, TableShape]:
        """Shape each raw source's table: all text, by place, as the files came."""
        return {
            source.name: TableShape(
                description=source.description,
                location=self._buckets.raw_lake.s3_url_for_object(
                    f"{LANDING_PREFIX}{source.name}/"
                ),
                storage=quoted_csv(),
                columns=source.glue_columns,
                parameters={
                    "skip.header.line.count": "1",
                    "contract_version": str(source.version),
                    "null_value": source.null_value,
                },
            )
            for source in self._use_case.sources.values()
        }

    def _zones(self) -> dict[str, TableShape]:
        analytics = self._buckets.analytics
        shapes = {
            QUARANTINE_TABLE: TableShape(
                description="Broken records and files, with the rule that each breaks.",
                location=self._buckets.raw_lake.s3_url_for_object(QUARANTINE_PREFIX),
                storage=JSON,
                columns=tuple((name, kind, "") for name, kind in QUARANTINE_COLUMNS.items()),
                keys=("source", "run"),
            ),
            LABEL_TABLE: TableShape(
                description="Outcomes by entity, with the time since when each is known.",
                location=analytics.s3_url_for_object(LABEL_ROWS_PREFIX),
                storage=PARQUET,
                columns=tuple((name, kind, "") for name, kind in LABEL_COLUMNS.items()),
                keys=("bucket",),
            ),
        }
        for table in self._use_case.analytics.values():
            shapes[table.name] = TableShape(
                description=table.description,
                location=analytics.s3_url_for_object(f"{ANALYTICS_PREFIX}{table.name}/"),
                storage=PARQUET,
                columns=tuple((c.name, c.glue_type, c.comment) for c in table.columns),
                keys=("dataset",),
            )
        return shapes

    def _serving(self) -> dict[str, TableShape]:
        """Shape what the API leaves, by day; Athena finds the days by counting through them."""
        tables = (
            (PREDICTION_TABLE, PREDICTION_COLUMNS, PREDICTION_ROWS_PREFIX, "Every prediction."),
            (DECISION_TABLE, DECISION_COLUMNS, DECISION_ROWS_PREFIX, "Every entity's decision."),
        )
        return {
            name: by_day(
                description=description,
                location=self._buckets.analytics.s3_url_for_object(prefix),
                columns=columns,
            )
            for name, columns, prefix, description in tables
        }

    @property
    def run_tables(self) -> tuple[str, ...]:
        """Names of the tables whose partitions runs register."""
        return (DATASET_TABLE, *self._zones())

    def arns(self, *tables: str) -> list[str]:
        """Name tables, their database and the catalog, as grants on tables need it."""
        stack, database = Stack.of(self), self.database.ref
        resources = [("catalog", None), ("database", database)]
        resources += [("table", f"{database}/{table}") for table in tables]
        return [
            stack.format_arn(service="glue", resource=kind, resource_name=name)
            for kind, name in resources
        ]
