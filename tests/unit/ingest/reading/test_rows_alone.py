"""In every container, a row that is read alone is the row that is read among others, in any order and any piece."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lakehouse.sources.definition import parse
from tests.support import value_texts, workbooks

TYPES = {
    "amount": "decimal(12,2)", "rate": "decimal(38,18)", "count": "int", "many": "long", "share": "float",
    "value": "double", "is_good": "boolean", "day": "date", "at": "timestamptz", "text": "string",
}  # fmt: skip
FORMATS = {"amount": "amount", "day": "dmy", "at": "excel"}  # each of these once plain, and once so
NAMES = ("id", *TYPES, *(f"{name}_2" for name in FORMATS))
DEFINITION = """
source: mine
entity: things
doc: Things.
grain: one row a thing
format: {format}
time_zone: Asia/Shanghai
columns:
- {{name: id, from: id, doc: Id, required: true}}
"""


def source(file_format: str):
    """Return the definition of a file with each type, and some of its formats."""
    text = DEFINITION.format(format=file_format)
    for name, kind in TYPES.items():
        text += f'- {{name: {name}, from: {name}, type: "{kind}", doc: Cell}}\n'
    for name, value_format in FORMATS.items():
        text += f'- {{name: {name}_2, from: {name}_2, type: "{TYPES[name]}", formats: [{value_format}], doc: Cell}}\n'
    return parse(text, "things.yaml")


def as_csv(rows):
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(NAMES)
    writer.writerows(rows)
    return written.getvalue().encode()


def as_ndjson(rows):
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows).encode()


def as_parquet(rows):
    written = io.BytesIO()
    table = pa.table({name: [row[number] for row in rows] for number, name in enumerate(NAMES)})
    pq.write_table(table, written, row_group_size=3)
    return written.getvalue()


def as_workbook(rows):
    return workbooks.book(workbooks.rows(NAMES, *rows))


CONTAINERS = {"csv": as_csv, "ndjson": as_ndjson, "parquet": as_parquet, "workbook": as_workbook}
SOURCES = {name: source("ndjson" if name == "ndjson" else "csv") for name in CONTAINERS}
written = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=8)  # what XML may hold
cells = value_texts.numbers | value_texts.odd_numbers | value_texts.times | written
moments = value_texts.times | value_texts.times | cells  # else hardly any row follows one that names a zone
rows = st.lists(
    st.tuples(*(moments if name.startswith("at") else cells for name in NAMES[1:])), min_size=2, max_size=6
)


def only(**given):
    """Return a row of empty cells but for these."""
    return tuple(given.get(name, "") for name in NAMES[1:])


def said(row):
    """Return all that a row says, but where it stands; by repr, since NaN is not NaN and -0.0 is 0.0 else."""
    return repr({name: cell for name, cell in row.items() if name not in {"_row", "_piece"}})


@pytest.mark.parametrize("container", CONTAINERS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, size=st.integers(300, 3000))
@example(
    rows=[only(at="2026-01-05 08:30:00 America/New_York"), only(at="2026-01-05 08:30:00")] * 2, size=3000
)
def test_a_row_read_alone_is_the_row_read_among_others(read, container, rows, size):
    """Whatever zone, sign or word stands in the rows beside it."""
    write, definition = CONTAINERS[container], SOURCES[container]
    numbered = [(f"T{number}", *row) for number, row in enumerate(rows, start=1)]
    alone = [said(read(definition, write([row]))[1]) for row in numbered]
    together = read(definition, write(numbered))
    backwards = read(definition, write(numbered[::-1]), max_bytes=size)
    assert [said(together[number]) for number in sorted(together)] == alone
    assert [said(backwards[number]) for number in sorted(backwards)] == alone[::-1]
