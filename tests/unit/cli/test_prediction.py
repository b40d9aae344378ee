"""Requests are read from what an operator has, and answers are shown with each member's share."""

from __future__ import annotations

import json

import pytest

from cli.errors import NotThereError, RefusedError
from cli.prediction import cells, parse_questions, question, questions_from, share_cell

INSTANCE = {"identity": {"a": 1}, "other": None}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"instances": [INSTANCE, INSTANCE]}),
        json.dumps([INSTANCE, INSTANCE]),
        f"{json.dumps(INSTANCE)}\n{json.dumps(INSTANCE)}\n",
        json.dumps([INSTANCE, INSTANCE], indent=2),
    ],
    ids=["request", "list", "lines", "indented"],
)
def test_every_form_of_a_request_is_read(text):
    assert [asked.instance for asked in parse_questions(text, "x")] == [INSTANCE, INSTANCE]


def test_a_single_instance_is_a_request_of_one():
    assert [asked.instance for asked in parse_questions(json.dumps(INSTANCE, indent=1), "x")] == [
        INSTANCE
    ]


def test_a_sample_brings_its_entity_and_its_outcome():
    asked = question({"entity_id": "e-1", "label": 1, "instance": INSTANCE}, 1)

    assert asked == ("e-1", INSTANCE, 1)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "nothing of the kind"])
def test_what_is_no_request_is_refused_with_an_example_of_one(text):
    with pytest.raises(RefusedError, match="Expected"):
        parse_questions(text, "standard input")


def test_a_file_that_does_not_exist_is_named(target, tmp_path):
    with pytest.raises(NotThereError, match=r"none\.json"):
        questions_from(target, tmp_path / "none.json", None)


def test_samples_come_from_the_test_months_of_the_latest_dataset(foundation):
    table = foundation.session.resource("dynamodb").Table("metadata")
    uri = "s3://model-input/datasets/d-1/manifest.json"
    table.put_item(
        Item={"pk": "DATASET#example", "sk": "LATEST", "dataset_id": "d-1", "manifest_uri": uri}
    )
    lines = [
        json.dumps(
            {"entity_id": f"{split}-{n}", "split": split, "label": n % 2, "instance": INSTANCE}
        )
        for n in range(9)
        for split in ("validation", "test")
    ]
    foundation.client("s3").put_object(
        Bucket="model-input", Key="datasets/d-1/sample_requests.jsonl", Body="\n".join(lines)
    )

    asked = [asked.name for asked in questions_from(foundation, None, 3)]
    assert asked == ["test-0", "test-3", "test-6"]


def test_without_a_dataset_the_operator_is_told_to_ingest(foundation):
    with pytest.raises(NotThereError, match="fourblocks ingest FOLDER --environment test"):
        questions_from(foundation, None, 3)


def test_a_row_shows_probability_outcome_shares_and_missing_sources():
    prediction = {
        "probability": 0.4321,
        "base": -1.0,
        "members": {"first": {"probability": 0.5, "share": 1.25}},
        "missing_sources": ["weather"],
    }

    asked = question({"entity_id": "e-1", "label": 0, "instance": INSTANCE}, 1)

    row = [str(cell) for cell in cells(asked, prediction, ["first", "second"])]

    assert row[:3] == ["e-1", "43.2%", "no"]
    assert "+1.25" in row[3]
    assert row[4:] == ["-", "weather"]


@pytest.mark.parametrize(("share", "side"), [(2.0, "│████"), (-2.0, "████│")])
def test_a_share_points_to_the_side_it_moves_the_answer_to(share, side):
    assert side in str(share_cell({"probability": 0.5, "share": share}))
