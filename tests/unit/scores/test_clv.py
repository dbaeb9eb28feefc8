"""Customer lifetime value on CDNOW, and on lakes that are too small or too odd for a model."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.scores import clv

TODAY = date(2026, 6, 30)


def buyers(rows: list[tuple[int, int, int, float | None, float | None]], **more: list[int]) -> pa.Table:
    """A customer a row: days with a purchase, days since the first, days since the last, both mean values."""
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return pa.table(
        {
            "customer_id": pa.array([f"c{number:06}" for number in range(len(rows))], pa.string()),
            "as_of": pa.array([TODAY] * len(rows), pa.date32()),
            "purchase_days": pa.array(columns[0], pa.int64()),
            "first_day": pa.array([TODAY - timedelta(days=days) for days in columns[1]], pa.date32()),
            "last_day": pa.array([TODAY - timedelta(days=days) for days in columns[2]], pa.date32()),
            "mean_value": pa.array(columns[3], pa.float64()),
            "repeat_value": pa.array(columns[4], pa.float64()),
        }
        | {name: pa.array(values) for name, values in more.items()}
    )


def numbers(scored: clv.Scored, name: str) -> np.ndarray:
    return scored.rows[name].to_numpy()


def test_cdnow_comes_out_as_published(cdnow_sample):
    """Fits, and everybody scored; what comes of the next 39 weeks is near what was expected."""
    scored = clv.score(cdnow_sample)
    assert scored.quality.method == "bg_nbd + gamma_gamma"
    assert scored.quality.reason == ""
    assert scored.quality.figures["bg_nbd_r"] == pytest.approx(0.243, abs=5e-4)
    assert scored.quality.figures["gamma_gamma_p"] == pytest.approx(6.25, rel=0.02)
    assert scored.rows.num_rows == 2357
    assert scored.rows.column_names == [
        "customer_id", "probability_alive", "value_of_purchase", "purchases_30d", "value_30d", "purchases_90d",
        "value_90d", "purchases_365d", "value_365d",
    ]  # fmt: skip
    model = clv.fit(clv.Buyers.of(cdnow_sample))
    history = clv.Buyers.of(cdnow_sample).histories
    (expected,) = clv.bg_nbd.expected_purchases(model.buying.model, history, [39])
    later = cdnow_sample["later_days"].to_numpy()
    assert expected.sum() == pytest.approx(later.sum(), rel=0.15)
    assert np.abs(later - expected).mean() < 0.85


def test_the_first_purchase_helps_to_say_what_the_next_is_worth(cdnow_sample):
    """Decision 0067: nearer to what buyers spent later than the mean of repeat purchases alone comes."""
    people = clv.Buyers.of(cdnow_sample)
    model = clv.fit(people)
    later_days, later_value = (cdnow_sample[name].to_numpy() for name in ("later_days", "later_value"))
    bought = later_days > 0
    spent = later_value[bought] / later_days[bought]
    repeat = clv.gamma_gamma.expected_value(
        model.spending.model, people.histories.frequency, people.repeat_value
    )
    with_first = np.abs(spent - model.value_of_purchase(people)[bought]).mean()
    assert with_first < np.abs(spent - repeat[bought]).mean()


def test_a_run_is_measured_on_days_that_the_model_has_not_seen(cdnow_sample):
    """Against the rule that all go on at the mean rate."""
    figures = clv.score(cdnow_sample, cdnow_sample).quality.figures
    assert figures["holdout_customers"] == 2357
    assert figures["holdout_purchases"] == cdnow_sample["later_days"].to_numpy().sum()
    assert 0 < figures["mae"] < figures["mae_of_mean_rate"] * 1.5


@pytest.mark.parametrize("count", [0, 1, 99])
def test_too_few_buyers_have_rows_without_scores(count):
    """And the run says why."""
    scored = clv.score(buyers([(2, 50, 10, 9.5, 9.0)] * count))
    assert scored.rows.num_rows == count
    assert scored.quality.method == "none"
    assert f"{count} customers have bought" in scored.quality.reason
    assert scored.rows["value_365d"].null_count == count


ONCE = (1, 100, 100, 20.0, None)
AGAIN = (3, 100, 10, 25.0, 24.0)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        pytest.param([ONCE] * 150, "BG/NBD has no maximum.*; the spending model", id="nobody came again"),
        pytest.param([AGAIN] * 150, "BG/NBD has no maximum.*; the spending model", id="all are alike"),
        pytest.param([(1, 0, 0, 20.0, None)] * 150, "BG/NBD has no maximum", id="all came today"),
        pytest.param([ONCE, AGAIN] * 75, "spending model", id="all spend the same"),
        pytest.param([(1, 100, 100, None, None)] * 150, "spending model", id="no sum is known"),
        pytest.param(
            [(2, 90, 5, -3.0, -5.0), ONCE] * 75, "spending model", id="more came back than was bought"
        ),
    ],
)
def test_odd_buyers_have_scores_and_the_run_says_what_stood_in(rows, reason):
    """All are finite and none below zero; sums are null where no purchase has one."""
    scored = clv.score(buyers(rows), buyers(rows, later_days=[0] * len(rows)))
    assert re.search(reason, scored.quality.reason)
    valued = rows[0][3] is not None
    for name in scored.rows.column_names[1:]:
        column = scored.rows[name]
        if "value" in name and not valued:
            assert column.null_count == len(rows)
        else:
            assert column.null_count == 0
            assert (column.to_numpy() >= 0).all()


def test_rows_of_an_empty_past_are_compared_with_nothing():
    """Nobody had bought 90 days ago: no measure, no failure."""
    scored = clv.score(buyers([ONCE, AGAIN] * 80), buyers([], later_days=[]))
    assert scored.quality.mae is None
    assert scored.rows["purchases_90d"].null_count == 0


def test_rows_do_not_depend_on_their_order(cdnow_sample):
    """The same customers in another order have the same scores, to the last digit that is kept."""
    turned = cdnow_sample.take(np.random.default_rng(5).permutation(len(cdnow_sample)))
    one, other = (clv.score(table).rows.sort_by("customer_id") for table in (cdnow_sample, turned))
    for name in one.column_names[1:]:
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), abs=2e-5)
