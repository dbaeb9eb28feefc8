"""The SQL of the rule and the rule itself say the same."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.ingest.reading.non_record_sql import OTHER_HEADER, marked_rows
from lakehouse.sources import non_records
from lakehouse.sources.non_records import KnownBy
from tests.unit.sources.test_non_records import LINES, NAMES

HEADER = ("id", "name", "email", "amount")
CELLS = {name: f"_c{position}" for position, name in enumerate(HEADER)}
NAMES_OF = (("编号",), ("姓名", "客户"), (), ("金额",))
KNOWN_BY = KnownBy((0,), (2,), (0,), NAMES_OF, ("编号", "姓名", "客户", "金额", "电话"))


def marks(rows):
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (_n INTEGER, _c0 VARCHAR, _c1 VARCHAR, _c2 VARCHAR, _c3 VARCHAR)")
        for number, row in enumerate(rows):
            con.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [number, *(cell or None for cell in row)])
        found = con.execute(f"SELECT _mark FROM ({marked_rows('FROM t', CELLS, KNOWN_BY)}) ORDER BY _n")
        return [mark for (mark,) in found.fetchall()]


FORM_CELLS = (
    "编号", "姓名", "金额", "必填", "string", "N/A", "无", "制表人", "审核人：样乙", "示例", "2026-01-05", "华东区合计",
    "\x1a", "K1;A B;1",
)  # fmt: skip
PLAIN_CELLS = ("", " ", "x", "x y", "12", "1,234.50", "EUR", "---", *HEADER, "ID", "Name ")
CELL = st.sampled_from([*PLAIN_CELLS, *FORM_CELLS, *LINES[::3], *NAMES[::4]])


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=40))
def test_sql_and_python_agree(rows):
    """Of every row."""
    expected = [non_records.is_none(row, HEADER, KNOWN_BY, is_short=False) for row in rows]
    assert [mark == non_records.CODE for mark in marks(rows)] == expected


@pytest.mark.parametrize("text", LINES)
def test_every_line_is_met(text):
    """The one pattern that all rows are asked lets each through."""
    assert marks([(text, "", "", ""), ("", "", text, "")]) == [non_records.CODE] * 2


@pytest.mark.parametrize(
    "row",
    [
        ("编号", "姓名", "", "金额"), ("", "客户", "", "amount"), ("必填", "选填", "", "数字"), ("N/A", "-", "", ""),
        ("例：张三", "", "1", ""), ("", "记录数", "", "3"),
        ("", "", "华东区合计", "3"), ("", "制表人", "x", "审核人"), ("", "打印日期:", "2026-01-05", ""),
    ],
)  # fmt: skip
def test_every_row_of_a_form_is_met(row):
    """The one pattern lets these through, too."""
    assert marks([row]) == [non_records.CODE]


def test_a_header_in_another_order_is_told_apart():
    """Its own rows would be read as what they are not."""
    assert marks([("email", "name", "id", "amount"), ("id", "name", "email", "amount")]) == [
        OTHER_HEADER,
        non_records.CODE,
    ]


@pytest.mark.parametrize(
    ("row", "mark"),
    [
        (("姓名", "编号", "", "金额"), OTHER_HEADER),
        (("编号", "姓名", "电话", "金额"), OTHER_HEADER),  # of a column that the file lacks
        (("编号", "姓名", "", "金额"), non_records.CODE),
        (("姓名", "编号", "", ""), None),  # two names may be a value each
        (("姓名", "姓名", "", "电话"), None),
        (("姓名", "编号", "x", "金额"), None),
    ],
)
def test_a_header_in_the_mapping_s_names_is_told_apart(row, mark):
    """Files that were put behind each other need not have the same columns."""
    assert marks([row]) == [mark]


def test_a_table_without_cells_has_no_such_row():
    """There is nothing to ask."""
    with duckdb.connect() as con:
        assert con.execute(marked_rows("SELECT 1 AS _n", {}, KNOWN_BY)).fetchall() == [(1, None)]
