"""Answers in the formats that they are accepted in: whole in JSON, flat rows in tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from pipeline_code.inference.answers import Answer, ok
from pipeline_code.inference.contract import ATTRIBUTES_HEADER, JSON, Prediction
from pipeline_code.inference.media_types import ARROW, CSV, JSON_LINES, PARQUET, MediaType


def answer_with(
    predictions: Sequence[Prediction],
    media_type: MediaType,
    model_version: str,
    members: Sequence[str],
) -> Answer:
    """Write predictions."""
    if media_type.name == JSON:
        document = {"model_version": model_version, "predictions": predictions}
        return ok(msgspec.json.encode(document))
    writers: Mapping[str, Callable[[], bytes]] = {
        JSON_LINES: lambda: b"".join(msgspec.json.encode(one) + b"\n" for one in predictions),
        CSV: lambda: _csv(predictions, members, header=bool(media_type.header)),
        PARQUET: lambda: _parquet(predictions, members),
        ARROW: lambda: _arrow(predictions, members),
    }
    # What is no JSON document says here which version answered: SageMaker passes it on.
    version = ((ATTRIBUTES_HEADER, f"model_version={model_version}"),)
    return ok(writers[media_type.name](), media_type.name)._replace(headers=version)


def column_names(members: Sequence[str]) -> list[str]:
    """Name the columns of a flat answer, in their order."""
    shares = [f"{part}_{name}" for name in members for part in ("probability", "share")]
    return ["probability", "base", *shares, "missing_sources", "flags"]


def _flat(prediction: Prediction, members: Sequence[str]) -> list[Any]:
    absent: Mapping[str, Any] = {}
    shares = [
        prediction["members"].get(name, absent).get(part)
        for name in members
        for part in ("probability", "share")
    ]
    lists = [" ".join(prediction["missing_sources"]), " ".join(prediction.get("flags", []))]
    return [prediction["probability"], prediction["base"], *shares, *lists]


def _csv(predictions: Sequence[Prediction], members: Sequence[str], *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(column_names(members))
    writer.writerows(_flat(one, members) for one in predictions)
    return text.getvalue().encode()


def _table(predictions: Sequence[Prediction], members: Sequence[str]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - takes longer to import than the rest together

    names = column_names(members)
    rows = [_flat(one, members) for one in predictions]
    columns = zip(*rows, strict=True)
    texts = ("missing_sources", "flags")
    return pa.table(
        {
            name: pa.array(column, pa.string() if name in texts else pa.float64())
            for name, column in zip(names, columns, strict=True)
        }
    )


def _arrow(predictions: Sequence[Prediction], members: Sequence[str]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415

    table, sink = _table(predictions, members), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def _parquet(predictions: Sequence[Prediction], members: Sequence[str]) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415

    sink = io.BytesIO()
    pq.write_table(_table(predictions, members), sink)
    return sink.getvalue()
