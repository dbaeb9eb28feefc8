"""Learning in time: what is chosen, on which days it is judged, and when nothing can be said."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.scores import propensity
from lakehouse.scores.features import NAMES, Panel
from lakehouse.scores.policy import BoostingPolicy
from lakehouse.scores.propensity import Period
from lakehouse.scores.result import NotFittedError


def panel(customers: int, **known: np.ndarray) -> Panel:
    """Customers with these features, and none known besides."""
    values = np.full((customers, len(NAMES)), np.nan)
    for name, column in known.items():
        values[:, NAMES.index(name)] = column
    return Panel(pa.array([f"c{number}" for number in range(customers)]), values)


def period(customers: int, seed: int) -> Period:
    """Customers of whom those with tickets leave, and those with few and with many days stay."""
    rng = np.random.default_rng(seed)
    tickets, days = rng.integers(0, 4, customers), rng.integers(1, 30, customers)
    leaves = rng.random(customers) < np.where((tickets > 1) & (days > 8) & (days < 22), 0.9, 0.1)
    return Period(panel(customers, tickets_180=tickets, purchase_days=days, recency_days=days), leaves)


METHODS = {"rule": propensity.by_feature("tickets_180"), propensity.BOOSTING: propensity.boosting}


def test_the_better_method_is_used_and_its_chances_are_right():
    """No rule of one feature sees what two say together; chances mean what they say on days that were not seen."""
    learned = propensity.learn(period(4_000, 1), period(4_000, 2), METHODS)
    assert learned.method == propensity.BOOSTING
    said = learned.figures["methods"]
    assert said[propensity.BOOSTING]["brier"] < said["rule"]["brier"] < learned.figures["brier_of_the_mean"]
    assert said[propensity.BOOSTING]["auc"] > 0.85
    fresh = period(4_000, 3)
    chance = learned.chance(fresh.panel)
    assert chance[chance > 0.5].mean() == pytest.approx(fresh.happened[chance > 0.5].mean(), abs=0.05)
    assert all(abs(row["said"] - row["happened"]) < 0.08 for row in learned.figures["calibration"])


def test_the_simple_rule_is_used_where_it_is_as_good():
    """Of equally good methods the first one: a model that adds nothing is not used."""
    same = {"rule": METHODS["rule"], "again": METHODS["rule"]}
    assert propensity.learn(period(1_000, 1), period(1_000, 2), same).method == "rule"


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ({"rule": 0.100, "model": 0.0995}, "rule"),
        ({"rule": 0.100, "model": 0.0985}, "model"),
        ({"rule": 0.100, "better": 0.09, "best": 0.0895}, "better"),
        ({"rule": 0.100, "worse": 0.12, "best": 0.05}, "best"),
    ],
)
def test_more_effort_must_be_worth_it(scores, best):
    """A later method is used where its score is a hundredth below that of the best before it."""
    assert propensity._best(scores) == best


def test_it_is_judged_on_the_later_days():
    """A habit of the earlier days that has turned round since wins nothing."""
    earlier, later = period(3_000, 1), period(3_000, 2)
    turned = Period(later.panel, ~later.happened)
    figures = propensity.learn(earlier, turned, METHODS).figures["methods"]
    assert figures[propensity.BOOSTING]["auc"] < 0.3


def test_who_calibrates_does_not_fit():
    """Else a model would be taken for as sure as it is of customers that it knows by heart."""
    seen: list[set[str]] = []

    def method(customers, happened):
        seen.append(set(customers.customers.to_pylist()))
        assert len(happened) == len(customers)

        def raw(others):
            seen.append(set(others.customers.to_pylist()))
            return np.arange(len(others), dtype=float)

        return raw

    propensity.calibrated(method, period(1_000, 1))
    fitted, calibrating = seen
    assert fitted.isdisjoint(calibrating)
    assert len(fitted | calibrating) == 1_000
    assert 0.25 < len(calibrating) / 1_000 < 0.35


def test_a_customer_more_moves_nobody_to_the_other_side():
    """Whether a customer calibrates is its id's doing alone."""
    few, many = panel(100), panel(150)
    assert propensity._calibrating(many)[:100].tolist() == propensity._calibrating(few).tolist()


@pytest.mark.parametrize("happened", [np.zeros(500, bool), np.ones(500, bool), np.arange(500) < 49])
def test_too_little_of_either_kind_is_said(happened):
    """Nothing is learned from it."""
    bad = Period(panel(500), happened)
    assert "of either kind 50 are needed" in bad.missing
    with pytest.raises(ValueError, match="are needed"):
        propensity.learn(bad, period(500, 1), METHODS)


def test_a_method_that_cannot_be_fitted_is_left_out():
    """The others compete without it."""

    def hopeless(*_):
        raise NotFittedError("none")

    methods = {"hopeless": hopeless, **METHODS}
    assert (
        propensity.learn(period(1_000, 1), period(1_000, 2), methods).figures["methods"].keys()
        == METHODS.keys()
    )


def test_features_that_nobody_has_are_left_out():
    """scikit-learn refuses them; they may be known of others later."""
    one = period(500, 1)
    raw = propensity.boosting(one.panel, one.happened)
    assert np.isfinite(raw(panel(10, tickets_180=np.arange(10), satisfaction=np.ones(10)))).all()


def test_of_many_customers_a_sample_is_enough(monkeypatch):
    """The same one each time."""
    monkeypatch.setattr(BoostingPolicy, "most_rows", 300)
    one = period(2_000, 1)
    first, second = (propensity.boosting(one.panel, one.happened)(one.panel) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(
        first, propensity.boosting(one.panel.part(np.arange(300)), one.happened[:300])(one.panel)
    )
