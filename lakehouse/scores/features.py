"""What customers are like on a day, as numbers: the columns of each model, and the SELECT that computes them.

Only what was known on that day counts, refunds and tickets included: a model that is checked on the past must not see
its future. `cutoff` is that day, `until` the one up to which is asked what came of it; both are variables of the
connection, and so is `time_zone`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.scores.bg_nbd import Floats

INPUTS: Final = ("core.order_values", "core.refunds", "core.tickets", "core.identities", "core.activity_days")

# Groups of features that say one thing: a reason names a group, and its features are replaced together.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "recency": ("recency_days", "gaps_passed"),
    "frequency": ("purchase_days", "mean_gap_days"),
    "trend": ("days_90", "days_90_before"),
    "value": ("spent_180", "mean_value", "refund_share"),
    "engagement": ("days_since_event", "active_days_30", "active_days_60_before"),
    "service": ("tickets_180", "tickets_30", "open_tickets", "satisfaction"),
    "tenure": ("age_days",),
}
_FNV_START: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
NAMES: Final = tuple(name for group in GROUPS.values() for name in group)

# Days with events, once for all cutoffs: of what is counted already, whose it is now
EVENT_DAYS: Final = """
CREATE OR REPLACE TEMP TABLE score_event_days AS
SELECT DISTINCT coalesce(u.customer_id, d.customer_id) AS customer_id, a.day
FROM core.activity_days AS a
LEFT JOIN core.identities AS u ON u.identifier_type = 'user_id' AND u.identifier_value = a.user_id
LEFT JOIN core.identities AS d ON d.identifier_type = 'anonymous_id' AND d.identifier_value = a.anonymous_id
WHERE coalesce(u.customer_id, d.customer_id) IS NOT NULL AND a.day IS NOT NULL
"""

_PURCHASES: Final = """
given_back AS (
    SELECT source, coalesce(order_id, refund_id) AS order_id, sum(value) AS refunds
    FROM core.refunds WHERE refunded_on <= {day} GROUP BY ALL
),
orders AS (
    SELECT o.customer_id, o.ordered_on AS day, o.gross - coalesce(o.discounts, 0) AS sale,
        o.gross - coalesce(o.discounts, 0) - coalesce(g.refunds, 0) AS value
    FROM core.order_values AS o
    LEFT JOIN given_back AS g ON g.source = o.source AND g.order_id = o.order_id
    WHERE o.is_order AND o.customer_id IS NOT NULL AND o.ordered_on <= {day}
        AND coalesce(o.taken_back_on > {day}, true)
),
days AS (
    SELECT customer_id, day, CAST(sum(value) AS DOUBLE) AS value, CAST(sum(sale) AS DOUBLE) AS sale
    FROM orders GROUP BY ALL
)"""

_CUTOFF, _UNTIL = "getvariable('cutoff')", "getvariable('until')"

# One row a customer who had bought by the cutoff
FEATURES: Final = f"""
WITH {_PURCHASES.format(day=_CUTOFF)},
firsts AS (SELECT customer_id, min(day) AS first_day, max(day) AS last_day FROM days GROUP BY ALL),
bought AS (
    SELECT customer_id, count(*) AS purchase_days, any_value(first_day) AS first_day, any_value(last_day) AS last_day,
        avg(value) AS mean_value, avg(value) FILTER (day > first_day) AS repeat_value,
        count(*) FILTER (day > {_CUTOFF} - 90) AS days_90,
        count(*) FILTER (day > {_CUTOFF} - 180 AND day <= {_CUTOFF} - 90) AS days_90_before,
        coalesce(sum(value) FILTER (day > {_CUTOFF} - 180), 0) AS spent_180,
        1 - sum(value) / nullif(sum(sale), 0) AS refund_share
    FROM days JOIN firsts USING (customer_id) GROUP BY customer_id
),
seen AS (
    SELECT customer_id, date_diff('day', max(day), {_CUTOFF}) AS days_since_event,
        count(*) FILTER (day > {_CUTOFF} - 30) AS active_days_30,
        count(*) FILTER (day > {_CUTOFF} - 90 AND day <= {_CUTOFF} - 30) AS active_days_60_before
    FROM score_event_days WHERE day <= {_CUTOFF} GROUP BY customer_id
),
newest AS (
    SELECT source, ticket_id, arg_max(customer_id, valid_from) AS customer_id, min(created_at) AS created_at,
        min(closed_at) AS closed_at, arg_max(satisfaction, valid_from) AS satisfaction
    FROM core.tickets GROUP BY ALL
),
asked AS (
    SELECT customer_id, CAST(created_at AT TIME ZONE getvariable('time_zone') AS DATE) AS day, satisfaction,
        CAST(closed_at AT TIME ZONE getvariable('time_zone') AS DATE) AS closed_on
    FROM newest WHERE customer_id IS NOT NULL AND created_at IS NOT NULL
),
service AS (
    SELECT customer_id, count(*) FILTER (day > {_CUTOFF} - 180) AS tickets_180,
        count(*) FILTER (day > {_CUTOFF} - 30) AS tickets_30,
        count(*) FILTER (coalesce(closed_on > {_CUTOFF}, true)) AS open_tickets,
        avg(satisfaction) FILTER (closed_on <= {_CUTOFF} AND day > {_CUTOFF} - 180) AS satisfaction
    FROM asked WHERE day <= {_CUTOFF} GROUP BY customer_id
)
SELECT b.customer_id, {_CUTOFF} AS as_of, b.first_day, b.last_day, b.mean_value, b.repeat_value, b.purchase_days,
    date_diff('day', b.last_day, {_CUTOFF}) AS recency_days, date_diff('day', b.first_day, {_CUTOFF}) AS age_days,
    date_diff('day', b.first_day, b.last_day) / nullif(b.purchase_days - 1, 0) AS mean_gap_days,
    recency_days / nullif(date_diff('day', b.first_day, b.last_day) / nullif(b.purchase_days - 1, 0), 0) AS gaps_passed,
    b.days_90, b.days_90_before, b.spent_180, b.refund_share, s.days_since_event,
    CASE WHEN s.customer_id IS NOT NULL THEN s.active_days_30 END AS active_days_30,
    CASE WHEN s.customer_id IS NOT NULL THEN s.active_days_60_before END AS active_days_60_before,
    coalesce(t.tickets_180, 0) AS tickets_180, coalesce(t.tickets_30, 0) AS tickets_30,
    coalesce(t.open_tickets, 0) AS open_tickets, t.satisfaction
FROM bought AS b
LEFT JOIN seen AS s USING (customer_id)
LEFT JOIN service AS t USING (customer_id)
ORDER BY b.customer_id
"""

# What those who have bought by `until` did after the cutoff
OUTCOMES: Final = f"""
WITH {_PURCHASES.format(day=_UNTIL)}
SELECT customer_id, count(*) AS later_days, coalesce(sum(value), 0) AS later_value
FROM days WHERE day > {_CUTOFF} GROUP BY customer_id
"""

# Features as of the cutoff with what came of them by `until`
PANEL: Final = f"""
SELECT f.*, coalesce(o.later_days, 0) AS later_days, coalesce(o.later_value, 0) AS later_value
FROM ({FEATURES}) AS f LEFT JOIN ({OUTCOMES}) AS o USING (customer_id)
ORDER BY f.customer_id
"""

FIRST_DAY: Final = """
SELECT min(ordered_on) FROM core.order_values
WHERE is_order AND customer_id IS NOT NULL AND ordered_on <= getvariable('cutoff')
"""


@dataclass(frozen=True)
class Panel:
    """Customers as they were on one day: a column of `values` a feature, in the order of `names`; NaN is unknown."""

    customers: pa.Array
    values: Floats
    names: tuple[str, ...] = NAMES

    @classmethod
    def of(cls, table: pa.Table, names: Iterable[str] = NAMES) -> Panel:
        """Read the features from the columns of a table that has them."""
        listed = tuple(names)
        columns = [as_floats(table[name]) for name in listed]
        values = np.column_stack(columns) if columns else np.empty((table.num_rows, 0))
        return cls(table["customer_id"].combine_chunks(), values, listed)

    def __len__(self) -> int:
        """Return how many customers there are."""
        return len(self.values)

    @cached_property
    def draws(self) -> Floats:
        """Return a number from 0 to 1 for each customer, that its id alone decides: FNV-1a of its characters."""
        ids = np.array(self.customers.to_pylist(), dtype=np.str_)
        width = ids.itemsize // np.dtype(np.uint32).itemsize
        letters = ids.view(np.uint32).reshape(len(ids), width).astype(np.uint64)
        mixed = np.full(len(ids), _FNV_START, dtype=np.uint64)
        for position in range(letters.shape[1]):
            letter = letters[:, position]
            mixed = np.where(letter > 0, (mixed ^ letter) * _FNV_PRIME, mixed)  # 0 is behind the end of an id
        for _ in range(2):  # else the high bits would know little of the last letters
            mixed = (mixed ^ (mixed >> np.uint64(32))) * _MIX
        return np.asarray((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53)

    def column(self, name: str) -> Floats:
        """Return one feature."""
        return np.asarray(self.values[:, self.names.index(name)])

    def with_group(self, group: Iterable[str], other: Panel) -> Panel:
        """Return the same customers with the features of a group as in another panel of as many."""
        positions = [self.names.index(name) for name in group]
        values = self.values.copy()
        values[:, positions] = other.values[:, positions]
        return Panel(self.customers, values, self.names)

    def part(self, chosen: np.ndarray) -> Panel:
        """Return some of the customers, by a mask or by their positions."""
        kept = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Panel(self.customers.take(pa.array(kept)), self.values[kept], self.names)


def as_floats(column: pa.ChunkedArray) -> Floats:
    """Return a column as floats, NaN where it is null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
