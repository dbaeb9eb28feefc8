"""Whom a sync should know, with what there is to say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lakehouse.engine import duck
from lakehouse.engine.escape import literals
from lakehouse.errors import CommitConflict
from lakehouse.tables import views

if TYPE_CHECKING:
    from lakehouse.settings import Settings

TABLES = ("ops.segment_members", "core.customers", "marts.customer_360", "marts.rfm")


def audience(settings: Settings, segments: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the members of any of the segments by customer id: the columns of customers, customer_360 and rfm.

    Besides: `segments` (names, sorted), and `consented`, what `core.consents` says of e-mail marketing. Raises
    CommitConflict when a table is missing: nobody would be in the audience, and be taken off the CRM for it.
    """
    con = duck.connect(settings)
    try:
        if missing := set(TABLES) - views.open_tables(con, settings, TABLES).keys():
            raise CommitConflict(f"{', '.join(sorted(missing))} cannot be seen; look again")
        rows = con.execute(
            f"""WITH chosen AS (
                SELECT customer_id, list(segment ORDER BY segment) AS segments
                FROM ops.segment_members WHERE segment IN (SELECT unnest({literals(list(segments))}))
                GROUP BY customer_id
            )
            SELECT h.*, g.* EXCLUDE (customer_id), p.* EXCLUDE (customer_id, contacts),
                c.* EXCLUDE (customer_id, as_of, recency_days, segment), c.segment AS rfm_segment,
                coalesce(p.email_marketing, false) AS consented
            FROM chosen AS h
            JOIN core.customers AS g USING (customer_id)
            JOIN marts.customer_360 AS p USING (customer_id)
            LEFT JOIN marts.rfm AS c USING (customer_id)
            ORDER BY h.customer_id"""
        )
        names = [column[0] for column in rows.description or []]
        while batch := rows.fetchmany(2_000):
            for row in batch:
                yield dict(zip(names, row, strict=True))
    finally:
        con.close()
