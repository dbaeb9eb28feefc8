"""Whom a sync should know, with what there is to say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.segments.policy import AudiencePolicy
from lakehouse.tables import commit, views
from lakehouse.tables.contracts import CONSENTS, CUSTOMER_360, CUSTOMERS, RFM, SEGMENT_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

REQUIRED = (SEGMENT_MEMBERS.name, CUSTOMERS.name, CUSTOMER_360.name, RFM.name)

_AUDIENCE_SQL = """
WITH selected AS (
    SELECT customer_id, list(segment ORDER BY segment) AS segments
    FROM ops.segment_members WHERE segment IN (SELECT unnest($segments))
    GROUP BY customer_id
),
willing AS (
    SELECT customer_id FROM core.consents WHERE granted AND purpose = $purpose AND channel = $channel
)
SELECT s.*, c.* EXCLUDE (customer_id), m.* EXCLUDE (customer_id, contacts),
    r.* EXCLUDE (customer_id, as_of, recency_days, segment), r.segment AS rfm_segment,
    w.customer_id IS NOT NULL AS consented
FROM selected AS s
JOIN core.customers AS c USING (customer_id)
JOIN marts.customer_360 AS m USING (customer_id)
LEFT JOIN marts.rfm AS r USING (customer_id)
LEFT JOIN willing AS w USING (customer_id)
ORDER BY s.customer_id
"""


def audience(
    settings: Settings, segments: Sequence[str], purpose: str, channel: str
) -> Iterator[dict[str, Any]]:
    """Yield the members of any of the segments by customer id: the columns of customers, customer_360 and rfm.

    Besides: `segments` (names, sorted), and `consented`: `core.consents` has a grant for exactly this purpose and
    channel. Raises CommitConflict when a table is missing: nobody would be in the audience, or nobody willing, and be
    taken off the CRM for it.
    """
    con = duck.connect(settings)
    try:
        tables = views.open_tables(con, settings, (*REQUIRED, CONSENTS.name))
        if missing := missing_tables(tables):
            raise CommitConflict(f"{', '.join(missing)} cannot be seen; look again")
        if CONSENTS.name not in tables:
            con.execute(f"CREATE VIEW {CONSENTS.name} AS {views.nothing_sql(CONSENTS)}")
        rows = con.execute(
            _AUDIENCE_SQL, {"segments": list(segments), "purpose": purpose, "channel": channel}
        )
        names = [column[0] for column in rows.description or []]
        while batch := rows.fetchmany(AudiencePolicy.fetch_rows):
            for row in batch:
                yield dict(zip(names, row, strict=True))
    finally:
        con.close()


def missing_tables(tables: Mapping[str, Table]) -> list[str]:
    """Return the tables that an audience cannot do without and that are not among those that exist.

    Consents may be missing in a lake where nobody ever stated any; not where the marts were computed from some.
    """
    missing = set(REQUIRED) - tables.keys()
    marts = tables.get(CUSTOMER_360.name)
    had_consents = marts is not None and bool(commit.inputs(marts).get(CONSENTS.name))
    if had_consents and CONSENTS.name not in tables:
        missing.add(CONSENTS.name)
    return sorted(missing)
