"""A local change: what is trained again for it, and what its report says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.champion_files import Champion
from cli.change_report import changes_lines, comparison_table, verdict_lines
from cli.errors import RefusedError
from cli.local_change import known_artefacts
from cli.local_jobs import run_module, train


def document(**members: dict[str, Any]) -> dict[str, Any]:
    plain = {"algorithm": "lightgbm", "gate": {"min_auc": 0.5}}
    found = [
        {"name": name, "features": [f"{name}_a", f"{name}_b"], **plain, **members.get(name, {})}
        for name in ("first", "second", "third")
    ]
    return {"seed": 1, "split": "s", "categorical": [], "out_of_fold": [], "members": found}


def champion() -> Champion:
    record = {"members": {n: {"artefact_uri": f"s3://b/{n}"} for n in ("first", "second", "third")}}
    nowhere = Path()
    return Champion(1, record, document(), nowhere, "", nowhere, "", nowhere)


def planned(changed: dict[str, Any], *touched: str, given: str = "") -> dict[str, Any]:
    jobs = [
        {"name": one["name"], "artefact_uri": given if one["name"] == "first" and given else None}
        for one in changed["members"]
        if one.get("enabled", True)
    ]
    return {"document": changed, "touched": list(touched), "members": jobs}


def known(changed: dict[str, Any], *touched: str, given: str = "") -> list[str]:
    return sorted(known_artefacts(champion(), planned(changed, *touched, given=given)))


def test_only_what_changed_is_trained_again() -> None:
    assert known(document()) == ["first", "second", "third"]
    assert known(document(first={"parameters": {"lightgbm": {"rounds": 9}}})) == ["second", "third"]
    assert known(document(), "second_b") == ["first", "third"]
    assert known(document(third={"context": ["first_a"]}), "first_a") == ["second"]


def test_gates_and_instances_train_nothing_again() -> None:
    changed = document(first={"gate": {"min_auc": 0.9}, "resources": {"spot": True}})
    assert known(changed) == ["first", "second", "third"]


def test_a_change_of_what_all_share_trains_all_again_but_what_was_given() -> None:
    assert known({**document(), "seed": 2}) == []
    assert known({**document(), "seed": 2}, given="s3://b/given") == ["first"]


def test_members_of_one_model_are_trained_together_or_not_at_all() -> None:
    additive = {"additive": {"rounds": 9}}
    before = champion()._replace(document={**document(), **additive})
    changed = {**document(first={"context": ["second_a"]}), **additive}

    assert sorted(known_artefacts(before, planned({**document(), **additive}))) == [
        "first", "second", "third"
    ]  # fmt: skip
    assert known_artefacts(before, planned(changed)) == {}
    assert known_artefacts(before, planned({**document(), **additive}, "first_a")) == {}
    assert known({**document(), **additive}) == []


def test_a_member_that_is_out_is_neither_trained_nor_taken() -> None:
    assert known(document(second={"enabled": False})) == ["first", "third"]


def test_the_report_says_what_was_computed_otherwise() -> None:
    changes = {"rows": 9, "changed": {"a": 1, "b": 8}, "added": ["c"], "removed": []}
    assert changes_lines(changes, ["first"], ["second", "third"]) == [
        "  features computed otherwise: b in 8 of 9 rows, a in 1 of 9 rows",
        "  new features: c; gone: none",
        "  trained here: first; as the champion's: second, third",
    ]


def metrics(auc: float, log_loss: float) -> dict[str, float]:
    return {"auc": auc, "log_loss": log_loss, "brier": 0.2, "ece": 0.01}


def gain(value: float, low: float, high: float, chance: float) -> dict[str, float]:
    return {"gain": value, "low": low, "high": high, "chance": chance}


EVALUATION = {
    "dataset_id": "d",
    "champion": metrics(0.7, 0.5),
    "challenger": metrics(0.71, 0.49),
    "members": {"first": metrics(0.65, 0.6), "second": metrics(0.6, 0.6)},
    "without_source": {"weather": metrics(0.68, 0.5)},
    "champion_slices": {"place": {"x": metrics(0.7, 0.5), "y": metrics(0.7, 0.4)}},
    "slices": {"place": {"x": metrics(0.7, 0.48), "y": metrics(0.7, 0.41)}},
    "comparison": {
        "metrics": {
            "auc": gain(0.01, 0.002, 0.02, 0.99),
            "log_loss": gain(0.01, 0.001, 0.02, 0.98),
            "brier": gain(-1e-9, -1e-9, 0.0, 0.0),
        },
        "members": {"first": 0.05},
        "slices": {"place": {"x": gain(0.02, 0.01, 0.03, 1.0), "y": gain(-0.01, -0.02, 0.01, 0.2)}},
    },
}


def shown(before: dict[str, Any]) -> list[str]:
    screen = Console(width=150, record=True)
    screen.print(comparison_table(EVALUATION, 4, before))
    return [" ".join(line.split()) for line in screen.export_text().splitlines()]


def test_one_table_has_the_champion_the_candidate_and_what_moved() -> None:
    lines = shown({"dataset_id": "d", "without_source": {"weather": metrics(0.69, 0.5)}})

    assert "AUC 0.7000 0.7100 +0.0100 +0.0020 to +0.0200 99%" in lines
    assert "Brier 0.2000 0.2000 +0.0000 +0.0000 to +0.0000 0%" in lines
    assert "member first AUC 0.6000 0.6500 +0.0500" in lines
    assert "member second AUC - 0.6000 new" in lines
    assert "without weather AUC 0.6900 0.6800 -0.0100" in lines
    assert "place=x log loss 0.5000 0.4800 +0.0200 +0.0100 to +0.0300 100%" in lines
    assert not any("place=y" in line for line in lines)


def test_what_was_measured_on_other_rows_is_not_compared() -> None:
    assert "without weather AUC - 0.6800" in shown({"dataset_id": "another"})


def test_the_verdict_names_every_rule_that_is_broken() -> None:
    rules = [
        {"passed": False, "reason": "Too slow."},
        {"passed": True, "reason": "Good."},
    ]
    assert verdict_lines({"verdict": "rejected", "rules": rules}) == [
        "  verdict: it would be rejected; 1 rules kept, 1 broken",
        "    Too slow.",
    ]


def test_a_job_that_fails_gives_its_reason_and_knows_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    channels: dict[str, Path] = {}
    with pytest.raises(RefusedError, match="stacker: HyperparameterError: the hyper-parameter 't"):
        train("stacker", ("pipeline_code.container", "train"), tmp_path, {}, channels)
    code = "import os; print([n for n in os.environ if n.startswith('AWS_')])"
    (tmp_path / "shown.py").write_text(code)
    assert run_module("", ("shown",), {"PYTHONPATH": str(tmp_path)}).strip() == "[]"
