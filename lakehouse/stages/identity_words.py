"""What people say of who is who: a statement about two records, landed as any other raw file is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from lakehouse.errors import Terminal
from lakehouse.landing.put import put
from lakehouse.stages.explain_identity import explain

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

PLACE = "people/ties"
Verdict = Literal["one", "two", "open"]


@dataclass(frozen=True)
class RecordName:
    """The identifier that names a record, and what it is a record of."""

    type: str
    value: str
    source: str


@dataclass(frozen=True)
class Said:
    """Who says so, and why."""

    by: str
    why: str


def records_of(con: duckdb.DuckDBPyConnection, text: str) -> list[RecordName]:
    """Return the records that a text names: that one, or all of a customer's; Terminal where nobody is called so."""
    _, _, value = text.strip().partition(":")
    found = {
        RecordName(statement.type, statement.value, statement.source)
        for explained in explain(con, text)
        for statement in explained.evidence
        if statement.own and statement.value is not None
    }
    named = [name for name in found if name.value in {text.strip(), value.strip()}]
    return sorted(named or found, key=lambda name: (name.type, name.value, name.source))


def say(
    settings: Settings,
    pair: tuple[RecordName, RecordName],
    verdict: Verdict,
    said: Said,
    clock: Callable[[], datetime],
) -> str:
    """Land the word that two records are one person, or two, or as the evidence says; return the raw file's key."""
    one, other = pair
    if (one.type, one.value) == (other.type, other.value):
        raise Terminal("a record is one person with itself: name two")
    statement = {
        "statement_id": uuid.uuid4().hex,
        "one_type": one.type,
        "one_value": one.value,
        "other_type": other.type,
        "other_value": other.value,
        "verdict": verdict,
        "said_by": said.by,
        "said_at": clock().isoformat(),
        "why": said.why,
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{statement['statement_id']}.ndjson"
        path.write_text(json.dumps(statement) + "\n", "utf-8")
        return put(settings, PLACE, path).key
