"""Whether writing to a segment's members worked: what they bought against its control group, since they entered it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.segments.known import show_tables
from lakehouse.segments.uplift import (
    Group,
    Interval,
    Verdict,
    order_lift,
    share_difference,
    verdict,
    visible_from,
)
from lakehouse.tables import views
from lakehouse.tables.contracts import DELIVERIES, SEGMENT_CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.segments.read_only import Lake

_ORDERS = "core.order_values"
_IDENTITIES = "core.identities"

# Changes and deliveries name customers as they were: who was merged since then goes by another id.
_RENAMED_SQL = f"""
CREATE OR REPLACE TEMP TABLE renamed AS
SELECT customer_id AS was, customer_id FROM core.customers
UNION ALL
SELECT first_customer_id, min(customer_id) FROM {_IDENTITIES}
WHERE first_customer_id NOT IN (SELECT customer_id FROM core.customers)
GROUP BY first_customer_id HAVING count(DISTINCT customer_id) = 1"""

_DRAWN_SQL = f"""
CREATE OR REPLACE TEMP TABLE drawn AS
WITH entered AS (
    SELECT r.customer_id, coalesce(c.control, false) AS control, c.as_of, c.found_at
    FROM {SEGMENT_CHANGES.name} AS c JOIN renamed AS r ON r.was = c.customer_id
    WHERE c.segment = $segment AND c.change = 'entered'
)
SELECT customer_id, min(as_of) AS since, min(found_at) AS found_at,
    bool_or(control) AS is_control, bool_or(control) AND NOT bool_and(control) AS in_both
FROM entered
WHERE found_at >= (SELECT min(found_at) FROM entered WHERE control)
GROUP BY customer_id"""

_COUNTED = "NOT in_both AND since + $days <= $as_of"

_GROUPS_SQL = f"""
WITH counted AS (SELECT * FROM drawn WHERE {_COUNTED}),
bought AS (
    SELECT customer_id, count(*) AS orders, coalesce(sum(value), 0) AS value
    FROM {_ORDERS} JOIN counted USING (customer_id)
    WHERE is_order AND ordered_on >= since AND ordered_on < since + $days
    GROUP BY customer_id
)
SELECT is_control, count(*), count(orders), coalesce(sum(orders), 0), coalesce(sum(orders * orders), 0),
    coalesce(sum(value), 0)
FROM counted LEFT JOIN bought USING (customer_id)
GROUP BY is_control"""

_REACHED_SQL = f"""
SELECT count(*) FROM drawn
WHERE {_COUNTED} AND NOT is_control AND EXISTS (
    SELECT 1 FROM {DELIVERIES.name} AS d JOIN renamed AS r ON r.was = d.customer_id
    WHERE r.customer_id = drawn.customer_id AND d.outcome = 'sent' AND d.outcome_at >= drawn.found_at
        AND list_contains($syncs, d.sync)
)"""


@dataclass(frozen=True)
class Effect:
    """What the members of a segment bought against its control group, each in the `days` from the day of entering.

    Those count who entered since there was a control group (`since`) and whose days are over by `as_of`; `running`
    are the others. `in_both` are customers of both groups, by two records that turned out to be one person: they count
    nowhere. `reached` are the treated to whom a sync sent something: all that were meant count, reached or not, for
    who can be reached would have bought more anyway.
    """

    segment: str
    as_of: date
    since: date | None
    days: int
    treated: Group
    control: Group
    reached: int
    running: int
    in_both: int

    @property
    def difference(self) -> Interval | None:
        """Share of buyers among the treated less that of the control group."""
        return share_difference(self.treated, self.control)

    @property
    def order_lift(self) -> Interval | None:
        """More orders a customer, as a part of the control group's."""
        return order_lift(self.treated, self.control)

    @property
    def visible_from(self) -> float | None:
        """The smallest difference of shares that groups of these sizes show in four cases of five."""
        buyers, customers = (
            self.treated.buyers + self.control.buyers,
            self.treated.customers + self.control.customers,
        )
        return visible_from(
            buyers / customers if customers else 0.0, self.treated.customers, self.control.customers
        )

    @property
    def verdict(self) -> Verdict:
        """What to make of it."""
        return verdict(self.difference, has_control=self.since is not None)


def effect(lake: Lake, name: str, days: int, syncs: Iterable[str]) -> Effect:
    """Return what came of a segment; `syncs` are those that send it. `Terminal` while there are no orders or marts."""
    if not _show(lake):
        raise Terminal(f"{_ORDERS} holds nothing yet: land orders, and wait for `aggregate`")
    ((as_of,),) = lake.rows("SELECT max(as_of) FROM marts.customer_360")
    if as_of is None:
        raise Terminal("marts.customer_360 holds nobody yet: land files, and wait for `aggregate`")
    lake.rows(_RENAMED_SQL)
    lake.rows(_DRAWN_SQL, {"segment": name})
    window = {"days": days, "as_of": as_of}
    ((since, counted, in_both, drawn),) = lake.rows(
        f"SELECT min(since), count(*) FILTER ({_COUNTED}), count(*) FILTER (in_both), count(*) FROM drawn",
        window,
    )
    groups = {
        is_control: Group(customers, buyers, int(orders), int(squares), value)
        for is_control, customers, buyers, orders, squares, value in lake.rows(_GROUPS_SQL, window)
    }
    ((reached,),) = lake.rows(_REACHED_SQL, {**window, "syncs": list(syncs)})
    return Effect(
        name,
        as_of,
        since,
        days,
        groups.get(False, Group()),
        groups.get(True, Group()),
        int(reached),
        int(drawn - counted - in_both),
        int(in_both),
    )


def buying_share(lake: Lake, customers_sql: str, days: int) -> float | None:
    """Return the share of some customers who ordered in the last `days`; None of nobody, or without orders.

    `customers_sql` is a SELECT of `customer_id`.
    """
    if not _show(lake):
        return None
    ((share,),) = lake.rows(
        f"""SELECT avg(CAST(customer_id IN (
            SELECT customer_id FROM {_ORDERS}, (SELECT max(as_of) AS today FROM marts.customer_360)
            WHERE is_order AND customer_id IS NOT NULL AND ordered_on <= today AND ordered_on > today - $days
        ) AS INTEGER)) FROM ({customers_sql})""",
        {"days": days},
    )
    return None if share is None else float(share)


def _show(lake: Lake) -> bool:
    """Put what is asked in place; return whether there are orders."""
    if lake.settings is not None:
        show_tables(lake.con, lake.settings, (_ORDERS, _IDENTITIES, DELIVERIES.name), lake.tables)
        if DELIVERIES.name not in lake.tables:
            lake.con.execute(f"CREATE OR REPLACE VIEW {DELIVERIES.name} AS {views.nothing_sql(DELIVERIES)}")
    return _ORDERS in lake.tables
