"""Scorers of members that somebody else's container trained, against the libraries themselves."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import xgboost

from pipeline_code.inference.linear import (
    AS_IS,
    STANDARDISE,
    Column,
    LinearModelError,
    Preprocessing,
    linear_content,
    load_linear,
)
from pipeline_code.inference.scorers import UnknownScorerError, load_scorer
from pipeline_code.inference.ubjson import UbjsonError, decode
from pipeline_code.inference.xgboost_trees import XgboostModelError
from pipeline_code.training_pipeline.mxnet_arrays import ArraysError, read_arrays


def world(rows: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(8)
    matrix = random.normal(size=(rows, 6)).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    logit = 2 * np.nan_to_num(matrix[:, 0]) - np.isnan(matrix[:, 1])
    return matrix, (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)


def booster(**parameters: object) -> xgboost.Booster:
    matrix, label = world()
    settings = {"objective": "binary:logistic", "nthread": 1, **parameters}
    return xgboost.train(settings, xgboost.DMatrix(matrix, label), 40)


@pytest.mark.parametrize("form", ["ubj", "json"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"max_depth": 1},
        {"max_depth": 6, "base_score": 0.3},
        {"max_depth": 3, "base_score": 0.017},
        {"max_depth": 3, "base_score": 0.62},
        {"max_depth": 0, "max_leaves": 31, "grow_policy": "lossguide", "tree_method": "hist"},
    ],
)
def test_margins_are_xgboosts_own_bit_for_bit(form: str, parameters: dict[str, object]) -> None:
    matrix, _ = world()
    model = booster(**parameters)

    scorer = load_scorer("xgboost", bytes(model.save_raw(form)))

    expected = model.predict(xgboost.DMatrix(matrix, nthread=1), output_margin=True)
    assert np.array_equal(scorer.raw_scores(matrix), expected.astype(np.float64))
    assert scorer.raw_scores(matrix[7:8])[0] == expected[7]


def test_a_model_of_another_objective_is_refused() -> None:
    content = bytes(booster(objective="reg:squarederror").save_raw("ubj"))

    with pytest.raises(XgboostModelError, match="reg:squarederror, must be binary:logistic"):
        load_scorer("xgboost", content)


@pytest.mark.parametrize("cut", [1, 100, -1])
def test_a_file_that_breaks_off_is_refused(cut: int) -> None:
    with pytest.raises(XgboostModelError, match="cannot be read"):
        load_scorer("xgboost", bytes(booster(max_depth=1).save_raw("ubj"))[:cut])


def test_ubjson_of_every_kind_is_read() -> None:
    content = b"{i\x01a[i\x05TFZ]i\x01bSi\x02hii\x01c[$d#i\x02" + struct.pack(">2f", 1, 2) + b"}"

    found = decode(content)

    assert found["a"] == [5, True, False, None]
    assert found["b"] == "hi"
    assert found["c"].tolist() == [1.0, 2.0]
    with pytest.raises(UbjsonError, match="unknown mark"):
        decode(b"{i\x01a?}")


COLUMNS = (
    Column(mean=10.0, deviation=2.0, indicator=True),
    Column(mean=0.5, deviation=1.0, indicator=False, codes=(0.0, 3.0), values=(-0.5, 1.5)),
)


def test_a_linear_model_weighs_standardised_numbers_unknowns_and_categories() -> None:
    scorer = load_linear(linear_content(Preprocessing(STANDARDISE, COLUMNS), [1.0, 10.0, 100.0], 7))
    matrix = np.array([[12, 0], [np.nan, 3], [1000, 9]], dtype=np.float32)

    assert scorer.raw_scores(matrix).tolist() == [
        7 + 1 * 1 + 10 * -1,
        7 + 10 * 1 + 100,
        7 + 1 * 5,
    ]


@pytest.mark.parametrize("parameters", [{"max_depth": 6}, {"max_depth": 2, "base_score": 0.3}])
def test_contributions_of_trees_are_xgboosts_own(parameters: dict[str, object]) -> None:
    matrix, _ = world(60)
    model = booster(**parameters)
    scorer = load_scorer("xgboost", bytes(model.save_raw("ubj")))

    found = scorer.contributions(matrix)

    data = xgboost.DMatrix(matrix, nthread=1)
    expected = model.predict(data, pred_contribs=True, approx_contribs=True)
    assert np.allclose(found, expected, rtol=0, atol=1e-4)
    assert np.allclose(found.sum(axis=1), scorer.raw_scores(matrix), rtol=0, atol=1e-4)


def test_contributions_of_a_linear_model_add_up_and_count_indicators_in() -> None:
    scorer = load_linear(linear_content(Preprocessing(STANDARDISE, COLUMNS), [1.0, 10.0, 100.0], 7))
    matrix = np.array([[12, 0], [np.nan, 3]], dtype=np.float32)

    assert scorer.contributions(matrix).tolist() == [[1.0, -10.0, 7.0], [100.0, 10.0, 7.0]]


def test_a_row_scores_the_same_alone_and_among_others() -> None:
    random = np.random.default_rng(1)
    columns = tuple(Column(0.0, 1.0, indicator=True) for _ in range(40))
    scorer = load_linear(
        linear_content(Preprocessing(STANDARDISE, columns), random.normal(size=80).tolist(), 0.1)
    )
    matrix = random.normal(size=(500, 40)).astype(np.float32)

    alone = [scorer.raw_scores(matrix[index : index + 1])[0] for index in range(500)]

    assert scorer.raw_scores(matrix).tolist() == alone


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LinearModelError, match="2 weights for 3 columns"):
        load_linear(linear_content(Preprocessing(STANDARDISE, COLUMNS), [1.0, 2.0], 0.0))
    with pytest.raises(UnknownScorerError, match="'oracle' is unknown"):
        load_scorer("oracle", b"")


def test_preprocessing_survives_json() -> None:
    for one in (Preprocessing(AS_IS), Preprocessing(STANDARDISE, COLUMNS)):
        assert Preprocessing.of_document(json.loads(json.dumps(one.document()))) == one


def arrays(version: int = 0xF993FAC9) -> bytes:
    """Write the layout down once more, as MXNet's sources have it."""
    body = struct.pack("<QQQ", 0x112, 0, 2)
    for shape, values in (((1, 3), (1.0, 2.0, 3.0)), ((1,), (0.5,))):
        body += struct.pack("<Iii", version, 0, len(shape)) + struct.pack(f"<{len(shape)}q", *shape)
        body += struct.pack("<iii", 1, 0, 0) + struct.pack(f"<{len(values)}f", *values)
    names = (b"arg:fc0_weight", b"arg:fc0_bias")
    body += struct.pack("<Q", 2)
    return body + b"".join(struct.pack("<Q", len(name)) + name for name in names)


def test_named_arrays_are_read_without_mxnet() -> None:
    found = read_arrays(arrays())

    assert found["arg:fc0_weight"].tolist() == [[1.0, 2.0, 3.0]]
    assert found["arg:fc0_bias"].tolist() == [0.5]


@pytest.mark.parametrize("content", [b"", b"x" * 40, arrays()[:-3], arrays()[:60], arrays(7)])
def test_what_is_no_parameter_file_is_refused(content: bytes) -> None:
    with pytest.raises(ArraysError):
        read_arrays(content)
