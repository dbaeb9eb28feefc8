"""Two quotes astray make one row of several: these are set aside, and not lost in a cell."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.sources.definition import load

HEADER = ("contact_id", "name", "email", "phone", "city", "title")
CONTACTS = load()["crm", "contacts"]


def text(*lines: str, end: str = "\n") -> bytes:
    return "".join(line + end for line in (",".join(HEADER), *lines)).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("others", [(), ("9,Zed,,,Ulm,\n",), ('8,"a ""b"" c",,,Ulm,',)])
def test_rows_that_another_one_took_are_told(read, end, others):
    """With their text, and the rows around them load; by the quick way as by the other."""
    astray = ('2,"Ada,a@x.de,,Graz,', '3,Bo 6",b@x.de,,Linz,')
    rows = read(CONTACTS, text("1,Al,,,Wien,", *astray, "4,Cy,,,Enns,", *others, end=end))
    loaded = [row["contact_id"] for row in rows.values() if not row["_code"]]
    assert loaded == ["1", "4", *(other[0] for other in others)]
    bad = [row for row in rows.values() if row["_code"]]
    assert [(row["_code"], row["_original"]) for row in bad] == [("bad_quoting", end.join(astray))]


CELL = st.text(st.sampled_from(["a", " ", "\n", ",", '"', "é"]), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELL, CELL), max_size=6))
def test_texts_over_several_lines_load(read, cells):
    """However many delimiters they hold, but where each line has just as many as the header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER)
    kept = [
        pair for pair in cells if not any(line.count(",") == len(HEADER) - 2 for line in pair[0].split("\n"))
    ]
    writer.writerows([f"k{number}", name, "", "", "", title] for number, (name, title) in enumerate(kept))
    rows = read(CONTACTS, out.getvalue().encode())
    assert [row["_code"] for row in rows.values()] == [None] * len(kept)
    assert [(row["name"] or "").strip() for row in rows.values()] == [name.strip() for name, _ in kept]
