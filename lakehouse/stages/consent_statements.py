"""A person's word on consents: a statement, or a recall, as a raw file that comes in by the common door; audited.

A recall tells besides whom something was sent to that leaned on what is recalled, and what is to be done about it.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from lakehouse.engine.consent_terms import EVERY, term_of, terms
from lakehouse.errors import Terminal
from lakehouse.stages import analyst_sql
from lakehouse.stages.consent_files import audit, land
from lakehouse.stages.consent_questions import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import duckdb

    from lakehouse.engine.consent_terms import Kind as TermKind
    from lakehouse.settings import Settings

Kind = Literal["source", "form", "file"]

_LEANED_ON = """
CREATE TEMP TABLE leaned AS
SELECT d.sync, d.run, d.chunk, d.customer_id, d.outcome, d.outcome_at, d.consent_id, d.crm_id, c.purpose, c.channel
FROM ops.deliveries AS d JOIN core.consents AS c USING (consent_id)
WHERE d.outcome IN ('sent', 'unknown')
    AND CASE $kind WHEN 'file' THEN c.file_id WHEN 'form' THEN c.form ELSE c.source END = $target
"""
_SENDS = "SELECT * FROM leaned ORDER BY customer_id, sync, outcome_at, run, chunk"
_PEOPLE = """
WITH people AS (
    SELECT customer_id, sync, purpose, channel, count(*) AS sends, max(outcome_at) AS last_sent_at,
        bool_or(outcome = 'unknown') AS is_unknown, max(crm_id) AS crm_id
    FROM leaned
    GROUP BY ALL
),
others AS (
    SELECT customer_id, purpose, channel,
        arg_max(consent_id, coalesce(effective_at, TIMESTAMPTZ '0001-01-01')) AS other_id
    FROM core.consents
    WHERE granted AND ended_at IS NULL AND recalled_at IS NULL
        AND CASE $kind WHEN 'file' THEN file_id WHEN 'form' THEN form ELSE source END IS DISTINCT FROM $target
    GROUP BY ALL
),
removals AS (
    SELECT customer_id, sync, max(outcome_at) AS removed_at
    FROM ops.deliveries
    WHERE action = 'remove' AND outcome = 'removed'
    GROUP BY ALL
)
SELECT p.*, o.other_id, CASE WHEN r.removed_at > p.last_sent_at THEN r.removed_at END AS removed_at
FROM people AS p
LEFT JOIN others AS o USING (customer_id, purpose, channel)
LEFT JOIN removals AS r USING (customer_id, sync)
ORDER BY p.customer_id, p.sync, p.purpose, p.channel
"""
_NAMED = """
SELECT DISTINCT 'source' AS kind, source AS name FROM core.consents WHERE source = $target
UNION ALL
SELECT DISTINCT 'form', form FROM core.consents WHERE form = $target
"""
_FILES = "SELECT DISTINCT 'file', file_id FROM core.consents WHERE starts_with(file_id, $target)"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said of one address."""

    address: str
    channel: str
    purpose: str
    granted: bool
    stated_at: datetime
    policy_version: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """What was recalled, every delivery that leaned on it, and of each person and sync what is to be done.

    `sends` are rows of `ops.deliveries`, `people` one a person, sync, purpose and channel.
    """

    kind: Kind
    target: str
    sends: list[dict[str, Any]]
    people: list[dict[str, Any]]


def state(settings: Settings, statement: Statement, by: str, now: datetime) -> str:
    """Land a statement and note who wrote it; return its id. It counts once the file is loaded.

    Terminal, and nothing is landed, for what ingest would set aside: a channel or a purpose of no list, a yes to all.
    """
    _check(statement)
    statement_id = uuid4().hex
    line = asdict(statement) | {
        "statement_id": statement_id,
        "granted": "yes" if statement.granted else "no",
        "stated_at": statement.stated_at.isoformat(),
        "via": "command",
    }
    action = "consent_granted" if statement.granted else "consent_withdrawn"
    detail = {"by": by, "channel": statement.channel, "purpose": statement.purpose}
    audit(settings, action, statement_id, detail, now)
    land(settings, "statements", statement_id, [line], now)
    return statement_id


def _check(statement: Statement) -> None:
    said: tuple[tuple[TermKind, str], ...] = (("channel", statement.channel), ("purpose", statement.purpose))
    for kind, word in said:
        meant = term_of(kind, word)
        if meant is None:
            known = ", ".join(name for name in terms(kind) if name != EVERY or not statement.granted)
            raise Terminal(f"--{kind} {word}: there is none of that name; there are {known}")
        if meant == EVERY and statement.granted:
            raise Terminal(f"--{kind} {word}: only a refusal may be of all; a yes names one")


def recall(  # noqa: PLR0913 - what, why, who, when; and which kind of thing, where a name is of two
    settings: Settings,
    target: str,
    why: str,
    by: str,
    now: datetime,
    *,
    kind: Kind | None = None,
    undo: bool = False,
) -> Recall:
    """Land the recall of a source, a form, or a raw file (its id, or how it begins), or the end of one.

    Returns the deliveries that leaned on its statements, as far as the books have copied them. Terminal when no
    statement came from there, from several files, or when both a source and a form have the name and `kind` is none.
    """
    with closing(analyst_sql.connect(settings)) as con:
        found_kind, name = _find(con, target, kind)
        named = {"kind": found_kind, "target": name}
        con.execute(_LEANED_ON, named)
        sends = rows_of(con.execute(_SENDS))
        people = [row | {"to_do": to_do(row, undo=undo)} for row in rows_of(con.execute(_PEOPLE, named))]
    line = {
        "target": name,
        "kind": found_kind,
        "recalled": not undo,
        "recalled_at": now.isoformat(),
        "reason": why,
    }
    action = "consent_recall_ended" if undo else "consent_recalled"
    detail = {"by": by, "why": why, "kind": found_kind, "sends": len(sends), "people": len(people)}
    audit(settings, action, name, detail, now)
    land(settings, "recalls", uuid4().hex, [line], now)
    return Recall(found_kind, name, sends, people)


def to_do(person: Mapping[str, Any], *, undo: bool = False) -> str:
    """Return what is to be done about one person of one sync whom something was sent to."""
    sync, other = person["sync"], person["other_id"]
    if undo:
        return "nothing: what it granted counts again"
    if person["removed_at"] is not None:
        return f"nothing: {sync} has taken them off since"
    if other is not None:
        return (
            f"look: {other} may allow it still, `lakehouse consent explain {person['customer_id']}` tells; "
            f"if it does not, the next run of {sync} takes them off"
        )
    if person["is_unknown"]:
        return f"look in the CRM whether they are there: {sync} had no answer; its next run takes off whom it knows of"
    return f"the next run of {sync} takes them off; what they got before is to be answered for"


def _find(con: duckdb.DuckDBPyConnection, target: str, kind: Kind | None) -> tuple[Kind, str]:
    """Return what a name is of: of a source or form by its whole name, else of a raw file by how its id begins."""
    found = con.execute(_NAMED, {"target": target}).fetchall()
    if kind == "file" or not found:
        found = con.execute(_FILES, {"target": target}).fetchall()
    found = [row for row in found if kind in (None, row[0])]
    if len(found) == 1:
        return found[0][0], str(found[0][1])
    if not found:
        what = f"no {kind}" if kind else "no source, no form and no raw file"
        raise Terminal(
            f"{target!r} is {what} of statements; `lakehouse consent explain` shows where they come from"
        )
    if found[0][0] == "file":
        raise Terminal(f"{target!r} is how several raw files begin; write more of the id")
    raise Terminal(f"{target!r} is both a source and a form; say with --kind which is meant")
