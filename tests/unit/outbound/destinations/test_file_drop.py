"""Files for people: tables that an import reads, the same bytes each time, and no cell that a spreadsheet runs."""

from __future__ import annotations

import io
import zipfile

import pytest

from lakehouse.outbound.destinations.definition import FileDefinition
from lakehouse.outbound.destinations.file_drop import FileDrop
from lakehouse.outbound.records import Chunk, Row
from tests.support.destination_worlds import FaultyFiles


@pytest.fixture
def files(monkeypatch):
    return FaultyFiles(monkeypatch)


def _send(rows, **definition):
    """Drop rows for 悟空CRM, by the names of its columns."""
    made = FileDefinition(**({"name": "wukong_import", "kind": "file"} | definition))
    chunk = Chunk(
        "quiet", "00000007", "abc-0001", "wukong_import", "customers", "客户名称", "crm", "email", rows
    )
    return FileDrop("ops", made).send(chunk, rows)


def _row(number, name, action="upsert", crm_id="", **properties):
    return Row(number, f"c{number}", name, action, properties, crm_id)


def test_a_workbook_is_ready_for_the_import_of_wukong(files):
    """The first line has the columns' names, customers by name first; each further line is one."""
    _send([
        _row(0, "刘伟", 手机="+8613800138000", 客户级别="A（重点客户）"),
        _row(1, "O'Brien & <Co>", 手机="", 客户级别="B"),
    ])  # fmt: skip
    assert files.tables() == {
        "exports/drops/wukong_import/quiet/00000007/abc-0001.xlsx": [
            ["客户名称", "手机", "客户级别"],
            ["刘伟", "+8613800138000", "A（重点客户）"],
            ["O'Brien & <Co>", "", "B"],
        ]
    }


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_what_is_dropped_again_has_the_same_bytes(files, format_):
    """A worker that died after it wrote: whoever imported the file already finds no other one."""
    _send([_row(0, "a", x="1")], format=format_)
    before = dict(files.store.bodies)
    _send([_row(0, "a", x="1")], format=format_)
    assert files.store.bodies == before
    for body in before.values() if format_ == "xlsx" else ():  # two within a second would be equal anyway
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")


def test_who_leaves_stands_in_a_file_of_its_own(files):
    """With what is to be cleared, and the record where it is known."""
    _send([_row(0, "a", x="1"), _row(1, "b", "remove", "007", x="")], record_column="客户编号")
    name = "exports/drops/wukong_import/quiet/00000007/abc-0001"
    heads = ["客户名称", "客户编号", "x"]
    assert files.tables() == {
        f"{name}.xlsx": [heads, ["a", "", "1"]],
        f"{name}-remove.xlsx": [heads, ["b", "007", ""]],
    }


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x")', "@SUM(A1)", "+1+2", "-1+2", "\t=1", 'a"b,c;d', "x\ny", "007", "  "]
)
def test_no_cell_is_run_and_each_is_read_back(files, format_, text):
    """Names of people hold what people type."""
    _send([_row(0, "a", x=text)], format=format_)
    (table,) = files.tables().values()
    assert table[1] == ["a", text]
    if format_ == "csv":
        (body,) = files.store.bodies.values()
        cell = body.decode("utf-8-sig").splitlines()[1].split(",", 1)[1].strip('"')
        assert cell[:1] not in "=@\t" or not cell.strip()


def test_a_text_that_no_cell_holds_is_a_row_that_fails(files):
    """A workbook's cell holds 32,767 characters: it would be cut."""
    answers = _send([_row(0, "a", x="x" * 32_768), _row(1, "b", x="y")])
    assert (answers[0].code, answers[0].fate, answers[1].fate) == ("TOO_LONG", "not sent", "sent")
    (table,) = files.tables().values()
    assert table == [["客户名称", "x"], ["b", "y"]]
