"""A person's word on consents: a statement, or a recall, as a raw file that comes in by the common door; audited."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lakehouse import objects
from lakehouse.errors import Terminal
from lakehouse.stages import analyst_sql

if TYPE_CHECKING:
    from datetime import datetime

    from lakehouse.settings import Settings

_LEANED_ON = """
SELECT d.sync, d.run, d.chunk, d.customer_id, d.outcome_at, d.consent_id, d.crm_id
FROM ops.deliveries AS d JOIN core.consents AS c USING (consent_id)
WHERE d.outcome IN ('sent', 'unknown') AND CASE $kind WHEN 'file' THEN c.file_id ELSE c.source END = $target
ORDER BY ALL
"""
_FILES = "SELECT DISTINCT file_id FROM core.consents WHERE starts_with(file_id, $target)"
_SOURCES = "SELECT DISTINCT source FROM core.consents WHERE source = $target"


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
    """What was recalled, and every delivery that leaned on it; each is a row of `ops.deliveries`."""

    kind: str
    target: str
    sends: list[dict[str, Any]]


def state(settings: Settings, statement: Statement, by: str, now: datetime) -> str:
    """Land a statement and note who wrote it; return its id. It counts once the file is loaded."""
    statement_id = uuid4().hex
    line = asdict(statement) | {
        "statement_id": statement_id,
        "granted": "yes" if statement.granted else "no",
        "stated_at": statement.stated_at.isoformat(),
    }
    action = "consent_granted" if statement.granted else "consent_withdrawn"
    detail = {"by": by, "channel": statement.channel, "purpose": statement.purpose}
    _audit(settings, action, statement_id, detail, now)
    _land(settings, "statements", statement_id, line, now)
    return statement_id


def recall(
    settings: Settings, target: str, why: str, by: str, now: datetime, *, undo: bool = False
) -> Recall:
    """Land the recall of a raw file (its id, or how it begins) or of a source, or the end of one.

    Returns the deliveries that leaned on its statements, as far as the books have copied them. Terminal when no
    statement came from there, or from several files.
    """
    with closing(analyst_sql.connect(settings)) as con:
        sources = con.execute(_SOURCES, {"target": target}).fetchall()
        found = sources or con.execute(_FILES, {"target": target}).fetchall()
        if len(found) != 1:
            what = "several files" if found else "no source and no raw file of statements"
            raise Terminal(
                f"{target!r} is {what}; `lakehouse consent explain` shows where statements come from"
            )
        kind, name = ("source" if sources else "file"), str(found[0][0])
        leaned = con.execute(_LEANED_ON, {"kind": kind, "target": name})
        names = [column[0] for column in leaned.description or []]
        sends = [dict(zip(names, row, strict=True)) for row in leaned.fetchall()]
    line = {"target": name, "kind": kind, "recalled": not undo, "recalled_at": now.isoformat(), "reason": why}
    action = "consent_recall_ended" if undo else "consent_recalled"
    _audit(settings, action, name, {"by": by, "why": why, "kind": kind, "sends": len(sends)}, now)
    _land(settings, "recalls", uuid4().hex, line, now)
    return Recall(kind, name, sends)


def _land(settings: Settings, entity: str, name: str, line: dict[str, Any], now: datetime) -> None:
    key = f"consent/{entity}/{now:%Y/%m/%d/%H}/{name}.ndjson"
    objects.put(settings.landing_bucket, key, json.dumps(line, ensure_ascii=False).encode())


def _audit(settings: Settings, action: str, subject: str, detail: dict[str, Any], now: datetime) -> None:
    entry = {"action": action, "subject": subject, "at": now.isoformat(), "detail": detail}
    key = f"audit/consent/{action}-{uuid4().hex}.json"
    objects.put(settings.ops_bucket, key, json.dumps(entry, ensure_ascii=False).encode())
