"""Every mapping that ships, every column of ids in it, every way in which an id is spoilt: one outcome for all.

A placeholder counts as empty: the row is set aside where there must be an id, else it loads and ties nobody. What a
spreadsheet has rounded is set aside wherever it stands. All spellings of an id are one.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.engine.escape import identifier
from lakehouse.ingest.reading.pieces import pieces
from lakehouse.ingest.reading.typed_rows import create_unit, read_piece
from lakehouse.sources.definition import load
from lakehouse.sources.mapping_views import guarded_rows_sql
from tests.support.lakes import duck_of

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source, SourceColumn

SHIPPED = load()
WITH_IDS = sorted(place for place, source in SHIPPED.items() if source.ids)
PLACEHOLDERS = (
    r"\N",
    "NULL",
    "(not set)",
    "{{user_id}}",
    "undefined",
    "#NAME?",
    "#N/A",
    "00000000-0000-0000-0000-000000000000",
)
ROUNDED = ("1.23457E+11", "1,23457e+11", "1.6147805824397E13")
SPELLINGS = ("4711", "4711.0", " 4711\u200b", "\ufeff4711\u00a0", '="4711"')
EXAMPLES = {
    "timestamptz": "2026-01-05T08:30:00Z", "date": "2026-01-05", "boolean": "true", "long": "1", "int": "1",
    "double": "1", "object": {}, "array": [],
}  # fmt: skip


READ_BY_CHECKS = {
    "duration": "01:30",
    "duration_ms": "90000",
    "probability": "0.5",
    "deal_probability": "0.5",
    "channel": "email",
    "purpose": "marketing",
    "address": "ann@example.org",
}  # text that a check reads


def example(column: SourceColumn) -> Any:
    """Return a value that a column takes."""
    if column.allowed:
        return column.allowed[0]
    if "consent" in column.formats:
        return "yes"
    if column.name in READ_BY_CHECKS:
        return READ_BY_CHECKS[column.name]
    kind = column.json_type if column.json_type in ("object", "array") else column.type
    return EXAMPLES.get(kind, "1" if kind.startswith("decimal") else f"x-{column.name}")


def cases(source: Source) -> list[tuple[str, str]]:
    """Return each column of ids with each text to put there."""
    return [(name, text) for name in source.ids for text in (*PLACEHOLDERS, *ROUNDED, *SPELLINGS)]


def file_of(source: Source) -> bytes:
    """Return a file with a row a case, all else being right."""
    rows = []
    for name, text in cases(source):
        row = {column.origin: example(column) for column in source.columns}
        row[next(column.origin for column in source.columns if column.name == name)] = text
        rows.append(row)
    if source.format == "ndjson":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def outcomes(lake: Settings, folder: Path, source: Source) -> list[tuple[str | None, str | None, str | None]]:
    """Return of each case the code, what is stored, and what mappings make of it."""
    with duck_of(lake) as con:
        create_unit(con, source)
        for number, piece in enumerate(pieces([file_of(source)], source, folder)):
            read_piece(con, source, piece, number)
        guarded = f"SELECT * FROM {guarded_rows_sql(source, 'unit')} ORDER BY _row"
        found = []
        for (name, _), row in zip(
            cases(source), con.execute(guarded).to_arrow_table().to_pylist(), strict=True
        ):
            stored = con.execute(
                f"SELECT {identifier(name)} FROM unit WHERE _row = ?", [row["_row"]]
            ).fetchone()
            found.append((row["_code"], stored[0] if stored else None, row[name]))
        return found


@pytest.mark.parametrize("place", WITH_IDS, ids="/".join)
def test_spoilt_ids_in_every_column(lake, tmp_path, place):
    """Of keys, identifiers and references alike, whatever system they came from."""
    source = SHIPPED[place]
    needed = {column.name for column in source.columns if column.required} | (
        {*source.key} if len(source.key) == 1 else set()
    )
    for (name, text), (code, stored, mapped) in zip(
        cases(source), outcomes(lake, tmp_path, source), strict=True
    ):
        case = f"{name}: {text}"
        if text in ROUNDED:
            assert code == "bad_id", case
        elif text in PLACEHOLDERS:
            assert code == ("missing_value" if name in needed else None), case
            assert mapped is None, case
            assert code is not None or stored == text, case
        else:
            assert (code, stored, mapped) == (None, "4711", "4711"), case


def test_there_are_as_many_as_there_seem():
    """A mapping without ids would be one that nobody looks at: of these three, days, rates and JSON alone."""
    without = {"/".join(place) for place in SHIPPED.keys() - set(WITH_IDS)}
    assert without == {"calendar/days", "rates/daily", "jiandaoyun/webhooks"}
    assert sum(len(SHIPPED[place].ids) for place in WITH_IDS) > 250
