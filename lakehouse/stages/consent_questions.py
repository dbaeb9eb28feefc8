"""What is known of somebody's consent: the answers, and the statements behind them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from lakehouse.engine import normal_forms
from lakehouse.errors import Terminal
from lakehouse.privacy import erasures
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.stages import analyst_sql

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb

    from lakehouse.settings import Settings

_ANSWERS = """
SELECT customer_id, address, purpose, channel, allowed, consent_id, coalesce(erased, false) AS erased
FROM core.consent_answers
WHERE customer_id = $who OR address = $who
ORDER BY ALL
"""
_STATEMENTS = """
WITH answers AS (SELECT * FROM core.consent_answers WHERE customer_id = $who OR address = $who)
SELECT c.consent_id, c.customer_id, c.purpose, c.channel, c.granted, c.stated_at, c.effective_at, c.learnt_at,
    c.day_only, c.source, c.record, c.address, c.policy_version, c.ended_at, c.recalled_at, c.file_id, c."row",
    c.form, c.erasure_id,
    c.consent_id IN (SELECT consent_id FROM answers) AS decides
FROM core.consents AS c
WHERE c.address = $who OR c.customer_id = $who OR c.consent_id IN (SELECT consent_id FROM answers)
    OR c.customer_id IN (SELECT customer_id FROM answers)
ORDER BY c.effective_at DESC NULLS LAST, c.consent_id
"""
_ERASURES = f"""
SELECT erasure_id, erased_at, reason, count(*) FILTER (kind = 'address') AS addresses,
    count(*) FILTER (kind = 'identifier') AS identifiers, bool_or(subject_hash = $hash) AS names_it
FROM ({erasures.IN_FORCE})
GROUP BY ALL
HAVING names_it OR list_contains($named, erasure_id)
ORDER BY erased_at DESC, erasure_id
"""


def is_customer(who: str) -> bool:
    """Return whether that is a customer id, and no e-mail address that begins like one."""
    return who.startswith("c_") and "@" not in who


def normal_name(who: str) -> str:
    """Return a customer id as it is, an e-mail or phone in its normal form; Terminal for one that is none."""
    if is_customer(who):
        return who
    kind = "email" if "@" in who else "phone"
    found = normal_forms.normal_form(kind, who, None)
    if found is None:
        hint = "an e-mail, a phone with its country code, or a customer id"
        raise Terminal(f"what was named is no customer id, and no valid {kind}: give {hint}")
    return found


def answers(settings: Settings, who: str) -> list[dict[str, Any]]:
    """Return the answers for a customer, or for an address, whoever's."""
    with closing(analyst_sql.connect(settings)) as con:
        return rows_of(con.execute(_ANSWERS, {"who": who}))


def explain(settings: Settings, who: str) -> dict[str, list[dict[str, Any]]]:
    """Return the answers, and every statement of the customers and addresses in them, newest first; and erasures.

    `decides` marks statements that an answer leans on. `erasures` are those in force that answers or statements name,
    and that of the address itself (`names_it`), though nothing else is known of it any more.
    """
    with closing(analyst_sql.connect(settings)) as con:
        answered = rows_of(con.execute(_ANSWERS, {"who": who}))
        statements = rows_of(con.execute(_STATEMENTS, {"who": who}))
        named = {row["consent_id"] for row in answered if row["erased"]}
        named |= {row["erasure_id"] for row in statements if row["erasure_id"]}
        return {
            "answers": answered,
            "statements": statements,
            "erasures": _erasures(con, settings, who, named),
        }


def _erasures(
    con: duckdb.DuckDBPyConnection, settings: Settings, who: str, named: Collection[str]
) -> list[dict[str, Any]]:
    """Return the erasures of these ids, and of an address; the key is read only where anybody was erased."""
    if con.execute(f"SELECT count(*) FROM {erasures.ERASURES}").fetchone() == (0,):
        return []
    given = {"hash": address_hasher(settings).hash(who), "named": sorted(named)}
    return rows_of(con.execute(_ERASURES, given))


def rows_of(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of a query that was run, each by the names of its columns."""
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
