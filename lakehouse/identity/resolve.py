"""Resolve: observations of identifiers → `core.identities`, deterministic and stable.

Customers are the connected components of records and the identifiers they carry, taken over *all*
observations, so who belongs together does not depend on the order of arrival. Names do depend on history:
a component keeps the oldest customer id among its identifiers (`sql/claims.sql`), so the current identities
are an input, also of a rebuild.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from lakehouse.engine.normal_forms import BLANKS, create_plain, unusual
from lakehouse.errors import Terminal
from lakehouse.identity.components import component_of
from lakehouse.identity.placeholders import placeholder_patterns
from lakehouse.identity.policy import IdentityPolicy, NormalisePolicy
from lakehouse.identity.relation import Relation, create_table, run, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import duckdb

# Types from the strongest tie to the weakest: `rule` names the strongest one that a shared record offers.
STRENGTHS = (
    *("user_id", "email", "phone", "wechat_unionid", "hubspot_id", "salesforce_id"),
    *("zoho_id", "wechat_openid", "anonymous_id"),
)
NAMESPACE = "crm-lakehouse/customer"
ID_DIGITS: Final = 16  # hex digits of a customer id; ids that were given keep theirs

_OBSERVATION = ("record", "source", "type", "value", "seen_at")
_IDENTITY = ("identifier_type", "identifier_value", "customer_id", "first_seen_at", "last_seen_at")
_TABLES = (
    *("observed", "values", "unusual", "normal", "records", "links", "common", "components", "members"),
    *("before", "kept", "claims", "customers"),
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one resolution read and decided, as counts.

    `observations` and `invalid` (by type) count observations that carry a value; `placeholders` and
    `ignored_common` (shared by many records) count identifiers that tie nobody and are left out; `new`,
    `merged` and `split` count the rows of `identity_changes`.
    """

    observations: int
    identifiers: int
    customers: int
    invalid: Mapping[str, int]
    placeholders: int
    ignored_common: int
    new: int
    merged: int
    split: int


def resolve(
    con: duckdb.DuckDBPyConnection,
    *,
    observations: str,
    previous: str | None,
    now: datetime,
    max_records: int = IdentityPolicy.max_records,
) -> Resolution:
    """Resolve who is who; make the temp tables `identities_new` and `identity_changes` on `con`.

    `observations`: a relation (record, source, type, value VARCHAR, seen_at TIMESTAMPTZ, optionally region
    VARCHAR, the ISO 3166 alpha-2 default of a phone), one row an identifier that a record carried, raw. A
    record (unique within its source) describes one person: a CRM contact, a visitor's (anonymous id, user id)
    pair; never an event or an order, since an e-mail or phone in more than `max_records` records of one
    source ties nobody.
    `previous`: the rows of `core.identities` as last committed. `now`, with a zone, stamps the changes.
    Raises `Terminal` for a relation that is missing or lacks a column, and for a `now` without a zone.
    """
    if now.tzinfo is None:
        raise Terminal("resolve: `now` has no time zone; pass datetime.now(UTC)")
    observed = Relation(con, observations, _OBSERVATION)
    before = Relation(con, previous, _IDENTITY) if previous else None
    try:
        counts = _normalise(con, observed)
        _connect(con, max_records)
        _name_customers(con, before)
        run(con, "identities_new", {"now": now})
        run(con, "identity_changes", {"now": now})
        return _resolution(con, counts)
    finally:
        _drop(con, *_TABLES)


def _drop(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    for table in tables:
        con.execute(f"DROP TABLE IF EXISTS temp.identity_{table}")


def _normalise(con: duckdb.DuckDBPyConnection, observed: Relation) -> tuple[int, dict[str, int]]:
    """Make `identity_normal`, each distinct value and the identifier that it spells.

    Returns the number of observations, and of those by type that are invalid.
    """
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    region = "o.region" if "region" in observed.columns else "NULL"
    run(con, "observed", {"blanks": BLANKS}, {"observations": observed.sql, "region": region})
    create_plain(con)
    run(con, "values")
    normal_forms = list(unusual(_unsettled(con)))
    create_table(
        con,
        "identity_unusual",
        {
            "value_id": pa.array([value_id for value_id, _ in normal_forms], pa.int64()),
            "normal": pa.array([normal for _, normal in normal_forms], pa.string()),
        },
    )
    run(con, "normal", placeholder_patterns())
    observations = scalar(con, "SELECT sum(observations) FROM identity_values")
    invalid = con.execute(
        "SELECT v.type, sum(v.observations)::BIGINT FROM identity_values AS v "
        "ANTI JOIN identity_normal AS n USING (type, value, region) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    _drop(con, "values", "unusual")
    return observations, dict(invalid)


def _unsettled(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str, str, str]]:
    """Yield (value_id, type, value, region) of what SQL alone could not settle."""
    con.execute("SELECT value_id, type, value, region FROM identity_values WHERE normal IS NULL")
    while batch := con.fetchmany(NormalisePolicy.fetch_rows):
        yield from batch


def _connect(con: duckdb.DuckDBPyConnection, max_records: int) -> None:
    """Make `identity_members`: the identifiers that name a customer, each with its component."""
    import numpy as np  # noqa: PLC0415 - 0.1 s, only when used

    run(con, "records")
    run(con, "links", {"strengths": list(STRENGTHS)})
    records = scalar(con, "SELECT count(*) FROM identity_records")
    _drop(con, "observed", "records")
    run(con, "common", {"max_records": max_records})
    con.execute("DELETE FROM identity_links WHERE identifier IN (FROM identity_common)")
    links = con.execute(
        "SELECT identifier::INTEGER AS identifier, record_id::INTEGER AS record FROM identity_links"
    ).fetchnumpy()
    identifiers = scalar(con, "SELECT max(identifier) + 1 FROM identity_normal")
    component = component_of(links["identifier"], links["record"], identifiers, records)
    create_table(con, "identity_components", {"identifier": np.arange(identifiers), "component": component})
    run(con, "members")


def _name_customers(con: duckdb.DuckDBPyConnection, before: Relation | None) -> None:
    """Make `identity_customers`: the customer id of every component, kept or new."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_before (identifier_type VARCHAR, identifier_value VARCHAR, "
        "customer_id VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ)"
    )
    if before is not None:
        con.execute(f"INSERT INTO identity_before SELECT {', '.join(_IDENTITY)} FROM {before.sql}")
    run(con, "kept")
    run(con, "claims")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_customers AS "
        "SELECT component, customer_id FROM identity_claims WHERE keeps"
    )
    components = scalar(con, "SELECT count(DISTINCT component) FROM identity_members")
    attempts = count()
    while scalar(con, "SELECT count(*) FROM identity_customers") < components:
        run(con, "new_ids", {"namespace": NAMESPACE, "attempt": next(attempts), "digits": ID_DIGITS})


def _resolution(con: duckdb.DuckDBPyConnection, counts: tuple[int, dict[str, int]]) -> Resolution:
    observations, invalid = counts
    changes = dict(con.execute("SELECT change, count(*) FROM identity_changes GROUP BY ALL").fetchall())
    return Resolution(
        observations=observations,
        identifiers=scalar(con, "SELECT count(*) FROM identities_new"),
        customers=scalar(con, "SELECT count(*) FROM identity_customers"),
        invalid=invalid,
        placeholders=scalar(con, "SELECT count(DISTINCT identifier) FROM identity_normal WHERE placeholder"),
        ignored_common=scalar(con, "SELECT count(*) FROM identity_common"),
        new=changes.get("new", 0),
        merged=changes.get("merge", 0),
        split=changes.get("split", 0),
    )
