"""A dataset version is shown with its origin, rows and columns, and compared with another."""

from __future__ import annotations

import copy
import json

import pytest

from cli.dataset_comparison import compare_datasets
from cli.dataset_report import show_dataset
from cli.errors import NotThereError
from tests.unit.cli.conftest import USE_CASE

SOURCE = {
    "contract_version": 1,
    "files_read": 2,
    "files_quarantined": 0,
    "rows_read": 103,
    "rows_valid": 100,
    "rows_quarantined": 3,
    "rows_superseded": 0,
    "reasons": {"range": 3},
    "file_reasons": {},
    "newest": None,
    "lag_hours": None,
    "stale": False,
    "columns": {},
}
MANIFEST = {
    "dataset_id": "aa11",
    "use_case": USE_CASE,
    "schema": {"x": "float", "label": "int8"},
    "files": [],
    "rows": {"train": 60, "test": 40},
    "contract_versions": {"readings": 1},
    "provenance": {
        "batch_id": "b-1",
        "run_id": "r-1",
        "code_version": "c0de",
        "code_commit": "abc",
        "engine": "glue",
        "objects": [{"key": "landing/readings/one.csv", "etag": "e1"}],
        "sources": {"readings": SOURCE},
        "trainable": False,
        "untrainable_because": ["split validation is empty"],
        "rows_outside_splits": {"2014-01": 7},
    },
}
X = {
    "kind": "number",
    "count": 90,
    "nulls": 10,
    "min": 0.0,
    "max": 3.5,
    "mean": 1.25,
    "histogram": {"width": 1.0, "bins": [[0.0, 60], [3.0, 30]]},
}
PART = {"rows": 100, "label_rate": 0.25, "columns": {"x": X}}
STATISTICS = {
    "dataset_id": "aa11",
    "overall": PART,
    "splits": {"train": {**PART, "rows": 60}, "test": {**PART, "rows": 40}},
    "periods": {
        "2013-01": {"split": "train", "rows": 60, "label_rate": 0.25},
        "2013-02": {"split": "test", "rows": 40, "label_rate": 0.25},
    },
}


def _publish(target, dataset_id, manifest, statistics):
    folder = f"datasets/{dataset_id}"
    for name, document in (("manifest", manifest), ("statistics", statistics)):
        body = json.dumps({**document, "dataset_id": dataset_id})
        target.client("s3").put_object(Bucket="model-input", Key=f"{folder}/{name}.json", Body=body)
    target.session.resource("dynamodb").Table("metadata").put_item(
        Item={
            "pk": f"DATASET#{USE_CASE}",
            "sk": dataset_id,
            "manifest_uri": f"s3://model-input/{folder}/manifest.json",
        }
    )


@pytest.fixture
def published(foundation):
    _publish(foundation, "aa11", MANIFEST, STATISTICS)
    return foundation


def _shown(target, capsys, **options):
    chosen = {"columns": [], "split": None, "html": None, **options}
    show_dataset(target, "aa11", **chosen)
    return capsys.readouterr().out


def test_a_version_is_shown_with_origin_rows_sources_and_distributions(published, capsys):
    words = _shown(published, capsys)

    for word in (
        "batch b-1",
        "code c0de of commit abc on glue",
        "split validation is empty",
        "2014-01 7",
    ):
        assert word in words
    for word in ("2013-01..2013-01", "25.0%", "3 records, 0 files", "0 .. 3.5, mean 1.25"):
        assert word in words
    assert "█" in words


def test_one_column_of_one_split_can_be_asked_for(published, capsys):
    assert "x" in _shown(published, capsys, columns=["x"], split="test")
    with pytest.raises(NotThereError, match=r"No column 'y'; there are: x"):
        _shown(published, capsys, columns=["y"])
    with pytest.raises(NotThereError, match=r"No split 'later'; there are: train, test"):
        _shown(published, capsys, split="later")


def test_the_page_needs_nothing_else_and_escapes_what_it_shows(published, capsys, tmp_path):
    manifest = copy.deepcopy(MANIFEST)
    manifest["provenance"]["untrainable_because"] = ["<script>"]
    _publish(published, "aa11", manifest, STATISTICS)
    file = tmp_path / "page.html"

    _shown(published, capsys, html=file)

    page = file.read_text()
    assert "<svg" in page
    assert "<script>" not in page
    assert "http" not in page


def test_a_version_compared_with_itself_differs_in_nothing(published, capsys):
    compare_datasets(published, "aa11", "aa11", limit=5)

    assert "nothing differs" in capsys.readouterr().out


def test_two_versions_are_compared_by_origin_schema_rows_and_distributions(published, capsys):
    manifest, statistics = copy.deepcopy(MANIFEST), copy.deepcopy(STATISTICS)
    manifest["schema"] = {"x": "float", "label": "int8", "z": "float"}
    manifest["contract_versions"] = {"readings": 2}
    manifest["provenance"]["objects"][0]["etag"] = "e2"
    statistics["splits"]["train"]["rows"] = 65
    statistics["overall"]["columns"]["x"]["histogram"]["bins"] = [[0.0, 10], [3.0, 80]]
    _publish(published, "bb22", manifest, statistics)

    compare_datasets(published, "aa11", "bb22", limit=5)

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "contract readings v1 v2" in lines
    assert "landing/readings/one.csv e1 e2" in lines
    assert "+ z float" in lines
    assert any(line.startswith("train 60 65 +5") for line in lines)
    assert any(line.startswith("x ") and line.endswith("large") for line in lines)
    assert "1 of 1 columns moved (PSI ≥ 0.1)" in lines
