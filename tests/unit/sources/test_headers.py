"""A header names columns in whatever way it is spelled; what cannot be told apart is refused, not guessed."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition, BadFile
from lakehouse.sources import headers
from lakehouse.sources.definition import SourceColumn, parse


def column(name, *names, **more):
    first, *others = names
    return SourceColumn.model_validate({"name": name, "from": first, "also": others, "doc": name, **more})


NAME = column("name", "姓名", "联系人", required=True)
PHONE = column("phone", "手机", "电话", present=True)
NOTE = column("note", "备注（选填）")
COLUMNS = (NAME, PHONE, NOTE)


@pytest.mark.parametrize(
    "spelled",
    [
        "姓名", " 姓名\u3000", "\ufeff姓名", "姓　名", "姓 名", "姓\n名", "*姓名", "* 姓名", "姓名*", "姓名(*)",
        "姓名（＊）", "\u200b姓名",
    ],
)  # fmt: skip
def test_spellings_of_one_name(spelled):
    """Spaces, line breaks, marks of required fields and invisible characters say nothing."""
    assert headers.normal(spelled) == "姓名"


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("线索ＩＤ", "线索ID"),
        ("消耗（元）", "消耗(元)"),
        ("消耗 (元)", "消耗(元)"),
        ("Full  Name ", "full name"),
        ("E－Mail：", "e-mail:"),
        ("Impr.", "IMPR."),
        ("*", "＊"),
    ],
)
def test_full_width_case_and_spaces(spelled, name):
    """Two spellings are one name where their normal forms are equal."""
    assert headers.normal(spelled) == headers.normal(name)


@pytest.mark.parametrize(
    ("one", "other"), [("手机", "手机号"), ("姓名", "名"), ("fullname", "full name"), ("a*b", "ab")]
)
def test_other_names_stay_other_names(one, other):
    """A name that only looks like another is not that."""
    assert headers.normal(one) != headers.normal(other)


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([["姓名", "手机"]], 0),
        ([["手机", "姓名"], ["a", "1"]], 0),
        ([["客户名单"], ["2026年", "样"], ["序号", "姓 名", "电话"], ["1", "a", "2"]], 2),
        ([["姓名"], ["姓名", "手机"]], 1),  # a title that is called as a column
        ([["姓名", "手机", "地址"], ["姓名", "手机", "街道"], ["a", "1", "b"]], 1),  # groups of columns above
        ([["姓名", "手机"], ["a", "1"], ["姓名", "手机"]], 0),  # the next page's header
        ([["姓名", "备注(选填)"], ["a", "b"]], None),  # no phone, which must be there
        ([["a", "1"]], None),
        ([], None),
    ],
)
def test_the_header_is_the_row_that_names_the_columns(rows, at):
    """Of the first rows; nothing is a header that lacks what must be there."""
    assert headers.header_row(rows, COLUMNS) == at


def test_a_mapping_that_requires_nothing_takes_the_row_that_names_most():
    """And none where nothing is named."""
    free = [column("name", "姓名"), column("phone", "手机"), column("note", "备注")]
    assert headers.header_row([["备注"], ["姓名", "手机"], ["x", "y"]], free) == 1
    assert headers.header_row([["x"]], free) is None
    assert headers.header_row([["姓名"]], ()) is None


def test_names_that_nobody_mapped_may_repeat():
    """Each is kept under a name of its own."""
    names = ["姓名", "标签", "标签", "", "", "标签 (2)"]
    assert headers.distinct(names, COLUMNS) == ["姓名", "标签", "标签 (2)", "", " (2)", "标签 (2) (2)"]


@pytest.mark.parametrize("names", [["手机", "手机"], ["手机", "手 机"], ["电话", "姓名", "电话"]])
def test_a_mapped_name_that_repeats_is_refused(names):
    """Nobody can tell which one is meant."""
    with pytest.raises(BadFile) as caught:
        headers.distinct(names, COLUMNS)
    assert caught.value.code == "duplicate_column"
    with pytest.raises(BadFile):
        headers.distinct(["a", "A"], ())


def test_columns_are_found_by_the_first_of_their_names():
    """Whatever the order in the file; the others stay where nobody asked for them."""
    found = headers.match(COLUMNS, ["电 话", "备注(选填)", "＊姓名", "手机"])
    assert found == {"name": "＊姓名", "phone": "手机", "note": "备注(选填)"}
    assert headers.match(COLUMNS, ["电话", "联系人"]) == {"name": "联系人", "phone": "电话"}
    assert headers.match(COLUMNS, ["姓 名", "姓名", "电话"]) == {"name": "姓名", "phone": "电话"}
    assert headers.absent(COLUMNS, ["name", "phone"]) == ["备注（选填）"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            "{name: a, from: 手机, also: [电话], doc: A}, {name: b, from: 电 话, doc: B}",
            "电话 is a name of b",
        ),
        ("{name: a, from: A, also: [x], doc: A}, {name: b, from: B, also: [X], doc: B}", "X is a name of a"),
    ],
)
def test_two_columns_cannot_go_by_one_name(columns, message):
    """Whoever writes such a mapping is told, before any file comes."""
    text = f"{{source: a, entity: b, doc: B, grain: one, format: csv, columns: [{columns}]}}"
    with pytest.raises(BadDefinition, match=message):
        parse(text, "a_b.yaml")


@pytest.mark.parametrize(
    ("columns", "names", "code", "reason"),
    [
        (COLUMNS, ["手机"], "missing_column", "lacks 姓名;"),
        (COLUMNS, ["姓名"], "missing_column", "lacks 手机;"),
        (COLUMNS, [], "missing_column", "lacks 姓名, 手机;"),
        ((NOTE,), ["x"], "missing_column", "lacks every column that the mapping names;"),
        (COLUMNS, ["姓　名", "姓 名", "手机"], "duplicate_column", "share a name"),
    ],
)
def test_what_must_be_there_is_asked_for(columns, names, code, reason):
    """A file is set aside that lacks a required column, one that is always present, or all."""
    with pytest.raises(BadFile, match=reason) as caught:
        headers.match(columns, names)
    assert caught.value.code == code
