"""Whom a sync should know, with what there is to say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lakehouse.engine import channels, duck
from lakehouse.errors import CommitConflict
from lakehouse.segments.policy import AudiencePolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views
from lakehouse.tables.contracts import CUSTOMER_360, RFM, SEGMENT_MEMBERS
from lakehouse.tables.entities.sales import ACTIVITIES
from lakehouse.tables.people import CONSENT_ANSWERS, CUSTOMERS, IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table
    from lakehouse.tables.contract import Contract

BEST_CONTACT_TIME = "marts.best_contact_time"
REQUIRED = (SEGMENT_MEMBERS.name, CUSTOMERS.name, CUSTOMER_360, RFM)

MEMBERS_SQL = """
SELECT customer_id, list(segment ORDER BY segment) AS segments,
    coalesce(list(segment ORDER BY segment) FILTER (control), []) AS control_of
FROM ops.segment_members WHERE segment IN (SELECT unnest($segments))
GROUP BY customer_id
"""

# Of the purpose `none` nobody asks consent: only who was erased is left out.
_AUDIENCE_SQL = """
WITH selected AS ({selected}),
allowed AS (
    SELECT customer_id, address FROM core.consent_answers
    WHERE allowed AND purpose = $purpose AND channel = $channel
),
willing AS (
    SELECT customer_id, coalesce(max(address) FILTER (address IN (c.email, c.phone)), min(address)) AS address
    FROM allowed JOIN core.customers AS c USING (customer_id)
    GROUP BY customer_id
),
refused AS (
    SELECT customer_id, bool_or(erased) AS erased,
        coalesce(min(consent_id) FILTER (address IN (c.email, c.phone, '')), min(consent_id)) AS consent_id
    FROM core.consent_answers JOIN core.customers AS c USING (customer_id)
    WHERE NOT allowed AND ($purpose = 'none' OR purpose = $purpose AND channel = $channel)
    GROUP BY customer_id
)
SELECT s.*, c.* EXCLUDE (customer_id) REPLACE (
        CASE WHEN $kind = 'email' THEN coalesce(w.address, c.email) ELSE c.email END AS email,
        CASE WHEN $kind = 'phone' THEN coalesce(w.address, c.phone) ELSE c.phone END AS phone
    ), m.* EXCLUDE (customer_id, contacts),
    r.* EXCLUDE (customer_id, as_of, recency_days, segment), r.segment AS rfm_segment,
    CASE $kind WHEN 'email' THEN coalesce(w.address, c.email) WHEN 'phone' THEN coalesce(w.address, c.phone)
        ELSE w.address END AS channel_address,
    w.customer_id IS NOT NULL OR $purpose = 'none' AND NOT coalesce(f.erased, false) AS consented,
    w.customer_id IS NULL AND coalesce(f.erased, false) AS erased,
    CASE WHEN w.customer_id IS NULL THEN f.consent_id END AS refused_by
FROM selected AS s
JOIN core.customers AS c USING (customer_id)
JOIN marts.customer_360 AS m USING (customer_id)
LEFT JOIN marts.rfm AS r USING (customer_id)
LEFT JOIN willing AS w USING (customer_id)
LEFT JOIN refused AS f USING (customer_id)
ORDER BY s.customer_id
"""


def audience_sql(selected: str) -> str:
    """Return the SELECT of the audience whose customers, segments and `control_of` the SELECT `selected` yields."""
    return _AUDIENCE_SQL.format(selected=selected)


# Rows of customers with `known_ids`, by type. Of several of a type that one counts which was known first: it stays the
# same while others come.
_WITH_IDS_SQL = """
SELECT a.*, i.known_ids
FROM ({rows}) AS a
LEFT JOIN (
    SELECT customer_id, map_from_entries(list((identifier_type, identifier_value))) AS known_ids
    FROM (
        SELECT customer_id, identifier_type, identifier_value FROM core.identities
        WHERE identifier_type IN (SELECT unnest($id_types))
        QUALIFY row_number() OVER (
            PARTITION BY customer_id, identifier_type ORDER BY first_seen_at, identifier_value
        ) = 1
    )
    GROUP BY customer_id
) AS i USING (customer_id)
ORDER BY {order}
"""


_CONTACTED_SQL = f"""
WITH by_people AS (
    SELECT customer_id, list([CAST(epoch(occurred_at) AS VARCHAR), source || ':' || activity_id]
        ORDER BY occurred_at, source, activity_id) AS by_people
    FROM core.activities
    WHERE kind = $activity AND direction IS DISTINCT FROM 'inbound' AND occurred_at >= $since
    GROUP BY customer_id
)
SELECT a.*, b.best_hour, b.time_sure AS best_hour_sure, p.by_people
FROM ({audience_sql(MEMBERS_SQL)}) AS a
LEFT JOIN marts.best_contact_time AS b USING (customer_id)
LEFT JOIN by_people AS p USING (customer_id)
ORDER BY customer_id
"""
_NO_BEST_TIMES = (
    "SELECT NULL::VARCHAR AS customer_id, NULL::INTEGER AS best_hour, NULL::DOUBLE AS time_sure WHERE false"
)
# What people of the company do is written down under these kinds of `core.activities`; other channels are messages.
_ACTIVITY_OF = {"email": "email", "phone": "call"}

_ALLOWED_SQL = """
SELECT DISTINCT customer_id, address FROM core.consent_answers
WHERE allowed AND purpose = $purpose AND channel = $channel
"""


def audience(
    settings: Settings, segments: Sequence[str], purpose: str, channel: str, id_types: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the members of any of the segments by customer id: the columns of customers, customer_360 and rfm.

    And a column by the name of each of `id_types`, types of `core.identities`: the customer's id of that type which was
    known first (None: none is), and of the type that the channel writes to the one that is allowed.

    Besides: `segments` (names, sorted), `control_of`: those in whose control group the customer is, `channel_address`:
    where the channel writes to, `consented`: `core.consent_answers` allows an address for exactly this purpose and
    channel, `erased`: it would, had the person not been erased, and `refused_by`: the statement that refuses (None:
    nobody said anything, or it is allowed). Here it is decided which address a customer is written to: the best known
    one where it is allowed, else one that is; where none is, the best known. Raises CommitConflict when a table is
    missing: nobody would be in the audience, or nobody willing, and be taken off the CRM for it.
    """
    asked = {
        "segments": list(segments),
        "purpose": purpose,
        "channel": channel,
        "kind": channels.KIND_OF.get(channel),
    }
    yield from rows_with_ids(settings, audience_sql(MEMBERS_SQL), asked, id_types)


def contacted_audience(
    settings: Settings,
    segments: Sequence[str],
    purpose: str,
    channel: str,
    since: datetime,
    id_types: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `audience` with what is to be known before somebody is contacted.

    `best_hour` and `best_hour_sure` (of `marts.best_contact_time`; None where nothing is known), and `by_people`: what
    people of the company sent, or whom they called, by this channel since a moment: [seconds since 1970, activity].
    """
    asked = {
        "segments": list(segments),
        "purpose": purpose,
        "channel": channel,
        "kind": channels.KIND_OF.get(channel),
        "activity": _ACTIVITY_OF.get(channel, "message"),
        "since": since,
    }
    missing_as = {ACTIVITIES.name: views.nothing_sql(ACTIVITIES), BEST_CONTACT_TIME: _NO_BEST_TIMES}
    yield from rows_with_ids(settings, _CONTACTED_SQL, asked, id_types, missing_as=missing_as)


def allowed(settings: Settings, purpose: str, channel: str) -> Iterator[tuple[str, str]]:
    """Yield customer and address of all who allow exactly this purpose and channel; raises as `audience`."""
    for row in rows_of(settings, _ALLOWED_SQL, {"purpose": purpose, "channel": channel}):
        yield row["customer_id"], row["address"]


def rows_with_ids(
    settings: Settings,
    sql: str,
    parameters: dict[str, Any],
    id_types: Sequence[str],
    order: str = "customer_id",
    **shown: Any,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a SELECT of an audience with a column for each of `id_types`; `shown` is as of `rows_of`."""
    if not id_types:
        yield from rows_of(settings, sql, parameters, **shown)
        return
    none = dict.fromkeys(id_types)
    kind = parameters["kind"]
    asked = {**parameters, "id_types": list(id_types)}
    for row in rows_of(
        settings, _WITH_IDS_SQL.format(rows=sql, order=order), asked, required=(IDENTITIES.name,), **shown
    ):
        ids = none | (row.pop("known_ids") or {})
        if kind in ids and row["channel_address"]:
            ids[kind] = row["channel_address"]
        yield ids | row


def rows_of(
    settings: Settings,
    sql: str,
    parameters: dict[str, Any],
    missing_as: Mapping[str, str] = MappingProxyType({}),
    shapes: Iterable[Contract] = (),
    required: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a SELECT over what an audience needs, and over the tables of `missing_as` and `required`.

    The former has by table what it reads as where there is none; `shapes` are contracts of tables that may be of an
    older release. Raises CommitConflict as `audience`.
    """
    con = duck.connect(settings)
    try:
        wanted = (*REQUIRED, *required, CONSENT_ANSWERS.name, *missing_as)
        tables = views.attach(con, catalogs.open_catalog(settings), wanted, shapes)
        for name in missing_as.keys() - tables.keys():
            con.execute(f"CREATE OR REPLACE VIEW {name} AS {missing_as[name]}")
        if missing := missing_tables(tables) + sorted(set(required) - tables.keys()):
            raise CommitConflict(f"{', '.join(missing)} cannot be seen; look again")
        answers = tables.get(CONSENT_ANSWERS.name)
        scan = views.scan_as_sql(answers, CONSENT_ANSWERS) if answers else views.nothing_sql(CONSENT_ANSWERS)
        con.execute(f"CREATE OR REPLACE VIEW {CONSENT_ANSWERS.name} AS {scan}")
        members = views.scan_as_sql(
            tables[SEGMENT_MEMBERS.name], SEGMENT_MEMBERS
        )  # perhaps of an older release
        con.execute(f"CREATE OR REPLACE VIEW {SEGMENT_MEMBERS.name} AS {members}")
        rows = con.execute(sql, parameters)
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
    marts = tables.get(CUSTOMER_360)
    had_consents = marts is not None and bool(commit.inputs(marts).get(CONSENT_ANSWERS.name))
    if had_consents and CONSENT_ANSWERS.name not in tables:
        missing.add(CONSENT_ANSWERS.name)
    return sorted(missing)
