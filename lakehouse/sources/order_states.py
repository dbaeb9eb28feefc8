"""What orders, refunds and returns count as: one rule for all sources, by the column `counts_as` of their entities.

A mapping may give it; where it does not, the status says it (`lakehouse.engine.order_words`). Of an order, more is
known than its status, and the first that fits counts:

1. a test is a test, and what is cancelled is cancelled, even if it was paid or refunded before;
2. without a time an order is `unclear`: nobody knows the day that it counts on;
3. what is pending is pending, unless the source says when it was paid;
4. an order below zero is a `return`;
5. what is wholly refunded is `refunded`;
6. a status that no list has is `unclear`, unless the source says when the order was paid;
7. all else is `sold`, an order without any status, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine import order_words
from lakehouse.engine.escape import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNTS_AS: Final = "counts_as"
RETURN: Final = "return"
UNCLEAR: Final = "unclear"
_STATUS: Final = "status"
_ORDERS: Final = "orders"


def said_sql(mapping: Mapping[str, str]) -> str:
    """Return the SQL of what a mapping says that a record counts as; NULL where it says nothing of that."""
    if COUNTS_AS in mapping:
        return mapping[COUNTS_AS]
    return f"order_state(CAST({mapping[_STATUS]} AS VARCHAR))" if _STATUS in mapping else "NULL"


def with_order_states(entity: str, select: str) -> str:
    """Return mapped rows in which orders count as the rule says; those of other entities as they are."""
    if entity != _ORDERS:
        return select
    return f"SELECT * REPLACE ({_ORDER_SQL} AS {COUNTS_AS}) FROM ({select})"


def _is(*states: str) -> str:
    return f"{COUNTS_AS} IN ({', '.join(map(literal, states))})"


_ORDER_SQL: Final = (
    f"CASE WHEN {_is(order_words.TEST, order_words.CANCELLED)} THEN {COUNTS_AS} "
    f"WHEN is_cancelled AND {COUNTS_AS} IS DISTINCT FROM {literal(order_words.REFUNDED)} "
    f"THEN {literal(order_words.CANCELLED)} "
    f"WHEN ordered_at IS NULL THEN {literal(UNCLEAR)} "
    f"WHEN {_is(order_words.PENDING)} AND paid_at IS NULL THEN {literal(order_words.PENDING)} "
    f"WHEN amount < 0 THEN {literal(RETURN)} "
    f"WHEN {_is(order_words.REFUNDED)} THEN {literal(order_words.REFUNDED)} "
    f"WHEN {_is(order_words.UNKNOWN)} AND paid_at IS NULL THEN {literal(UNCLEAR)} "
    f"ELSE {literal(order_words.SOLD)} END"
)
