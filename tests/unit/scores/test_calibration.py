"""Calibrated chances mean what they say, whatever the scores were; figures are those of the textbook."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.scores import calibration


def outcomes(customers: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw scores on a scale of their own, the true chances behind them, and what happened."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 3, customers)
    chance = 0.05 + 0.6 / (1 + np.exp(-raw))
    return raw, chance, rng.random(customers) < chance


@pytest.mark.parametrize(("customers", "method"), [(20_000, "isotonic"), (400, "sigmoid")])
def test_the_method_follows_the_number_of_customers(customers, method):
    """A step for each group of few customers would be chance; a sigmoid needs few to be found."""
    raw, chance, happened = outcomes(customers)
    assert calibration.method_for(happened) == method
    said = calibration.calibrate(raw, happened)(raw)
    assert np.abs(said - chance).mean() < {"isotonic": 0.02, "sigmoid": 0.08}[method]


@pytest.mark.parametrize("customers", [20_000, 400])
def test_chances_never_fall_where_scores_rise(customers):
    """And scores beyond those that were seen have one, too; none is 0 or 1."""
    raw, _, happened = outcomes(customers)
    chance = calibration.calibrate(raw, happened)
    said = chance(np.array([-1e9, -3.0, 0.0, 3.0, 1e9]))
    assert (np.diff(said) >= 0).all()
    assert ((said > 0) & (said < 1)).all()


def test_scores_that_say_the_opposite_say_nothing():
    """They are not turned round: a rule that is wrong must not win by being wrong."""
    raw, _, happened = outcomes(400)
    said = calibration.calibrate(-raw, happened)(raw)
    assert np.ptp(said) < 1e-6


@pytest.mark.parametrize("customers", [20_000, 400])
def test_one_score_for_all_gives_the_share(customers):
    """As of a rule when all customers are alike."""
    _, _, happened = outcomes(customers)
    said = calibration.calibrate(np.zeros(customers), happened)(np.array([0.0, 5.0]))
    assert said == pytest.approx(happened.mean(), abs=0.01)


def test_auc_and_brier():
    """By hand: four customers, six pairs less ties."""
    happened = np.array([True, False, True, False])
    assert calibration.auc(np.array([0.9, 0.1, 0.8, 0.2]), happened) == 1
    assert calibration.auc(np.array([0.9, 0.9, 0.1, 0.1]), happened) == 0.5
    assert calibration.auc(np.full(4, 0.3), happened) == 0.5
    assert calibration.brier(np.array([1.0, 0.0, 0.5, 0.5]), happened) == pytest.approx(0.125)


def test_figures_agree_with_scikit_learn():
    """Ties and all."""
    metrics = pytest.importorskip("sklearn.metrics")
    raw, _, happened = outcomes(1_000)
    chance = np.round(calibration.calibrate(raw, happened)(raw), 2)
    assert calibration.auc(chance, happened) == pytest.approx(metrics.roc_auc_score(happened, chance))
    assert calibration.brier(chance, happened) == pytest.approx(metrics.brier_score_loss(happened, chance))


def test_the_table_compares_what_was_said_with_what_happened():
    """Ten groups by rising chance."""
    _, chance, happened = outcomes(20_000)
    table = calibration.calibration_table(chance, happened)
    assert [row["customers"] for row in table] == [2_000] * 10
    assert all(abs(row["said"] - row["happened"]) < 0.04 for row in table)
    assert table[0]["said"] < table[-1]["said"]
    assert len(calibration.calibration_table(chance[:3], happened[:3])) == 3
