"""Resolve: what records say of people → who is who, deterministic and stable.

Records are tied by the identifiers that they carry now, from the strongest to the weakest (`lakehouse.identity.ties`),
and two records that contradict each other are never one person (`lakehouse.identity.clusters`). All evidence is looked
at, so who belongs together does not depend on the order of arrival. Ids are drawn at random; which id names a person
depends on history: a person keeps the oldest among her identifiers (`sql/claims.sql`), so the current identities are an
input, also of a rebuild.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lakehouse.engine import ids
from lakehouse.engine.escape import literal, qualified
from lakehouse.engine.normal_forms import EMAIL_DIVIDERS, KINDS, create_plain, unusual
from lakehouse.errors import Terminal
from lakehouse.identity.likeness import SAID, describe, likenesses, note_matches
from lakehouse.identity.placeholders import placeholder_patterns
from lakehouse.identity.policy import IdentityPolicy, NormalisePolicy
from lakehouse.identity.relation import Relation, create_table, run, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import duckdb

    from lakehouse.identity.matching.known import Matched
    from lakehouse.identity.ties import Links, People, Ties

    # from a relation of people (see `sql/match_people.sql`) to pairs of them that look like one
    Matcher = Callable[[duckdb.DuckDBPyConnection, str], Matched]

# Types from the strongest tie to the weakest: `rule` names the strongest one that a shared record offers.
STRENGTHS = (
    *("user_id", "email", "phone", "wechat_unionid", "hubspot_id", "salesforce_id"),
    *("zoho_id", "wechat_openid", "anonymous_id"),
)
ID_BYTES: Final = 8  # of chance in a customer id; ids that were given keep theirs

_OBSERVATION = (
    *("record", "source", "slot", "own", "every", "alias", "type", "value", "region"),
    *("said_at", "loaded_at", "file_id", "row"),
)
_IDENTITY = (
    "identifier_type",
    "identifier_value",
    "customer_id",
    "first_seen_at",
    "last_seen_at",
    "first_customer_id",
)
_WORD = ("one_type", "one_value", "other_type", "other_value", "verdict", "said_at")
_TABLES = (
    *("said", "values", "unusual", "normal", "records", "links", "nobodys", "people", "owners", "shared"),
    *(
        "words",
        "members",
        "before",
        "kept",
        "claims",
        "customers",
        "match_people",
        "match_ties",
        "match_denied",
    ),
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one resolution read and decided, as counts.

    `observations` and `invalid` (by type) count observations that carry a value; `placeholders` and
    `ignored_common` (shared by many people) count identifiers that tie nobody and are left out; `new`,
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


def resolve(  # noqa: PLR0913 - the relations that it reads
    con: duckdb.DuckDBPyConnection,
    *,
    observations: str,
    previous: str | None,
    now: datetime,
    people: str | None = None,
    words: str | None = None,
    matcher: Matcher | Matched | None = None,
    max_records: int = IdentityPolicy.max_records,
    known_shared: str | None = None,
) -> Resolution:
    """Resolve who is who; make the temp tables `identities_new`, `identity_changes` and `evidence_new` on `con`.

    With a `matcher`, and people, also `matches_new`: pairs of records that it found, or has found, to look like one
    person.

    `observations`: a relation as `lakehouse.sources.evidence_views.observations_sql` gives it, one row what a raw row
    says of one identifier of its record. A record (unique within its source) describes one person: a CRM contact, a
    user or a device of the site; never an event or an order. An identifier that more than `max_records` people of one
    source carry ties nobody.
    `people`: what records say of their persons (`people_sql`), by which two are known to be different.
    `words`: what people said of two records, as `raw.people_ties` has it; it outranks all evidence.
    `known_shared`: e-mails and phones (identifier_type, identifier_value) that tie nobody, though too few of these
    records carry them to tell.
    `previous`: the rows of `core.identities` as last committed. `now`, with a zone, stamps the changes.
    Raises `Terminal` for a relation that is missing or lacks a column, and for a `now` without a zone.
    """
    if now.tzinfo is None:
        raise Terminal("resolve: `now` has no time zone; pass datetime.now(UTC)")
    observed = Relation(con, observations, _OBSERVATION)
    described = Relation(con, people, ("source", "record")) if people else None
    said = Relation(con, words, _WORD) if words else None
    before = Relation(con, previous, _IDENTITY) if previous else None
    try:
        counts = normalise(con, observed)
        _connect(con, described, said, matcher, max_records, known_shared)
        _name_customers(con, before)
        run(con, "identities_new", {"now": now})
        run(con, "identity_changes", {"now": now})
        run(con, "evidence_new")
        return _resolution(con, counts)
    finally:
        _drop(con, *_TABLES)


def _drop(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    for table in tables:
        con.execute(f"DROP TABLE IF EXISTS temp.identity_{table}")


def make_said(con: duckdb.DuckDBPyConnection, target: str, observations: str) -> None:
    """Make the temp table `target` of what records say, and once said, from SQL of observations: see `sql/said.sql`."""
    names = {"target": target, "observations": observations, "trimmed": ids.trimmed_sql("o.value")}
    run(con, "said", names=names)


def normalise(con: duckdb.DuckDBPyConnection, observed: Relation) -> tuple[int, dict[str, int]]:
    """Make `identity_normal`, each distinct value and the identifier that it spells.

    Returns the number of observations, and of those by type that are invalid.
    """
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    make_said(con, "identity_said", observed.sql)
    create_plain(con)
    run(con, "values", names={"dividers": literal(EMAIL_DIVIDERS)})
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
        "ANTI JOIN identity_normal AS n USING (type, value, region, part) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    _drop(con, "values", "unusual")
    return observations, dict(invalid)


def _unsettled(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str, str, str]]:
    """Yield (value_id, type, value, region) of what SQL alone could not settle."""
    con.execute(
        "SELECT value_id, type, part, region FROM identity_values WHERE normal IS NULL AND list_contains(?, type)",
        [list(KINDS)],
    )
    while batch := con.fetchmany(NormalisePolicy.fetch_rows):
        yield from batch


def _connect(
    con: duckdb.DuckDBPyConnection,
    people: Relation | None,
    said: Relation | None,
    matcher: Matcher | Matched | None,
    max_records: int,
    known_shared: str | None,
) -> None:
    """Make `identity_members`: the identifiers that name a customer, each with its component."""
    import numpy as np  # noqa: PLC0415 - 0.1 s, only when used

    from lakehouse.identity.persons import Described, clustering  # noqa: PLC0415 - likewise
    from lakehouse.identity.ties import people_of  # noqa: PLC0415

    run(con, "records")
    run(con, "links")
    if people and callable(matcher):
        describe(con, "identity_match_people", people, SAID, "identity_records")
        matched: Matched | None = matcher(con, "identity_match_people")
    else:
        matched = None if callable(matcher) else matcher
    run(con, "nobodys", {"max_records": max_records})
    run(con, "drop_nobodys")
    con.execute("DELETE FROM identity_links WHERE NOT current")
    records = scalar(con, "SELECT count(*) FROM identity_records")
    described = Described(con, people)
    alike = likenesses(con, matched) if matched else None
    found = people_of(
        _links(con),
        _ties_by_word(con, said),
        clustering(described, records),
        max_records,
        alike,
        _numbers(con, known_shared),
    )
    create_table(con, "identity_people", {"record_id": np.arange(records), "component": found.person})
    create_table(con, "identity_owners", {"identifier": found.owned, "component": found.owner})
    create_table(con, "identity_shared", {"identifier": _shared(con, found)})
    run(con, "members", {"strengths": list(STRENGTHS)})
    if matched:
        note_matches(con, matched, described)


def _numbers(con: duckdb.DuckDBPyConnection, identifiers: str | None) -> set[int]:
    """Return the numbers that identifiers of a relation have in this run."""
    if identifiers is None:
        return set()
    found = con.execute(
        f"SELECT DISTINCT n.identifier FROM identity_normal AS n JOIN {qualified(identifiers)} AS k "
        "ON k.identifier_type = n.type AND k.identifier_value = n.normal"
    ).fetchall()
    return {row[0] for row in found}


def _links(con: duckdb.DuckDBPyConnection) -> Links:
    import numpy as np  # noqa: PLC0415 - 0.1 s, only when used

    from lakehouse.identity.ties import Links, level_of  # noqa: PLC0415

    types = [
        row[0] for row in con.execute("SELECT DISTINCT type FROM identity_links ORDER BY ALL").fetchall()
    ]
    levels = np.array([level_of(kind) for kind in types], np.int64)
    rows = con.execute(
        "SELECT identifier::BIGINT AS identifier, record_id::BIGINT AS record, source_id::BIGINT AS source, "
        "(list_position($types, type) - 1)::BIGINT AS type, own, alias, coalesce(epoch_us(since), 0) AS since "
        "FROM identity_links",
        {"types": types},
    ).fetchnumpy()
    plain = {name: np.asarray(column) for name, column in rows.items()}
    level = levels[plain["type"]] if types else np.empty(0, np.int64)
    return Links(
        plain["identifier"],
        plain["record"],
        plain["source"],
        level,
        plain["own"],
        plain["alias"],
        plain["since"],
    )


def _ties_by_word(con: duckdb.DuckDBPyConnection, said: Relation | None) -> Ties:
    """Return what people said of records. A word about a record that is not there waits until it is."""
    import numpy as np  # noqa: PLC0415 - 0.1 s, only when used

    from lakehouse.identity.ties import Ties  # noqa: PLC0415 - likewise

    ties = Ties()
    if said is None:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE identity_words (one_record BIGINT, other_record BIGINT, verdict VARCHAR)"
        )
        return ties
    run(con, "words", names={"words": said.sql})
    words = con.execute(
        "SELECT one_record, other_record, verdict FROM identity_words ORDER BY ALL"
    ).fetchall()
    known = [word for word in words if None not in word and word[0] != word[1]]
    ones = np.array([word[:2] for word in known if word[2] == "one"], np.int64).reshape(-1, 2)
    ties.add(ones[:, 0], ones[:, 1], np.inf)
    ties.apart.extend((one, other) for one, other, verdict in known if verdict == "two")
    return ties


def _shared(con: duckdb.DuckDBPyConnection, found: People) -> object:
    """Return the identifiers that tie nobody since too many carry them, those of no user among them."""
    import numpy as np  # noqa: PLC0415 - 0.1 s, only when used

    nobodys = [row[0] for row in con.execute("SELECT identifier FROM identity_nobodys").fetchall()]
    return np.array(sorted({*nobodys, *found.shared}), np.int64)


def _name_customers(con: duckdb.DuckDBPyConnection, before: Relation | None) -> None:
    """Make `identity_customers`: the customer id of every component, kept, given back or new."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_before (identifier_type VARCHAR, identifier_value VARCHAR, "
        "customer_id VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ, first_customer_id VARCHAR)"
    )
    if before is not None:
        con.execute(f"INSERT INTO identity_before SELECT {', '.join(_IDENTITY)} FROM {before.sql}")
        con.execute(
            "UPDATE identity_before SET first_customer_id = customer_id WHERE first_customer_id IS NULL"
        )
    run(con, "kept")
    run(con, "claims")
    run(con, "customers")
    nameless = con.execute(
        "SELECT DISTINCT component FROM identity_members ANTI JOIN identity_customers USING (component) ORDER BY ALL"
    ).fetchnumpy()["component"]
    drawn = pa.array([f"c_{secrets.token_hex(ID_BYTES)}" for _ in nameless], pa.string())
    con.register("identity_drawn", pa.table({"component": nameless, "customer_id": drawn}))
    con.execute("INSERT INTO identity_customers SELECT component, customer_id FROM identity_drawn")
    con.unregister("identity_drawn")


def _resolution(con: duckdb.DuckDBPyConnection, counts: tuple[int, dict[str, int]]) -> Resolution:
    observations, invalid = counts
    changes = dict(con.execute("SELECT change, count(*) FROM identity_changes GROUP BY ALL").fetchall())
    return Resolution(
        observations=observations,
        identifiers=scalar(con, "SELECT count(*) FROM identities_new"),
        customers=scalar(con, "SELECT count(*) FROM identity_customers"),
        invalid=invalid,
        placeholders=scalar(con, "SELECT count(DISTINCT identifier) FROM identity_normal WHERE placeholder"),
        ignored_common=scalar(con, "SELECT count(*) FROM identity_shared"),
        new=changes.get("new", 0),
        merged=changes.get("merge", 0),
        split=changes.get("split", 0),
    )
