"""Churn on CDNOW's hold-out against both rules, and on planted customers whose reasons for leaving are known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lakehouse.scores import bg_nbd, calibration, churn, features, propensity
from lakehouse.scores.features import Panel, as_floats
from tests.support.score_tables import cdnow, on, tables

if TYPE_CHECKING:
    import pyarrow as pa

HORIZON = timedelta(days=90)
TODAY = date(2026, 6, 30)


def panels(con, today: date) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Customers today, and as they were one and two horizons ago with what came of it."""
    return (
        on(con, features.FEATURES, today),
        on(con, features.PANEL, today - HORIZON, today),
        on(con, features.PANEL, today - 2 * HORIZON, today - HORIZON),
    )


@pytest.fixture(scope="module")
def cdnow_holdout():
    """All of CDNOW, learned before 1997-09-30 and checked on the 90 days after."""
    with tables(core__order_values=cdnow()) as con:
        return panels(con, date(1997, 9, 30) + HORIZON)


def test_on_cdnow_s_hold_out_the_best_of_three_is_used(cdnow_holdout):
    """BG/NBD and boosting have the same chances there, and the simpler is used; both are better than recency."""
    quality = churn.score(*cdnow_holdout).quality
    methods = quality.figures["methods"]
    assert methods.keys() == {"recency_rule", "bg_nbd", "gradient_boosting"}
    assert quality.method == "bg_nbd"
    assert quality.brier == methods["bg_nbd"]["brier"] < methods["recency_rule"]["brier"] - 0.005
    assert quality.brier == pytest.approx(methods["gradient_boosting"]["brier"], rel=0.02)
    assert methods["gradient_boosting"]["auc"] > methods["bg_nbd"]["auc"] > methods["recency_rule"]["auc"]
    assert quality.auc > 0.75
    assert quality.brier < quality.figures["brier_of_the_mean"] - 0.025
    assert all(abs(row["said"] - row["happened"]) < 0.05 for row in quality.figures["calibration"])


def test_probability_alive_alone_ranks_worse_than_the_chance_of_a_purchase(cdnow_holdout):
    """It is 1 for all who bought once, most of whom never come again: why the chance of a purchase is compared."""
    _, later, _ = cdnow_holdout
    panel, left = Panel.of(later), as_floats(later["later_days"]) == 0
    histories = churn._histories(panel)
    alive = bg_nbd.alive(bg_nbd.fit(histories).model, histories)
    chance = churn.bg_nbd_chance(panel, left)(panel)
    assert calibration.auc(-alive, left) < 0.6 < calibration.auc(chance, left)


def planted(customers: int = 6_000) -> dict[str, str]:
    """Customers who buy every other week until something makes them leave: complaints, silence, or nothing.

    In each period of 90 days a tenth gets complaints and a tenth falls silent online; 85 % of these leave, 10 % of the
    others. Their number mod 10 says what becomes of whom, and hash() who really leaves.
    """
    people = f"SELECT n, 'c' || n AS who, hash(n) % 100 AS luck, n // 10 % 3 AS period FROM range({customers}) AS r(n)"
    # the day from which something happens to a customer: within the last 20 days of the period
    what = f"""
        SELECT *, DATE '{TODAY}' - CAST(90 * period AS INTEGER) AS turn,
            CASE n % 10 WHEN 0 THEN 'complaint' WHEN 1 THEN 'silent' ELSE 'none' END AS fate,
            luck < CASE WHEN n % 10 < 2 THEN 85 ELSE 10 END AS leaves
        FROM ({people})
    """
    days = "SELECT CAST(d AS DATE) AS day FROM generate_series(DATE '2025-06-01', DATE '{}', INTERVAL 14 DAY) AS s(d)"
    own_day = "day + CAST(n % 14 AS INTEGER)"
    orders = f"""
        SELECT 'shop' AS source, who || '-' || day AS order_id, who AS customer_id, {own_day} AS ordered_on,
            20 AS gross, 0 AS discounts, true AS is_order
        FROM ({what}) CROSS JOIN ({days.format(TODAY)}) WHERE NOT leaves OR {own_day} <= turn
    """
    events = f"""
        SELECT who AS user_id, CAST({own_day} + shift AS TIMESTAMPTZ) AS timestamp,
            who || day || shift AS message_id
        FROM ({what}) CROSS JOIN ({days.format(TODAY)}) CROSS JOIN (VALUES (1), (4), (9)) AS t(shift)
        WHERE NOT (fate = 'silent' AND {own_day} + shift > turn - 60)
    """
    tickets = f"""
        SELECT 'desk' AS source, who || k AS ticket_id, who AS customer_id,
            CAST(turn - CAST(3 + k AS INTEGER) AS TIMESTAMPTZ) AS created_at,
            CAST(turn - 3 AS TIMESTAMPTZ) AS valid_from
        FROM ({what}) CROSS JOIN range(3) AS r(k) WHERE fate = 'complaint'
    """
    identities = (
        f"SELECT 'user_id' AS identifier_type, who AS identifier_value, who AS customer_id FROM ({people})"
    )
    return {
        "core__order_values": orders, "raw__events": events, "core__tickets": tickets, "core__identities": identities,
    }  # fmt: skip


@pytest.fixture(scope="module")
def planted_scores():
    """Everybody's chance and reasons today, by number."""
    with tables(**planted()) as con:
        scored = churn.score(*panels(con, TODAY))
    rows = {int(row["customer_id"][1:]): row for row in scored.rows.to_pylist()}
    return scored.quality, rows


def test_what_makes_planted_customers_leave_is_learned(planted_scores):
    """Neither rule can see it: all have bought lately."""
    quality, rows = planted_scores
    assert quality.method == propensity.BOOSTING
    methods = quality.figures["methods"]
    assert methods[propensity.BOOSTING]["brier"] < 0.8 * methods["recency_rule"]["brier"]
    now = [number for number in rows if number // 10 % 3 == 0]
    at_risk = [rows[number]["churn_probability"] for number in now if number % 10 < 2]
    others = [rows[number]["churn_probability"] for number in now if number % 10 > 1]
    assert np.mean(at_risk) == pytest.approx(0.85, abs=0.08)
    assert np.mean(others) < 0.1


@pytest.mark.parametrize(
    ("fate", "first", "zh"),
    [(0, "requests or complaints", "工单"), (1, "last seen online", "访问网站或应用")],
)
def test_the_planted_reason_is_the_first_one_named(planted_scores, fate, first, zh):
    """For nine of ten of those whom it just happened to, in both languages."""
    _, rows = planted_scores
    chosen = [row for number, row in rows.items() if number % 10 == fate and number // 10 % 3 == 0]
    named = [(row["reasons"] or "").startswith(first) for row in chosen]
    assert np.mean(named) > 0.9
    assert np.mean([zh in (row["reasons_zh"] or "").split("；")[0] for row in chosen]) > 0.9


def test_who_stays_has_hardly_a_reason(planted_scores):
    """Of those to whom nothing happened, few are given one."""
    _, rows = planted_scores
    fortunate = [row for number, row in rows.items() if number % 10 > 1 and number // 10 % 3 == 0]
    chosen = [row for row in fortunate if row["churn_probability"] < 0.2]
    assert np.mean([row["reasons"] is not None for row in chosen]) < 0.1


def test_a_short_past_gives_no_chances(cdnow_holdout):
    """And says what is missing."""
    now, later, _ = cdnow_holdout
    scored = churn.score(now, None, None)
    assert scored.quality.method == "none"
    assert "less than the 180 days" in scored.quality.reason
    assert scored.rows["churn_probability"].null_count == scored.rows.num_rows == 23_570
    few = churn.score(now.slice(0, 60), later.slice(0, 60), later.slice(0, 60))
    assert "of either kind 50 are needed" in few.quality.reason
    nobody = churn.score(now.slice(0, 0), later.slice(0, 0), later.slice(0, 0))
    assert nobody.rows.num_rows == 0
    assert nobody.quality.method == "none"
