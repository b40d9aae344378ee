"""Runs of the Spark job on local folders."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pyarrow.dataset as ds

from pipeline_code.data_pipeline import transform_job

Rows = list[list[str]]


class Lake:
    """A raw lake and a model input store in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects: list[dict[str, object]] = []

    def land(self, source: str, name: str, rows: Rows) -> None:
        """Land a file; the batch lists files in the order in which they landed."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.land_bytes(source, name, text.getvalue().encode())

    def land_bytes(self, source: str, name: str, content: bytes) -> None:
        key = f"landing/{source}/{name}"
        path = self.folder / "lake" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        etag = hashlib.sha256(content).hexdigest()
        size = len(content)
        self._objects.append(
            {"source": source, "key": key, "version_id": "", "size_bytes": size, "etag": etag}
        )

    def run(self, run_id: str = "run-1") -> dict:
        """Run the job on all that landed; return its report."""
        batch = self.folder / "lake" / "batches" / "batch.json"
        batch.parent.mkdir(parents=True, exist_ok=True)
        batch.write_text(json.dumps({"batch_id": "batch", "objects": self._objects}))
        words = {
            "JOB_NAME": "added by Glue",
            "use_case": "flight_delays",
            "run_id": run_id,
            "batch_uri": f"file://{batch}",
            "raw_lake_bucket": f"file://{self.folder}/lake",
            "model_input_bucket": f"file://{self.folder}/model",
            "code_version": "test",
        }
        transform_job.main([word for k, v in words.items() for word in (f"--{k}", v)])
        return self.report(run_id)

    def report(self, run_id: str = "run-1") -> dict:
        return json.loads((self.folder / "model" / "runs" / run_id / "report.json").read_text())

    def dataset(self, dataset_id: str) -> Path:
        return self.folder / "model" / "datasets" / dataset_id

    def quarantined(self, source: str) -> list[dict]:
        files = (self.folder / "lake" / "quarantine" / source).rglob("[!._]*.json")
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def read_dataset(folder: Path):
    """All rows of a dataset version as a frame, by entity."""
    table = ds.dataset(folder, partitioning="hive", exclude_invalid_files=True).to_table()
    return table.to_pandas().set_index("entity_id").sort_index()


def broken(row: list[str], header: list[str], **values: str) -> list[str]:
    return [values.get(name, value) for name, value in zip(header, row, strict=True)]


def text_of(rows: Rows) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()
