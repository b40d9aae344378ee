"""A working copy computes a dataset's features again, from the inputs that the store holds."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import use_cases
from pipeline_code.data_pipeline.offline_rows import offline_files
from pipeline_code.training_pipeline import evaluate_job, working_copy_job
from pipeline_code.training_pipeline.working_copy import (
    FeatureChanges,
    StoredInputs,
    WorkingCopyError,
    check_names,
    recompute,
)
from pipeline_code.use_case import UseCase, load_use_case
from tests.fixtures import tiny_dataset

PREFIX = "shop"
TOLD = datetime(2020, 7, 1, tzinfo=UTC)
LATER = datetime(2020, 8, 1, tzinfo=UTC)
FEATURES = "features.py"


def all_instances() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Give every row of the tiny dataset as it was put together: entity, time, inputs."""
    for seed, months in enumerate(tiny_dataset.MONTHS.values()):
        for offset, month in enumerate(months):
            made = tiny_dataset.instances(tiny_dataset.ROWS, seed * 100 + offset)
            for row, instance in enumerate(made):
                time = datetime.fromisoformat(f"{month}-{row % 20 + 1:02d}").replace(tzinfo=UTC)
                yield f"{month}/{row}", time, instance


def store(folder: Path, use_case: UseCase, **changes: Any) -> Path:
    """Write the offline store as the data pipeline does, ``changes`` to inputs by name."""
    rows = sorted(all_instances(), key=lambda row: (row[1], row[0]))
    columns: dict[str, Any] = {
        "entity_id": [entity for entity, _, _ in rows],
        "event_time": pa.array([time for _, time, _ in rows], pa.timestamp("us", tz="UTC")),
    }
    for group, fields in use_case.inputs.items():
        for name in fields:
            columns[name] = [(one[group] or {}).get(name) for _, _, one in rows]
    written = LATER if changes else TOLD
    columns |= {name: [value] * len(rows) for name, value in changes.items()}
    columns["grade"] = pa.nulls(len(rows), pa.string())
    for file in offline_files(pa.table(columns), use_case, PREFIX, written):
        path = folder / file.key.removeprefix("features/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(file.content)
    return folder


@pytest.fixture(scope="module")
def stored(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert tiny_folder.is_dir()
    return store(tmp_path_factory.mktemp("store"), load_use_case("tiny"))


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., UseCase]:
    """Make a working copy of the use case: files with some text replaced."""

    def change(file: str = "", old: str = "", new: str = "") -> UseCase:
        name = f"tiny_{hashlib.sha256(bytes(tmp_path)).hexdigest()[:12]}"
        folder = tmp_path / "use_cases" / name
        shutil.copytree(tiny_dataset.USE_CASES / "tiny", folder)
        if file:
            text = (folder / file).read_text()
            assert old in text
            (folder / file).write_text(text.replace(old, new))
        monkeypatch.setattr(use_cases, "__path__", [*use_cases.__path__, str(folder.parent)])
        importlib.invalidate_caches()
        return load_use_case(name)

    return change


def again(
    dataset: Path, stored: Path, use_case: UseCase, into: Path, as_of: datetime = LATER
) -> FeatureChanges:
    return recompute(dataset, StoredInputs(stored, PREFIX, use_case, as_of), use_case, into)


def test_an_unchanged_working_copy_gives_every_value_again(
    tiny_folder: Path, stored: Path, tmp_path: Path
) -> None:
    changes = again(tiny_folder, stored, load_use_case("tiny"), tmp_path / "copy")

    assert changes == FeatureChanges(rows=6 * tiny_dataset.ROWS)
    paths = sorted(tiny_folder.glob("split=*/*/*.parquet"))
    assert len(paths) == 6
    for path in paths:
        copied = pq.read_table(tmp_path / "copy" / path.relative_to(tiny_folder))
        original = pq.read_table(path)
        assert set(copied.column_names) == set(original.column_names)
        for name in original.column_names:
            first, second = (t.column(name).to_pandas() for t in (original, copied))
            assert first.equals(second), name


def test_what_a_changed_transform_touches_is_named_with_its_rows(
    tiny_folder: Path, stored: Path, tmp_path: Path, changed: Callable[..., UseCase]
) -> None:
    use_case = changed(
        FEATURES,
        '"level": inputs["level"]',
        '"level": (inputs["level"] + abs(inputs["level"])) / 2',
    )
    changes = again(tiny_folder, stored, use_case, tmp_path / "copy")

    below = sum((one["sensor"]["level"] or 0) < 0 for _, _, one in all_instances())
    assert changes.changed == {"level": below}
    assert changes.touched == {"level"}


def test_a_new_feature_is_there_for_every_row_and_one_that_is_gone_is_not(
    tiny_folder: Path, stored: Path, tmp_path: Path, changed: Callable[..., UseCase]
) -> None:
    text = (tiny_dataset.USE_CASES / "tiny" / FEATURES).read_text()
    renamed = text.replace('"hour": ', '"hours_left": 24 - ').replace('"hour"', '"hours_left"')
    use_case = changed(FEATURES, text, renamed)

    changes = again(tiny_folder, stored, use_case, tmp_path / "copy")

    assert (changes.added, changes.removed, changes.changed) == (["hours_left"], ["hour"], {})
    path = "split=test/period=2020-06/data.parquet"
    before = pq.read_table(tiny_folder / path).column("hour").to_numpy()
    copied = pq.read_table(tmp_path / "copy" / path)
    assert np.array_equal(copied.column("hours_left").to_numpy(), 24 - before)
    assert "hour" not in copied.column_names


def test_corrections_that_came_after_the_dataset_are_left_out(
    tiny_folder: Path, stored: Path, tmp_path: Path
) -> None:
    use_case = load_use_case("tiny")
    both = shutil.copytree(stored, tmp_path / "both")
    store(both, use_case, visitors=5000)

    before = again(tiny_folder, both, use_case, tmp_path / "before", as_of=TOLD)
    after = again(tiny_folder, both, use_case, tmp_path / "after")

    assert before.changed == {}
    assert after.changed == {"visitors": 6 * tiny_dataset.ROWS}


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (FEATURES, 'inputs["level"]', 'inputs["lvl"]', "features.py:21: FormulaError: there is no"),
        (FEATURES, '"level": inputs', '"lvel": inputs', "without a formula are ['level']"),
        (FEATURES, "def formulas(", "def formulas", "features.py:16: SyntaxError"),
        ("inputs.yaml", "    grade: {", "    depth: {", "inputs.yaml: groups.sensor.depth: the"),
        ("inputs.yaml", "version: 1", "version: 2", "the feature group shop-identity-v2 holds"),
    ],
    ids=["fault", "missing", "syntax", "input", "version"],
)
def test_a_fault_of_the_working_copy_is_told_by_file_and_place(
    file: str,
    old: str,
    new: str,
    words: str,
    tiny_folder: Path,
    stored: Path,
    tmp_path: Path,
    changed: Callable[..., UseCase],
) -> None:
    with pytest.raises(WorkingCopyError) as caught:
        again(tiny_folder, stored, changed(file, old, new), tmp_path / "copy")

    assert words in str(caught.value)
    assert "use_cases/tiny_" in str(caught.value) or "feature group" in str(caught.value)


def test_members_and_slices_name_what_there_is() -> None:
    document = yaml.safe_load((tiny_dataset.USE_CASES / "tiny" / "members.yaml").read_text())
    tiny_dataset.install()
    use_case = load_use_case("tiny")
    check_names(document, use_case, ["shop"], "members.yaml")

    with pytest.raises(WorkingCopyError, match="slices names 'shop', a column that the dataset"):
        check_names(document, use_case, ["level"], "members.yaml")
    document["members"][1]["context"] = ["colour"]
    with pytest.raises(WorkingCopyError, match=r"members\[1\].context names 'colour', which use_c"):
        check_names(document, use_case, ["shop"], "members.yaml")


def plan(dataset: Path, stored: Path, into: Path, *more: str) -> tuple[int, Path]:
    into.mkdir()
    arguments = {
        "--use-case": "tiny",
        "--dataset": str(dataset),
        "--inputs": str(stored),
        "--prefix": PREFIX,
        "--as-of": "2020-07-01T00:00:00.000Z",
        "--into": str(into),
    }
    words = [word for pair in arguments.items() for word in pair]
    return working_copy_job.main([*words, *more]), into / "plan.json"


def test_the_plan_names_the_jobs_of_the_configuration_and_leaves_searches_out(
    tiny_folder: Path, stored: Path, tmp_path: Path
) -> None:
    document = yaml.safe_load((tiny_dataset.USE_CASES / "tiny" / "members.yaml").read_text())
    ranges = {"num_leaves": {"type": "integer", "min": 2, "max": 9}}
    document["members"][1]["search"] = {"lightgbm": ranges}
    document["tuning"] = {"strategy": "Random", "max_jobs": 2, "max_parallel_jobs": 1}
    (tmp_path / "tried.yaml").write_text(json.dumps(document))

    code, path = plan(
        tiny_folder, stored, tmp_path / "out", "--config", str(tmp_path / "tried.yaml")
    )

    assert code == 0
    planned = json.loads(path.read_text())
    assert {job["name"] for job in planned["members"]} == {"identity", "sensor"}
    assert [job["objective"] for job in planned["members"]] == [None, None]
    assert planned["changes"] == {
        "rows": 6 * tiny_dataset.ROWS, "changed": {}, "added": [], "removed": []
    }  # fmt: skip
    assert planned["touched"] == []


def test_a_wrong_configuration_is_refused_with_file_and_field(
    tiny_folder: Path, stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tried.yaml"
    path.write_text("version: 1\nseed: often\n")

    code, _ = plan(tiny_folder, stored, tmp_path / "out", "--config", str(path))

    assert code == 1
    assert f"{path}: seed is 'often', but must be a whole number" in capsys.readouterr().err


def test_a_champion_is_measured_with_its_own_features(
    tiny_folder: Path,
    tiny_jobs: Path,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: Callable[..., UseCase],
) -> None:
    use_case = changed(FEATURES, '"level": inputs["level"]', '"level": 0 * inputs["level"]')
    again(tiny_folder, stored, use_case, tmp_path / "copy")
    inputs = tmp_path / "job" / "processing" / "input"
    inputs.mkdir(parents=True)
    (inputs / "dataset").symlink_to(tmp_path / "copy")
    (inputs / "champion_dataset").symlink_to(tiny_folder)
    for name in ("challenger", "champion"):
        tiny_dataset.pack(tiny_jobs / "stack" / "model", inputs / name)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "job"))

    assert evaluate_job.main() == 0

    written = tmp_path / "job" / "processing" / "output" / "evaluation" / "evaluation.json"
    report = json.loads(written.read_text())
    assert report["champion"]["auc"] > 0.8 > report["challenger"]["auc"]
    assert report["comparison"]["members"]["sensor"] < -0.1
    assert report["comparison"]["champion_missing"] == {}
