"""What the tables know of a browser: its events, the customer it belongs to, and that one's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Terminal
from lakehouse.local.policy import ShopPolicy

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

_EVENTS = """
    SELECT timestamp, type, coalesce(event, name), round(epoch(_loaded_at - received_at), 1)
    FROM raw.events WHERE anonymous_id = $device ORDER BY timestamp DESC, message_id LIMIT $most
"""
_CUSTOMER = """
    SELECT customer_id FROM core.identities
    WHERE identifier_type = 'anonymous_id' AND identifier_value = $device
"""


def known_of(settings: Settings, device: str) -> dict[str, Any]:
    """Return `events` of an anonymous id, the newest first, its `customer` or None, and the customer's `timeline`.

    Times are of the day, in UTC; `seconds` is how long after its arrival an event was in the table.
    """
    from lakehouse.stages import analyst_sql  # noqa: PLC0415 - heavy, and the shop opens without it
    from lakehouse.stages.customer_timeline import TIMELINE  # noqa: PLC0415

    asked = f"{TIMELINE} {_EVENTS} {_CUSTOMER} core.customers"  # `ask_timeline` looks for the customer first
    con = analyst_sql.connect(settings, analyst_sql.tables_named(settings, asked))
    try:
        events = con.execute(_EVENTS, {"device": device, "most": ShopPolicy.events}).fetchall()
        customers = con.execute(_CUSTOMER, {"device": device}).fetchall()
        customer = customers[0][0] if customers else None
        return {
            "events": [
                {"at": _time(at), "type": kind, "what": what, "seconds": seconds}
                for at, kind, what, seconds in events
            ],
            "customer": customer,
            "timeline": _timeline(con, customer) if customer else [],
        }
    finally:
        con.close()


def _timeline(con: duckdb.DuckDBPyConnection, customer: str) -> list[dict[str, Any]]:
    from lakehouse.stages.customer_timeline import ask_timeline  # noqa: PLC0415 - heavy, as above

    try:
        rows = ask_timeline(con, customer).fetchall()
    except Terminal:  # who is who knows the customer, the golden record is not written yet
        return []
    return [
        {
            "at": _time(at),
            "kind": kind,
            "what": what,
            "amount": amount and f"{amount:.2f}",
            "currency": currency,
        }
        for at, _, kind, _, what, amount, currency in rows
    ]


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%H:%M:%S")
