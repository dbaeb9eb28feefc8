"""What is known of somebody's consent: the answers, and the statements behind them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from lakehouse.engine import normal_forms
from lakehouse.errors import Terminal
from lakehouse.stages import analyst_sql

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

_ANSWERS = """
SELECT customer_id, address, purpose, channel, allowed, consent_id FROM core.consent_answers
WHERE customer_id = $who OR address = $who
ORDER BY ALL
"""
_STATEMENTS = """
WITH answers AS (SELECT * FROM core.consent_answers WHERE customer_id = $who OR address = $who)
SELECT c.consent_id, c.customer_id, c.purpose, c.channel, c.granted, c.stated_at, c.effective_at, c.learnt_at,
    c.day_only, c.source, c.record, c.address, c.policy_version, c.ended_at, c.recalled_at, c.file_id, c."row",
    c.form,
    c.consent_id IN (SELECT consent_id FROM answers) AS decides
FROM core.consents AS c
WHERE c.address = $who OR c.customer_id = $who OR c.consent_id IN (SELECT consent_id FROM answers)
    OR c.customer_id IN (SELECT customer_id FROM answers)
ORDER BY c.effective_at DESC NULLS LAST, c.consent_id
"""


def normal_name(who: str) -> str:
    """Return a customer id as it is, an e-mail or phone in its normal form; Terminal for one that is none."""
    if who.startswith("c_"):
        return who
    kind = "email" if "@" in who else "phone"
    found = normal_forms.normal_form(kind, who, None)
    if found is None:
        raise Terminal(f"what was asked for is no customer id, and no valid {kind}")
    return found


def answers(settings: Settings, who: str) -> list[dict[str, Any]]:
    """Return the answers for a customer, or for an address, whoever's."""
    with closing(analyst_sql.connect(settings)) as con:
        return rows_of(con.execute(_ANSWERS, {"who": who}))


def explain(settings: Settings, who: str) -> dict[str, list[dict[str, Any]]]:
    """Return the answers, and every statement of the customers and addresses in them, newest first.

    `decides` marks those that an answer leans on.
    """
    with closing(analyst_sql.connect(settings)) as con:
        return {
            "answers": rows_of(con.execute(_ANSWERS, {"who": who})),
            "statements": rows_of(con.execute(_STATEMENTS, {"who": who})),
        }


def rows_of(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of a query that was run, each by the names of its columns."""
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
