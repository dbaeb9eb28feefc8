"""Why records are one customer: every piece of evidence, since when and by which rule, and what ties nobody."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.engine import normal_forms
from lakehouse.errors import Terminal
from lakehouse.stages import analyst_sql
from lakehouse.stages.consent_questions import is_customer
from lakehouse.stages.review_matches import Reason, reasons_of
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

_CONTACT_TYPES = ("email", "phone")
_FOUND = """
    SELECT DISTINCT customer_id FROM core.identities
    WHERE customer_id = $text OR identifier_value IN (SELECT unnest($values)) AND $type IN ('', identifier_type)
    ORDER BY ALL
"""
_IDENTIFIERS = """
    SELECT identifier_type, identifier_value, rule, first_seen_at, last_seen_at, sources, records
    FROM core.identities WHERE customer_id = $customer ORDER BY ALL
"""
# Records are known by the identifiers that name them.
_EVIDENCE = """
    WITH records AS (
        SELECT source, record FROM core.evidence AS e
        JOIN core.identities AS i USING (identifier_type, identifier_value)
        WHERE e.own AND i.customer_id = $customer
    )
    SELECT e.source, e.record, e.slot, e.identifier_type, e.identifier_value, e.own, e.standing, e.since, e.until,
        e.file_id, e.row
    FROM core.evidence AS e SEMI JOIN records USING (source, record)
    ORDER BY ALL
"""
_OTHERS = """
    WITH named AS (
        SELECT e.source, e.record, i.customer_id FROM core.evidence AS e
        JOIN core.identities AS i USING (identifier_type, identifier_value) WHERE e.own
    ),
    carried AS (
        SELECT DISTINCT e.identifier_type, e.identifier_value, e.standing, n.customer_id
        FROM core.evidence AS e JOIN named AS n USING (source, record)
        WHERE e.standing IN ('ties', 'shared') AND e.identifier_value IS NOT NULL
    )
    SELECT mine.identifier_type, mine.identifier_value, mine.standing, list(DISTINCT other.customer_id ORDER BY 1)
    FROM carried AS mine JOIN carried AS other USING (identifier_type, identifier_value)
    WHERE mine.customer_id = $customer AND other.customer_id <> $customer
    GROUP BY ALL ORDER BY ALL
"""
_ALIKE = """
    WITH records AS (
        SELECT DISTINCT source, record FROM core.evidence AS e
        JOIN core.identities AS i USING (identifier_type, identifier_value)
        WHERE e.own AND i.customer_id = $customer
    )
    SELECT m.left_record, m.right_record, m.weight_bits, m.standing, m.explanation
    FROM core.matches AS m
    WHERE (m.left_source, m.left_record) IN (FROM records) OR (m.right_source, m.right_record) IN (FROM records)
    ORDER BY m.standing, m.weight_bits DESC, m.left_record, m.right_record
"""
_HISTORY = """
    SELECT decided_at, action, subject, detail->>'customer_id' FROM ops.audit_log
    WHERE action IN ('merge', 'split') AND (subject = $customer OR (detail->>'customer_id') = $customer) ORDER BY ALL
"""


@dataclass(frozen=True)
class IdentifierOf:
    """An identifier of a customer, and what tied it."""

    type: str
    value: str
    rule: str
    first_seen_at: datetime
    last_seen_at: datetime
    sources: int
    records: int


@dataclass(frozen=True)
class Statement:
    """What a record says, or said, in one place: a row of `core.evidence`."""

    source: str
    record: str
    slot: str
    type: str
    value: str | None
    own: bool
    standing: str
    since: datetime
    until: datetime | None
    file_id: str
    row: int


@dataclass(frozen=True)
class NoTie:
    """An identifier that others carry, too, and that does not make them one with the customer.

    `standing`: `shared` where too many carry it; `ties` where the two contradict each other, or it is a device.
    """

    type: str
    value: str
    standing: str
    customers: list[str]


@dataclass(frozen=True)
class Likeness:
    """Two records that look like one person, one of them the customer's: how much so, why, and what came of it."""

    one: str
    other: str
    weight_bits: float
    standing: str
    reasons: list[Reason]


@dataclass(frozen=True)
class Change:
    """A merge or a split that the customer was in: `customer_id` became `into`."""

    at: datetime
    action: str
    customer_id: str
    into: str | None


@dataclass(frozen=True)
class Explanation:
    """All that is known of why a customer is one."""

    customer_id: str
    identifiers: list[IdentifierOf]
    evidence: list[Statement]
    others: list[NoTie]
    alike: list[Likeness]
    history: list[Change]

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that `identity explain --json` uses; moments as they are."""
        return asdict(self)


def explain(con: duckdb.DuckDBPyConnection, text: str) -> list[Explanation]:
    """Explain the customers whom a text names: a customer id, an e-mail, a phone, or an id, perhaps as `type:value`.

    `con` has all tables in place. Raises Terminal where nobody is called so.
    """
    return [_explain(con, customer) for customer in _customers(con, text)]


def find_customer(settings: Settings, text: str) -> str:
    """Return the customer whom a text names, as `explain` reads it; a customer id as it is, known or not.

    Raises Terminal where nobody is called so, and where several are.
    """
    if is_customer(text):
        return text
    with closing(analyst_sql.connect(settings, (IDENTITIES.name,))) as con:
        customers = _customers(con, text)
    if len(customers) > 1:
        raise Terminal(f"several customers are known by that: {', '.join(customers)}; name one by its id")
    return customers[0]


def _customers(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    customers = [row[0] for row in con.execute(_FOUND, _named_by(text)).fetchall()]
    if not customers:
        hint = "give a customer id, an e-mail, a phone with its country code, or TYPE:VALUE, as crm_id:42"
        raise Terminal(f"no customer is known by that: {hint}")
    return customers


def _named_by(text: str) -> dict[str, Any]:
    """Return the text itself, the values that it may stand for in `core.identities`, and the type if it names one."""
    bare = text.strip()
    kind, colon, value = bare.partition(":")
    is_typed = bool(colon) and kind.replace("_", "").isalnum() and kind.islower()
    wanted = value.strip() if is_typed else bare
    forms = (normal_forms.normal_form(each, wanted, None) for each in _CONTACT_TYPES)
    values = {wanted, bare, *(form for form in forms if form)}
    return {"text": bare, "values": sorted(values), "type": kind if is_typed else ""}


def _explain(con: duckdb.DuckDBPyConnection, customer_id: str) -> Explanation:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return con.execute(query, {"customer": customer_id}).fetchall()

    return Explanation(
        customer_id,
        [IdentifierOf(*row) for row in rows(_IDENTIFIERS)],
        [Statement(*row) for row in rows(_EVIDENCE)],
        [NoTie(*row) for row in rows(_OTHERS)],
        [Likeness(row[0], row[1], row[2], row[3], reasons_of(row[4])) for row in rows(_ALIKE)],
        [Change(*row) for row in rows(_HISTORY)],
    )
