"""LightGBM's C library through our wrapper gives what its own package gives, bit for bit."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from pipeline_code.inference.booster import Booster, BoosterError


@pytest.fixture(scope="module")
def trained() -> tuple[lightgbm.Booster, np.ndarray]:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(2000, 6)).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    matrix[:, 3] = random.integers(-1, 12, 2000)
    label = (np.nan_to_num(matrix[:, 0]) + (matrix[:, 3] > 4) > 0.5).astype(float)
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 15}
    data = lightgbm.Dataset(matrix, label, categorical_feature=[3])
    return lightgbm.train(parameters, data, num_boost_round=40), matrix


def test_scores_are_those_of_the_package_bit_for_bit(
    trained: tuple[lightgbm.Booster, np.ndarray],
) -> None:
    peer, matrix = trained
    expected = peer.predict(matrix, raw_score=True)

    booster = Booster(peer.model_to_string())

    assert booster.raw_scores(matrix).tolist() == expected.tolist()
    one_by_one = [booster.raw_scores(matrix[i : i + 1])[0] for i in range(500)]
    assert one_by_one == expected[:500].tolist()


def test_a_model_read_back_from_text_scores_the_same(
    trained: tuple[lightgbm.Booster, np.ndarray],
) -> None:
    peer, matrix = trained
    text = peer.model_to_string()

    again = lightgbm.Booster(model_str=text)

    expected = again.predict(matrix, raw_score=True).tolist()
    assert Booster(text).raw_scores(matrix).tolist() == expected


def test_columns_picked_out_of_a_larger_matrix_are_read_right(
    trained: tuple[lightgbm.Booster, np.ndarray],
) -> None:
    peer, matrix = trained
    wide = np.asfortranarray(np.hstack([matrix, matrix]))

    scores = Booster(peer.model_to_string()).raw_scores(wide[:, np.arange(6)])

    assert scores.tolist() == peer.predict(matrix, raw_score=True).tolist()


def test_a_matrix_of_another_width_is_refused(
    trained: tuple[lightgbm.Booster, np.ndarray],
) -> None:
    peer, matrix = trained

    with pytest.raises(BoosterError, match="5 features were given, the model reads 6"):
        Booster(peer.model_to_string()).raw_scores(matrix[:, :5])


def test_a_text_that_is_no_model_is_refused_with_the_librarys_reason() -> None:
    with pytest.raises(BoosterError, match=r"\w+"):
        Booster("this is no model")


def test_contributions_are_those_of_the_package_and_add_up_to_the_score(
    trained: tuple[lightgbm.Booster, np.ndarray],
) -> None:
    peer, matrix = trained
    booster = Booster(peer.model_to_string())

    found = booster.contributions(matrix[:50])

    assert found.tolist() == peer.predict(matrix[:50], pred_contrib=True).tolist()
    assert np.allclose(found.sum(axis=1), booster.raw_scores(matrix[:50]), rtol=0, atol=1e-9)
