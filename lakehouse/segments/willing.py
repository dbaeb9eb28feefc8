"""Who of some customers lacks consent, by purpose and channel: they are in a segment, and nobody writes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.segments.read_only import Lake

Asked = tuple[str, str]  # purpose and channel


def count_lacking(lake: Lake, customers_sql: str, asked: Iterable[Asked]) -> dict[str, int]:
    """Return, by `purpose/channel`, how many of the customers that a SELECT of `customer_id` yields lack consent.

    As an audience does, it asks for an address that `core.consent_answers` allows, of a customer of `core.customers`.
    """
    return {
        f"{purpose}/{channel}": _lacking(lake, customers_sql, purpose, channel) for purpose, channel in asked
    }


def _lacking(lake: Lake, customers_sql: str, purpose: str, channel: str) -> int:
    rows = lake.rows(
        f"""SELECT count(*) FROM (SELECT DISTINCT customer_id FROM ({customers_sql})) AS asked
        ANTI JOIN (
            SELECT customer_id FROM core.consent_answers JOIN core.customers USING (customer_id)
            WHERE allowed AND purpose = $purpose AND channel = $channel
        ) AS willing USING (customer_id)""",
        {"purpose": purpose, "channel": channel},
    )
    return int(rows[0][0])
