"""Published dataset versions are listed newest first and found by the beginning of their id."""

from __future__ import annotations

import json

import pytest

from cli.dataset_versions import find_dataset, list_datasets, read_document
from cli.errors import NotThereError
from tests.unit.cli.conftest import USE_CASE


@pytest.fixture
def versions(foundation):
    table = foundation.session.resource("dynamodb").Table("metadata")
    for number, dataset_id in enumerate(("aa11", "aa22", "bb33")):
        uri = f"s3://model-input/datasets/{dataset_id}/manifest.json"
        record = {
            "manifest_uri": uri,
            "published_at": f"2026-01-0{number + 1}T00:00:00+00:00",
            "rows": {"train": 1000 * (number + 1), "test": 5},
            "code_version": "c" * 40,
            "run_id": f"r-{number}",
        }
        table.put_item(Item={"pk": f"DATASET#{USE_CASE}", "sk": dataset_id, **record})
        latest = {"dataset_id": dataset_id, "manifest_uri": uri}
        table.put_item(Item={"pk": f"DATASET#{USE_CASE}", "sk": "LATEST", **latest})
    return foundation


def test_before_the_first_dataset_the_list_says_what_to_do(foundation, capsys):
    list_datasets(foundation, limit=5)

    assert "fourblocks ingest FOLDER" in capsys.readouterr().out


def test_versions_are_listed_newest_first_and_the_current_one_is_marked(versions, capsys):
    list_datasets(versions, limit=2)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["▶", "bb33"]
    assert "3,005" in lines[1]
    assert lines[2].split()[0] == "aa22"
    assert not any("aa11" in line for line in lines)


@pytest.mark.parametrize(
    ("wanted", "found"), [("bb", "bb33"), ("aa22", "aa22"), ("latest", "bb33")]
)
def test_a_version_is_found_by_the_beginning_of_its_id_or_as_the_latest(versions, wanted, found):
    assert find_dataset(versions, wanted)["dataset_id"] == found


@pytest.mark.parametrize(
    ("wanted", "words"), [("aa", "2 datasets begin with 'aa'"), ("x", "No dataset begins with 'x'")]
)
def test_an_ambiguous_or_unknown_id_is_refused_with_the_known_ones(versions, wanted, words):
    with pytest.raises(NotThereError, match=words) as refused:
        find_dataset(versions, wanted)

    assert "aa11" in str(refused.value)


def test_a_document_of_a_version_is_read_from_beside_its_manifest(versions):
    versions.client("s3").put_object(
        Bucket="model-input", Key="datasets/aa11/statistics.json", Body=json.dumps({"a": 1})
    )

    version = find_dataset(versions, "aa11")

    assert read_document(versions, version, "statistics.json") == {"a": 1}
    with pytest.raises(NotThereError, match=r"aa11 has no manifest.json"):
        read_document(versions, version, "manifest.json")
