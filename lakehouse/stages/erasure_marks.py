"""Remembering who was erased: keyed hashes of a person's addresses and ids, landed by the common door; audited.

From then on nothing that was said before, nor any list that comes again, lets them be contacted; what they say
themselves afterwards does. Erasing what is stored of a person is another job, and ends by calling this one, as long as
identities still say which addresses and ids are theirs.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lakehouse.engine.subject_words import ADDRESS_TYPES
from lakehouse.errors import Terminal
from lakehouse.privacy import erasures
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.stages import analyst_sql
from lakehouse.stages.consent_files import audit, land
from lakehouse.stages.consent_questions import is_customer, normal_name, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    import duckdb

    from lakehouse.settings import Settings

_ID_BYTES: Final = 8  # of chance in an erasure's id
_TABLES: Final = ("core.identities", "core.evidence")
# Besides what is theirs now, addresses that their records had before, unless somebody else carries them. A device is no
# person's: the next one on it has said nothing yet.
_SUBJECTS = """
WITH mine AS (
    SELECT identifier_type, identifier_value FROM core.identities
    WHERE list_contains($customers, customer_id) AND identifier_type <> 'anonymous_id'
),
records AS (
    SELECT DISTINCT source, record FROM core.evidence SEMI JOIN mine USING (identifier_type, identifier_value) WHERE own
),
others AS (
    SELECT DISTINCT identifier_type, identifier_value
    FROM core.evidence ANTI JOIN records USING (source, record)
    WHERE until IS NULL
)
SELECT identifier_type, identifier_value FROM mine
UNION
SELECT identifier_type, identifier_value
FROM core.evidence SEMI JOIN records USING (source, record) ANTI JOIN others USING (identifier_type, identifier_value)
WHERE standing = 'superseded' AND identifier_type IN ('email', 'phone') AND identifier_value IS NOT NULL
ORDER BY ALL
"""
_CUSTOMERS = """
SELECT DISTINCT customer_id FROM core.identities
WHERE customer_id = $who OR (identifier_type IN ('email', 'phone') AND identifier_value = $who)
ORDER BY ALL
"""
_OF_ERASURE = (
    f"SELECT subject_hash, kind, erasure_id FROM ({erasures.IN_FORCE}) WHERE erasure_id = $id ORDER BY ALL"
)


@dataclass(frozen=True, slots=True)
class Marked:
    """An erasure by its id, the customers whose it is, and how many of their addresses and other ids are remembered."""

    erasure_id: str
    customers: list[str]
    addresses: int
    identifiers: int


def mark_erased(settings: Settings, who: str, why: str, by: str, now: datetime) -> Marked:
    """Remember a person by an address or customer id; the refusal counts once the file is loaded.

    All that identities know of the address's customer is remembered, too; of an address that nobody knows, that alone.
    Terminal for a customer that is not there, and for a reason that names what is to be forgotten.
    """
    name = normal_name(who)
    with closing(analyst_sql.connect(settings, _TABLES)) as con:
        customers = [row[0] for row in con.execute(_CUSTOMERS, {"who": name}).fetchall()]
        found = {(row[0], row[1]) for row in con.execute(_SUBJECTS, {"customers": customers}).fetchall()}
    by_id = is_customer(name)
    if by_id and not found:
        raise Terminal(f"no customer {name}: `lakehouse identity explain` finds them; or name each address")
    subjects = found if by_id else found | {("email" if "@" in name else "phone", name)}
    _refuse_names(why, {value for kind, value in subjects if kind in ADDRESS_TYPES})
    hasher = address_hasher(settings)
    hashes = {hasher.hash_identifier(*subject): _kind(subject) for subject in sorted(subjects)}
    erasure_id = f"e_{secrets.token_hex(_ID_BYTES)}"
    lines = [
        {
            "erasure_id": erasure_id,
            "subject_hash": each,
            "kind": kind,
            "key": hasher.fingerprint,
            "reason": why,
        }
        for each, kind in hashes.items()
    ]
    kinds = list(hashes.values())
    marked = Marked(erasure_id, customers, kinds.count("address"), kinds.count("identifier"))
    detail = {"by": by, "why": why, "addresses": marked.addresses, "identifiers": marked.identifiers}
    audit(settings, "consent_erased", erasure_id, detail, now)
    _land(settings, lines, now, erased=True)
    return marked


def end_erasure(settings: Settings, erasure_id: str, why: str, by: str, now: datetime) -> Marked:
    """End what an erasure refuses, since it was of the wrong person; Terminal where none of that id is in force."""
    with closing(analyst_sql.connect(settings, (erasures.ERASURES,))) as con:
        lines = _lines_of(con, erasure_id)
    if not lines:
        raise Terminal(
            f"no erasure {erasure_id} is in force; `lakehouse consent explain` names those of an address"
        )
    kinds = [line["kind"] for line in lines]
    ended = Marked(erasure_id, [], kinds.count("address"), kinds.count("identifier"))
    _refuse_names(why, ())
    audit(settings, "consent_erasure_ended", erasure_id, {"by": by, "why": why}, now)
    key = address_hasher(settings).fingerprint
    _land(settings, [line | {"key": key, "reason": why} for line in lines], now, erased=False)
    return ended


def _lines_of(con: duckdb.DuckDBPyConnection, erasure_id: str) -> list[dict[str, Any]]:
    return rows_of(con.execute(_OF_ERASURE, {"id": erasure_id}))


def _kind(subject: tuple[str, str]) -> str:
    return "address" if subject[0] in ADDRESS_TYPES else "identifier"


def _refuse_names(why: str, values: Collection[str]) -> None:
    """Raise Terminal where a reason, which stays, quotes what is to be forgotten."""
    if "@" in why or any(value.lower() in why.lower() for value in values):
        raise Terminal("the reason names the person, and stays: say it by the number of the request, say")


def _land(settings: Settings, lines: Iterable[dict[str, Any]], now: datetime, *, erased: bool) -> None:
    name = secrets.token_hex(16)
    stamp = {"erased": erased, "erased_at": now.isoformat()}
    land(settings, "erasures", name, [line | stamp for line in lines], now)
