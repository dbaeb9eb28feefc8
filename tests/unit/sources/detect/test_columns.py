"""What a column is, from its header and a sample of its values."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe, is_data_row, is_personal_value


def personal_kinds(header, *values):
    """Return the kinds of personal data that a column seems to hold, with their share."""
    description = describe(header, dict.fromkeys(values, 1))
    return {personal.kind: round(personal.share, 2) for personal in description.personal}


@pytest.mark.parametrize(
    ("header", "values", "kind", "formats"),
    [
        ("n", ["1", "2"], "int", {}),
        ("n", ["1", "3000000000"], "long", {}),
        ("n", ["1", "9" * 20], "decimal(38,0)", {}),
        ("n", ["9" * 30 + ".123456789"], "double", {"1234.56": 1.0}),
        ("n", ["1.5", "20.25"], "decimal(18,2)", {"1234.56": 1.0}),
        ("n", ["1E+3"], "double", {"1.2E+3": 1.0}),
        ("price", ["¥1,299.00", "1299元"], "decimal(18,2)", {"1234元": 0.5, "¥1,234.56": 0.5}),
        ("paid", ["是", "否"], "boolean", {"是/否": 1.0}),
        ("is_member", ["1", "0"], "boolean", {"1/0": 1.0}),
        ("number", ["1", "0"], "int", {}),
        ("day", ["2026/1/5", "2026/1/6"], "date", {"yyyy/m/d": 1.0}),
        ("day", ["2026/1/5", "2026/1/6 10:00"], "timestamptz", {"yyyy/m/d": 0.5, "yyyy/m/d hh:mm": 0.5}),
        ("day", ["5-1-26", "25-1-26"], "date", {"d-m-yy": 1.0}),
        ("day", ["5-1-26", "1-25-26"], "date", {"m-d-yy": 1.0}),
        ("day", ["5-1-26", "6-1-26"], "date", {"d-m-yy or m-d-yy": 1.0}),
        ("order date", ["46027", "46028"], "date", {"Excel serial": 1.0}),
        ("下单时间", ["1767571200"], "timestamptz", {"epoch s": 1.0}),
        ("id", ["46027", "46028"], "int", {}),
        ("id", ["20260105", "20269999", "99999999", "20260105101112"], "long", {}),
        ("day", ["20260105", "20260106"], "date", {"yyyymmdd": 1.0}),
        ("props", ['{"a": 1}', "[1]"], "json", {"array": 0.5, "object": 0.5}),
        ("props", ["{a", "[[[["], "string", {}),
        ("zip", ["01234", "00001"], "string", {"leading zeros": 1.0}),
        ("手机", ["13812345678"], "string", {}),
        ("text", ["one", "two", "1"], "string", {"1234": 0.33}),
        ("none", [], "string", {}),
    ],
)
def test_types_and_formats(header, values, kind, formats):
    """The narrowest type that nine in ten values parse as, and how they are written."""
    description = describe(header, dict.fromkeys(values, 1))
    shown = {name: round(share, 2) for name, share in description.formats.items()}
    assert (description.type, shown) == (kind, formats if header != "text" else shown)


def test_shares_leave_out_null_words():
    """N/A says nothing of a type, and is counted; so is what does not parse."""
    description = describe("n", {"1": 18, "x": 1, "N/A": 1})
    assert (description.type, round(description.parses, 3), description.null_words) == ("int", 0.947, 0.05)
    empty = describe("n", {"-": 2, "无": 1})
    assert (empty.type, empty.null_words, empty.samples) == ("string", 1.0, ("-", "字"))


@pytest.mark.parametrize(
    ("header", "values", "kinds"),
    [
        ("x", ["ann@example.com", "none of it"], {"email": 0.5}),
        (
            "note",
            ["ask ann@example.com", "or 13812345678 please"],
            {"email_inside_text": 0.5, "phone_inside_text": 0.5},
        ),
        ("x", ["13812345678", "13912345678"], {"phone": 1.0}),
        ("order", ["13812345678", "99", "98"], {}),
        ("phone", ["13812345678", "99", "98"], {"phone": 0.33}),
        ("x", ["1.38E+10"], {"damaged_phone": 1.0}),
        ("x", ["4.16E+09"], {}),
        ("tel", ["4.16E+09"], {"damaged_phone": 1.0}),
        ("x", ["11010519491231002X"], {"chinese_id": 1.0}),
        ("姓名", ["张伟", "Ann Lee"], {"name": 1.0}),
        ("x", ["张伟", "李娜"], {"name": 1.0}),
        ("x", ["Ann Lee"], {}),
        ("Product Name", ["Ann Lee"], {}),
        ("name", ["A1", "B2", "Ann"], {}),
        ("addr", ["12 Main Street", "?"], {"address": 0.5}),
        ("x", ["10.0.0.1"], {"ip": 1.0}),
        ("openid", ["oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"], {"wechat_id": 1.0}),
        ("生日", ["1990-05-17"], {"birthday": 1.0}),
        ("day", ["1990-05-17"], {}),
    ],
)
def test_what_looks_personal(header, values, kinds):
    """With the share of values that fit; weak signs need a header that hints at the same."""
    assert personal_kinds(header, *values) == kinds


def test_a_row_is_no_header():
    """A first line with somebody in it, or mostly of numbers, is a row; years as columns beside names are not."""
    assert is_data_row(["Ann", "ann@example.com"])
    assert is_data_row(["1", "2026-01-05", "x"])
    assert not is_data_row(["name", "2024", "total", "phone"])
    assert is_personal_value("13812345678")
    assert not is_personal_value("phone")


def test_samples_are_masked_and_few():
    """The three commonest looks."""
    description = describe("x", {"Ann 1": 3, "Bob 2": 2, "张伟": 4, "B": 1, "C!": 1})
    assert description.samples == ("xxx 9", "字字", "x")
