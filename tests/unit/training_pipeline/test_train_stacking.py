"""The stacker: weights for each set of available members, from scores aligned by entity."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.stacking import (
    StackingError,
    fit_logistic,
    fit_stackers,
    join_out_of_fold,
)


def world(rows: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    first, second = random.normal(size=rows), random.normal(size=rows)
    logit = 0.8 * first + 0.4 * second - 1
    return first, second, (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)


def test_the_regression_is_that_of_scikit_learn() -> None:
    first, second, label = world()
    matrix = np.column_stack([first, second])
    peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(matrix, label)

    found = fit_logistic(matrix, label, l2=2.0)

    assert found == pytest.approx([*peer.intercept_, *peer.coef_[0]], abs=1e-6)


def test_there_is_a_stacker_for_every_set_of_members() -> None:
    first, second, label = world()
    everywhere = np.ones(len(label), dtype=bool)

    stackers = fit_stackers(
        ["a", "b"], {"a": first, "b": second}, {"a": everywhere, "b": everywhere}, label, 1.0
    )

    assert [stacker.members for stacker in stackers] == [(), ("a",), ("b",), ("a", "b")]
    assert 1 / (1 + np.exp(-stackers[0].base)) == pytest.approx(label.mean())


def test_a_set_learns_only_from_rows_where_all_of_it_is_available() -> None:
    first, second, label = world()
    half = np.arange(len(label)) % 2 == 0
    broken = np.where(half, second, 1e6)

    stackers = fit_stackers(
        ["a", "b"],
        {"a": first, "b": broken},
        {"a": np.ones(len(label), dtype=bool), "b": half},
        label,
        1.0,
    )

    assert stackers[1].rows == len(label)
    assert stackers[3].rows == half.sum()
    assert stackers[3].weights[1] == pytest.approx(0.4, abs=0.1)


def test_a_set_without_both_classes_is_an_error_that_names_it() -> None:
    first, second, label = world()
    nowhere = np.zeros(len(label), dtype=bool)

    with pytest.raises(StackingError, match=r"\['b'\].*0 out-of-fold rows"):
        fit_stackers(
            ["a", "b"], {"a": first, "b": second}, {"a": ~nowhere, "b": nowhere}, label, 1.0
        )


def member(entities: list[str], scores: list[float]) -> OutOfFold:
    return OutOfFold(
        entity_id=entities,
        score=np.array(scores),
        available=np.ones(len(entities), dtype=bool),
        label=np.array([len(entity) % 2 for entity in entities], dtype=float),
    )


def test_scores_are_aligned_by_entity_whatever_their_order() -> None:
    joined = join_out_of_fold(
        {"a": member(["x", "yy"], [1.0, 2.0]), "b": member(["yy", "x"], [20.0, 10.0])}
    )

    assert joined.scores["b"].tolist() == [10.0, 20.0]


@pytest.mark.parametrize("others", [["x"], ["x", "z"], ["x", "x"]])
def test_members_that_scored_different_entities_are_refused(others: list[str]) -> None:
    with pytest.raises(StackingError, match="member b"):
        join_out_of_fold(
            {"a": member(["x", "yy"], [1.0, 2.0]), "b": member(others, [1.0] * len(others))}
        )
