"""Files for people to import: one table a chunk, in the ops bucket, below `exports/drops/<destination>/<sync>/`.

Who leaves stands in a file of its own, `…-remove`, with what is to be cleared. A file that is written again has the
same name and the same bytes.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import objects
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer, Declared
from lakehouse.outbound.destinations.delivery import done, is_sendable
from lakehouse.outbound.destinations.spreadsheet_cells import neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakehouse.outbound.destinations.definition import FileDefinition
    from lakehouse.outbound.records import Action, Chunk, Row
    from lakehouse.settings import Settings

ROOT: Final = "exports/drops/"
_LONGEST_CELL: Final = 32_767  # characters that a cell of a workbook holds
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)  # a workbook says when it was made: the same each time
_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class FileDrop:
    """A folder of tables. Writing one again changes nothing."""

    idempotent = True

    def __init__(self, bucket: str, definition: FileDefinition) -> None:
        self._bucket = bucket
        self._definition = definition
        self.declared = declared(definition)

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Write a chunk's rows as a table, and who leaves as another; errors as in `Destination`."""
        answers: dict[int, Answer] = {}
        for action in ("upsert", "remove"):
            of_action: list[Row] = []
            seen: set[tuple[str, str]] = set()
            for row in (row for row in rows if row.action == action):
                problem = self._problem(row, seen)
                if problem:
                    answers[row.row] = Answer("failed", problem)
                else:
                    of_action.append(row)
                    seen.add((row.id.casefold(), row.crm_id))
            if of_action:
                self._write(chunk, of_action, action)
            answers |= {row.row: Answer(done(action)) for row in of_action}
        return answers

    def _problem(self, row: Row, seen: set[tuple[str, str]]) -> str:
        """Return why a row cannot stand in a table ("": it can)."""
        if not is_sendable(row):
            return "BAD_ID"
        if (row.id.casefold(), row.crm_id) in seen:
            return "SAME_ID"  # an import takes the first or the last of them, who knows which
        longest = max(map(len, (row.id, *row.properties.values())))
        return "TOO_LONG" if self._definition.format == "xlsx" and longest > _LONGEST_CELL else ""

    def _write(self, chunk: Chunk, rows: Sequence[Row], action: Action) -> None:
        table = self._table(chunk, rows)
        body = _csv(table) if self._definition.format == "csv" else workbook(table)
        suffix = "-remove" if action == "remove" else ""
        name = f"{chunk.sync}/{chunk.run}/{chunk.chunk}{suffix}.{self._definition.format}"
        try:
            objects.put(
                self._bucket, f"{ROOT}{self._definition.name}/{name}", body, _TYPES[self._definition.format]
            )
        except (ClientError, BotoCoreError) as error:
            raise Transient(
                f"a file of destination {self._definition.name} cannot be written ({type(error).__name__}); the chunk "
                "is tried again"
            ) from None

    def _table(self, chunk: Chunk, rows: Sequence[Row]) -> list[list[str]]:
        """Return the table: a line of names, then a line a row. Property names are the columns, in the sync's order."""
        record = self._definition.record_column
        names = list(dict.fromkeys(name for row in rows for name in row.properties))
        names = [name for name in names if name not in (chunk.id_property, record)]
        first = [chunk.id_property, *([record] if record else [])]
        lines = [
            [row.id, *([row.crm_id] if record else []), *(row.properties.get(name, "") for name in names)]
            for row in rows
        ]
        return [[*first, *names], *lines]


def _csv(table: Sequence[Sequence[str]]) -> bytes:
    """Return a table as CSV that spreadsheets read: UTF-8 with its mark, and no cell that they would run."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([neutral(cell) for cell in line] for line in table)
    return text.getvalue().encode("utf-8-sig")


def workbook(table: Sequence[Sequence[str]]) -> bytes:
    """Return a table as a workbook (.xlsx) of texts: no cell is a formula, also after somebody has edited it."""
    try:
        from xlsxwriter import Workbook  # noqa: PLC0415 - only who drops workbooks loads it
    except ImportError:
        raise Terminal("workbooks need the package xlsxwriter; set `format: csv`, or install it") from None
    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = Workbook(file, options)
    book.set_properties({"created": _BEGINNING})
    as_text = book.add_format({"num_format": "@", "quote_prefix": True})
    sheet = book.add_worksheet("Sheet1")
    for number, line in enumerate(table):
        for column, cell in enumerate(line):
            sheet.write_string(number, column, cell, as_text)
    book.close()
    return file.getvalue()


def declared(definition: FileDefinition) -> Declared:
    """Return what a folder of files declares."""
    return Declared(definition.rows, None, idempotent=True, removal="file")


def chunk_rows(definition: FileDefinition) -> int:
    """Return how many rows a chunk, and so a file, has at most."""
    return definition.rows


def open_destination(settings: Settings, definition: FileDefinition) -> FileDrop:
    """Return the folder that a destination's file describes."""
    return FileDrop(settings.ops_bucket, definition)
