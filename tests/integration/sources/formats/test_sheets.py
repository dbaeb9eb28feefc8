"""Workbooks made to exhaust memory, read in a process of its own."""

from __future__ import annotations

import pytest

from tests.support.packed_files import peak_of_a_child
from tests.support.workbooks import book

CHILD = (
    "import sys; from pathlib import Path; from lakehouse.errors import BadFile\n"
    "from lakehouse.sources.formats.sheets import as_csv\n"
    "try: print(sum(map(len, as_csv(Path(sys.argv[1])))))\nexcept BadFile as error: print(error.code)"
)


@pytest.mark.parametrize(
    ("sheet", "shared", "code"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "", 16_388),
        (lambda: "<row/>" * 20_000_000, "", "bomb"),
        (lambda: '<row><c t="str"><v>' + "x" * 60_000_000, "", "too_long"),
        (lambda: "<row " + "x" * 60_000_000, "", "bomb"),
        ("", lambda: "<si/>" * 1_000_000, 0),
    ],
)  # fmt: skip
def test_bombs_end_in_bounded_memory(tmp_path, sheet, shared, code):
    """Cells that lie far apart, empty rows, endless texts and tags, more rows than a sheet has."""
    made = [part() if callable(part) else part for part in (sheet, shared)]
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(book(made[0], shared=made[1]))
    printed, peak = peak_of_a_child(CHILD, str(path))
    assert printed == str(code)
    assert peak < 128
