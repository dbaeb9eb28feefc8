"""What was known of customers on a day: nothing of later days, money as the orders say, days in the business zone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.scores import features
from lakehouse.scores.features import NAMES, Panel
from tests.support.score_tables import on, tables

CUTOFF, UNTIL = date(2026, 3, 31), date(2026, 6, 29)

ORDERS = """
SELECT 'shop' AS source, * FROM (VALUES
    ('1', 'ann', DATE '2026-01-01', 10, 2, true, NULL), ('2', 'ann', DATE '2026-01-01', 5, NULL, true, NULL),
    ('3', 'ann', DATE '2026-03-02', 20, 0, true, NULL), ('4', 'ann', DATE '2026-05-01', 7, 0, true, NULL),
    ('5', 'ann', DATE '2026-02-01', 99, 0, false, NULL),
    ('6', 'bob', DATE '2026-03-31', 50, 0, true, DATE '2026-04-02'),
    ('7', 'cat', DATE '2026-03-01', 50, 0, true, DATE '2026-03-02'), ('8', 'dan', DATE '2026-04-01', 1, 0, true, NULL),
    ('9', NULL, DATE '2026-01-01', 1, 0, true, NULL), ('10', 'eve', NULL, 1, 0, true, NULL),
    ('11', 'fay', DATE '2026-03-01', NULL, NULL, true, NULL)
) AS v(order_id, customer_id, ordered_on, gross, discounts, is_order, taken_back_on)
"""
REFUNDS = """
SELECT 'shop' AS source, 'payment' AS kind, * FROM (VALUES
    ('r1', '3', DATE '2026-03-20', 4), ('r2', '3', DATE '2026-04-20', 8), ('r3', '6', DATE '2026-04-02', 50)
) AS v(refund_id, order_id, refunded_on, value)
"""
EVENTS = """
SELECT 'u' AS user_id, CAST(moment AS TIMESTAMPTZ) AS timestamp, moment AS message_id FROM (VALUES
    ('2026-03-30 23:30:00+00'), ('2026-03-30 10:00:00+00'), ('2026-02-01 10:00:00+00'), ('2026-04-02 00:00:00+00')
) AS v(moment)
"""
IDENTITIES = "SELECT 'user_id' AS identifier_type, 'u' AS identifier_value, 'ann' AS customer_id"
TICKETS = """
SELECT 'desk' AS source, 'ann' AS customer_id, ticket_id, CAST(created AS TIMESTAMPTZ) AS created_at,
    CAST(closed AS TIMESTAMPTZ) AS closed_at, satisfaction, CAST(changed AS TIMESTAMPTZ) AS valid_from
FROM (VALUES
    ('1', '2026-03-01 00:00:00+00', NULL, NULL, '2026-03-01 00:00:00+00'),
    ('1', '2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00', 0.25, '2026-03-05 00:00:00+00'),
    ('2', '2026-03-10 00:00:00+00', '2026-04-05 00:00:00+00', 0.75, '2026-04-05 00:00:00+00'),
    ('3', '2026-05-01 00:00:00+00', NULL, NULL, '2026-05-01 00:00:00+00')
) AS v(ticket_id, created, closed, satisfaction, changed)
"""


@pytest.fixture(scope="module")
def people():
    """What is known of each customer on the day, with what came of it."""
    given = {"core__order_values": ORDERS, "core__refunds": REFUNDS, "raw__events": EVENTS}
    with tables(**given, core__identities=IDENTITIES, core__tickets=TICKETS) as con:
        rows = on(con, features.PANEL, CUTOFF, UNTIL).to_pylist()
    return {row["customer_id"]: row for row in rows}


def test_who_had_bought_by_then(people):
    """Nothing that was cancelled, taken back by then, or has no customer or day; what was taken back later counts."""
    assert people.keys() == {"ann", "bob", "fay"}


def test_what_was_bought(people):
    """Days, not orders; money less discounts, and less what had been given back by then."""
    ann = people["ann"]
    assert (ann["first_day"], ann["last_day"]) == (date(2026, 1, 1), date(2026, 3, 2))
    assert (ann["purchase_days"], ann["recency_days"], ann["age_days"], ann["mean_gap_days"]) == (
        2,
        29,
        89,
        60,
    )
    assert ann["gaps_passed"] == pytest.approx(29 / 60)
    assert (ann["mean_value"], ann["repeat_value"], ann["spent_180"]) == (14.5, 16.0, 29.0)
    assert ann["refund_share"] == pytest.approx(4 / 33)
    assert (ann["days_90"], ann["days_90_before"]) == (2, 0)
    bob = people["bob"]
    assert (bob["mean_value"], bob["repeat_value"], bob["gaps_passed"]) == (50, None, None)
    assert (people["fay"]["mean_value"], people["fay"]["spent_180"]) == (None, 0)


def test_what_was_seen_online(people):
    """Days, without those to come; unknown for who was never seen."""
    ann = people["ann"]
    assert (ann["days_since_event"], ann["active_days_30"], ann["active_days_60_before"]) == (1, 1, 1)
    assert people["bob"]["days_since_event"] is None
    assert people["bob"]["active_days_30"] is None


def test_what_was_asked_of_service(people):
    """A ticket once, however many versions; open on that day though closed since, its rating not known yet."""
    ann = people["ann"]
    assert (ann["tickets_180"], ann["tickets_30"], ann["open_tickets"], ann["satisfaction"]) == (
        2,
        1,
        1,
        0.25,
    )
    assert (people["bob"]["tickets_180"], people["bob"]["satisfaction"]) == (0, None)


def test_what_came_of_it(people):
    """Days and money between the two days; what was taken back since counts for nothing."""
    assert (people["ann"]["later_days"], people["ann"]["later_value"]) == (1, 7)
    assert (people["bob"]["later_days"], people["bob"]["later_value"]) == (0, 0)


def test_half_a_million_events_of_one_customer_are_some_days(people):
    """A day is a day; the columns hold what one customer may have."""
    events = (
        "SELECT 'u' AS user_id, TIMESTAMPTZ '2026-03-01 00:00:00+00' + to_seconds(n * 5) AS timestamp, n AS message_id "
        "FROM range(500000) AS r(n)"
    )
    with tables(core__order_values=ORDERS, raw__events=events, core__identities=IDENTITIES) as con:
        rows = {row["customer_id"]: row for row in on(con, features.FEATURES, CUTOFF).to_pylist()}
    assert rows["ann"]["active_days_30"] == 28  # from the 2nd to the 29th
    assert rows["ann"]["active_days_60_before"] == 1


def test_a_panel_has_a_column_a_feature():
    """NaN where nothing is known; some of the customers can be taken, and a group be replaced."""
    with tables(core__order_values=ORDERS) as con:
        panel = Panel.of(on(con, features.FEATURES, CUTOFF))
    assert panel.values.shape == (3, len(NAMES))
    assert np.isnan(panel.column("satisfaction")).all()
    assert panel.part(panel.column("purchase_days") > 1).customers.to_pylist() == ["ann"]
    other = Panel(panel.customers, np.full_like(panel.values, 5.0))
    changed = panel.with_group(features.GROUPS["recency"], other)
    assert changed.column("recency_days").tolist() == [5, 5, 5]
    assert changed.column("purchase_days").tolist() == panel.column("purchase_days").tolist()
    assert panel.column("recency_days").tolist() != [5, 5, 5]


@pytest.mark.parametrize(
    "ids", [[f"c{n}" for n in range(5_000)], [f"c_{n:016x}" for n in range(5_000)], ["客户一", "b"], []]
)
def test_a_customer_s_draw_is_its_id_s_doing(ids):
    """Spread evenly, the same whoever else is there."""
    draws = Panel(pa.array(ids, pa.string()), np.zeros((len(ids), 0)), ()).draws
    assert ((draws >= 0) & (draws < 1)).all()
    alone = [Panel(pa.array([each]), np.zeros((1, 0)), ()).draws[0] for each in ids[:3]]  # and of any length
    assert draws[:3].tolist() == alone
    if len(ids) > 100:
        assert np.histogram(draws, 10, (0, 1))[0] == pytest.approx([500] * 10, rel=0.15)
        assert len(np.unique(draws)) == len(ids)


def test_several_orders_of_a_day_are_one_purchase():
    """The customers of lifetimes#208, whose repeat value is a mean over days: 500 and 250, not three orders' 250."""
    orders = """
        SELECT 'shop' AS source, row_number() OVER () AS order_id, true AS is_order, 0 AS discounts, * FROM (VALUES
            ('1', DATE '2017-11-19', 100), ('1', DATE '2017-11-19', 150), ('1', DATE '2017-12-19', 200),
            ('1', DATE '2017-12-19', 300), ('1', DATE '2017-12-20', 250), ('2', DATE '2017-01-01', 110),
            ('2', DATE '2017-01-05', 120)
        ) AS v(customer_id, ordered_on, gross)
    """
    with tables(core__order_values=orders) as con:
        rows = on(con, features.PANEL, date(2017, 12, 31), date(2018, 3, 31)).to_pylist()
    found = {row["customer_id"]: (row["purchase_days"], row["repeat_value"], row["age_days"]) for row in rows}
    assert found == {"1": (3, 375, 42), "2": (2, 120, 364)}
    assert [(row["last_day"] - row["first_day"]).days for row in rows] == [31, 4]
