"""What may be counted by a word of its own: which rows of which table, on which day, and what is one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVENTS: Final = "core.events"


@dataclass(frozen=True)
class Countable:
    """Rows of a table: `only` says which of them, `by` is their day or moment, `one` what is counted once.

    `only` and `one` are SQL over the row, which goes by the name `t`; `$today` in it is the day that is looked from.
    """

    table: str
    by: str
    only: str = "true"
    one: str = ""


_STANDING: Final = (
    "(t.taken_back_on IS NULL OR t.taken_back_on > $today)"  # as `marts.customer_360` counts orders
)

WORDS: Final = {
    "orders": Countable("core.order_values", "ordered_on", f"t.is_order AND {_STANDING}"),
    "purchases": Countable("core.order_products", "ordered_on", _STANDING, "(t.source, t.order_id)"),
    "events": Countable(EVENTS, "timestamp", one="t.message_id"),
    "visits": Countable("marts.sessions", "started_on"),
    "activities": Countable("core.activities", "occurred_at"),
    "triggers": Countable("marts.triggers", "due_at", "t.cancelled_at IS NULL"),
}
