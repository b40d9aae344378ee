"""The shape of a catalog table: where it lies, in which format, with which columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_glue as glue

from lambdas.inference.contract import DAY_COLUMN

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_DAYS = "2026-01-01,NOW"
"""Between which a table by day is looked for."""
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


@dataclass(frozen=True)
class Storage:
    """A file format, as Hive's classes name it."""

    classification: str
    input_format: str
    output_format: str
    serde: str
    parameters: Mapping[str, str] = field(default_factory=dict)


PARQUET = Storage(
    "parquet",
    f"{_PARQUET}.MapredParquetInputFormat",
    f"{_PARQUET}.MapredParquetOutputFormat",
    f"{_PARQUET}.serde.ParquetHiveSerDe",
)
JSON = Storage("json", _TEXT_INPUT, _TEXT_OUTPUT, "org.openx.data.jsonserde.JsonSerDe")


def quoted_csv() -> Storage:
    """Give CSV with quotes, whose columns are text."""
    return Storage(
        "csv",
        _TEXT_INPUT,
        _TEXT_OUTPUT,
        "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"},
    )


@dataclass(frozen=True, kw_only=True)
class TableShape:
    """A table; ``columns`` are name, type and comment, ``keys`` the partition keys (text)."""

    description: str
    location: str
    storage: Storage
    columns: Sequence[tuple[str, str, str]]
    keys: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    def table_input(self, name: str) -> glue.CfnTable.TableInputProperty:
        """Describe the table to CloudFormation."""
        return glue.CfnTable.TableInputProperty(
            name=name,
            description=self.description,
            table_type="EXTERNAL_TABLE",
            parameters={"classification": self.storage.classification, **self.parameters},
            partition_keys=[
                glue.CfnTable.ColumnProperty(name=key, type="string") for key in self.keys
            ],
            storage_descriptor=self._storage_descriptor(),
        )

    def _storage_descriptor(self) -> glue.CfnTable.StorageDescriptorProperty:
        return glue.CfnTable.StorageDescriptorProperty(
            location=self.location,
            input_format=self.storage.input_format,
            output_format=self.storage.output_format,
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library=self.storage.serde,
                parameters=dict(self.storage.parameters),
            ),
            columns=[
                glue.CfnTable.ColumnProperty(name=name, type=kind, comment=comment or None)
                for name, kind, comment in self.columns
            ],
        )


def by_day(*, description: str, location: str, columns: Mapping[str, str]) -> TableShape:
    """Shape JSON lines in a folder a day, which need no registration."""
    return TableShape(
        description=description,
        location=location,
        storage=JSON,
        columns=tuple((name, kind, "") for name, kind in columns.items()),
        keys=(DAY_COLUMN,),
        parameters={
            "projection.enabled": "true",
            f"projection.{DAY_COLUMN}.type": "date",
            f"projection.{DAY_COLUMN}.format": "yyyy-MM-dd",
            f"projection.{DAY_COLUMN}.range": _DAYS,
            "storage.location.template": f"{location}{DAY_COLUMN}=${{{DAY_COLUMN}}}",
        },
    )
