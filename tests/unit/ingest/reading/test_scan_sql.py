"""Less is kept of a row than came: in the table, in `extra`, and of what is set aside."""

from __future__ import annotations

import csv
import hmac
import io
import json
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.engine.keyed_hash import HashKey
from lakehouse.errors import BadFile
from lakehouse.sources.definition import Source, load
from tests.support.workbooks import book
from tests.support.workbooks import rows as sheet

KEY = b"k" * 40
MARK = "zqSECRET"
fast = tried(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = (
    {"name": "id", "from": "Id", "type": "long", "required": True, "doc": "Id"},
    {"name": "email", "from": "Email", "doc": "E-mail", "collect": {"hash": "lower"}},
    {"name": "code", "from": "Code", "doc": "Code", "collect": {"truncate": 2}},
    {"name": "born", "from": "Born", "type": "date", "doc": "Born", "collect": {"truncate": "year"}},
    {"name": "note", "from": "Note", "doc": "Note", "collect": "drop"},
    {"name": "plain", "from": "Plain", "doc": "Plain"},
)
KINDS = ("csv", "ndjson", "xlsx", "parquet")


def source(kind: str = "csv", *more: dict, **says) -> Source:
    return Source.model_validate(
        {"source": "crm", "entity": "people", "doc": "People", "grain": "one row a person"}
        | {"format": "ndjson" if kind == "ndjson" else "csv", "columns": [*COLUMNS, *more], **says}
    )


def body(kind: str, *rows: dict) -> bytes:
    """Return a file of these rows; what a row does not say is empty there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if kind == "ndjson":
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    if kind == "xlsx":
        return book(sheet(names, *([row.get(name) for name in names] for row in rows)))
    if kind == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]), out)
        return out.getvalue()
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def person(number: object = "1", **more: str) -> dict:
    return {
        "Id": number, "Email": f"{MARK}@X.com", "Code": f"z{MARK}", "Born": "2001-05-06", "Note": MARK, "Plain": "p",
        "Other": "o", **more,
    }  # fmt: skip


def hashed(text: str) -> str:
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


@pytest.fixture
def take(read):
    """Return a function that reads bytes with the key."""
    return lambda of, content, **how: read(of, content, key=HashKey.prepare(KEY), **how)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_keeps_what_its_columns_say(take, kind):
    """The same from every kind of file."""
    row = take(source(kind), body(kind, person()))[1]
    assert row["_code"] is None
    assert (row["id"], row["plain"]) == (1, "p")
    assert row["email"] == hashed(f"{MARK}@X.com".lower())
    assert (row["code"], row["born"]) == ("zz", date(2001, 1, 1))
    assert json.loads(row["extra"]) == {"Other": "o"}
    assert "note" not in row
    assert MARK not in str(row)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strict", [False, True], ids=["keeps unknown columns", "strict"])
def test_a_bad_row_shows_what_the_table_would_have_kept(take, kind, strict):
    """By the names in the file; what could not be read as its type is not shown."""
    rows = take(source(kind, strict=strict), body(kind, person("1"), person("x", Born=f"{MARK} May")))
    original = json.loads(rows[2]["_original"])
    expected = {
        "Id": "x", "Email": hashed(f"{MARK}@X.com".lower()), "Code": "zz", "Plain": "p",
        **({} if strict else {"Other": "o"}),
    }  # fmt: skip
    assert {name: value for name, value in original.items() if value is not None} == expected
    assert (rows[2]["_code"], rows[2]["_reason"]) == ("bad_number", "Id is no long")
    assert [row["extra"] for row in rows.values()] == ([None, None] if strict else ['{"Other":"o"}'] * 2)
    assert MARK not in str(rows)


def test_a_row_that_cannot_be_split_is_withheld(take):
    """Its number, code and reason stay, and the reason says that the row is."""
    lines = [
        b"Id,Email,Note",
        b"1,a,b",
        f"{MARK}".encode(),
        f"3,a,{MARK},4".encode(),
        f'4,"{MARK}"a,b'.encode(),
    ]
    rows = take(source(), b"\n".join(lines))
    assert {row_number: row["_code"] for row_number, row in rows.items()} == {
        1: None, 2: "too_few_fields", 3: "too_many_fields", 4: "bad_quoting",
    }  # fmt: skip
    assert all(row["_original"] is None for row in rows.values())
    assert all("withheld" in row["_reason"] for row in rows.values() if row["_code"])
    assert MARK not in str(rows)


def test_a_line_that_is_no_object_is_withheld(take):
    """Whatever it is."""
    lines = [
        f'{{"Id":1,"Note":"{MARK}"',
        f'["{MARK}"]',
        f'"{MARK}"',
        '{"Id":2}',
        f'{{"Id":3,"Note":"{MARK}\x02"}}',
    ]
    rows = take(source("ndjson"), "\n".join(lines).encode())
    assert [row["_code"] for row in rows.values()] == [
        "invalid_json", "not_an_object", "not_an_object", None, "invalid_json",
    ]  # fmt: skip
    assert [
        row_number for row_number, row in rows.items() if row["_code"] and "withheld" not in row["_reason"]
    ] == []
    assert all(row["_original"] is None for row in rows.values())


def test_a_key_spelled_otherwise_is_not_kept_either(take):
    """JSON's keys are matched to the letter; those that only look like one of ours go nowhere."""
    line = json.dumps(
        {"Id": 1, "email": MARK, "NOTE": MARK, " Note ": {"a": MARK}, "Code ": MARK, "Others": 1}
    )
    notes = f'"Note": "{MARK}", "Note": "{MARK}", "\\u004eote": "{MARK}"'
    twice = f'{{"Id": "x", {notes}, "Email": "a", "Email": "{MARK}"}}'
    rows = take(source("ndjson"), f"{line}\n{twice}\n".encode())
    assert rows[1]["extra"] == '{"Others":1}'
    assert rows[1]["email"] is None
    assert json.loads(rows[2]["_original"]) == {"Id": "x", "Email": hashed("a")}
    assert MARK not in str(rows)


def test_a_column_with_blanks_around_its_name_is_not_kept_either(take):
    """Parquet's names may have some; those of a CSV are trimmed."""
    rows = take(source("parquet"), body("parquet", {"Id": "x", " Note": MARK, "EMAIL ": MARK, "Other": 1}))
    assert rows[1]["extra"] == '{"Other":1}'
    assert MARK not in str(rows)


def test_a_header_is_ours_in_whatever_case(take):
    """As it is without rules."""
    rows = take(source(), f"ID,EMAIL,note,bOrN\nx,Ann,{MARK},2001-02-03\n".encode())
    assert json.loads(rows[1]["_original"]) == {"ID": "x", "EMAIL": hashed("ann"), "bOrN": "2001-01-01"}


def test_an_object_less_some_keys(take):
    """In the column and in what is set aside; what is no object is not shown."""
    context = {
        "name": "ctx",
        "from": "ctx",
        "json_type": "object",
        "doc": "C",
        "collect": {"without": ["ip"]},
    }
    lines = [
        {"Id": 1, "ctx": {"ip": MARK, "IP": MARK, "k": {"ip": 1}}},
        {"Id": "x", "ctx": {"ip": MARK, "k": 1}},
        {"Id": 3, "ctx": MARK},
        {"Id": 4, "ctx": [MARK]},
    ]
    rows = take(source("ndjson", context), body("ndjson", *lines))
    assert [row["ctx"] for row in rows.values()] == ['{"k":{"ip":1}}', '{"k":1}', None, None]
    assert json.loads(rows[2]["_original"]) == {"Id": "x", "ctx": {"k": 1}}
    assert [row["_code"] for row in rows.values()] == [None, "bad_number", "ctx_not_object", "ctx_not_object"]
    assert MARK not in str(rows)


def test_conditions_are_asked_of_the_value_as_it_came(take):
    """Before it is hashed or cut: what is allowed, what its type is, what a check says."""
    wanted = {"name": "kind", "from": "Kind", "doc": "Kind", "allowed": ["good", "fine"], "collect": "hash"}
    check = {"code": "no_address", "when": "NOT contains(email, '@') OR code = 'zzz'", "reason": "no address"}
    of = source("csv", wanted, checks=[check])
    rows = take(of, b"Id,Email,Code,Kind\n1,a@b,zzzz,good\n2,ab,c,fine\n3,a@b,zzz,good\n4,a@b,c,bad\n")
    assert [row["_code"] for row in rows.values()] == [None, "no_address", "no_address", "not_allowed"]
    assert rows[1]["kind"] == hashed("good")
    assert json.loads(rows[4]["_original"])["Kind"] == hashed("bad")


def test_a_strict_source_keeps_what_it_names_and_says_how_much_else_there_was(take, caplog):
    """How many names, not which: one may be a customer's own."""
    caplog.set_level("INFO")
    objects = body("ndjson", {"Id": 1, f"a{MARK}": 1, f"b{MARK}": 2}, {"Id": 2, f"b{MARK}": 2}, {"Id": 3})
    tables = {
        "csv": f"Id,a{MARK},b{MARK}\n1,2,3\n".encode(),
        "parquet": body("parquet", {"Id": 1, f"a{MARK}": 1, f"b{MARK}": 2}),
        "ndjson": objects,
    }
    for kind, content in tables.items():
        caplog.clear()
        rows = take(source(kind, strict=True), content)
        assert all(row["extra"] is None and row["_code"] is None for row in rows.values())
        logged = [record for record in caplog.records if record.message == "unknown columns left out"]
        assert [(record.table, record.count) for record in logged] == [("raw.crm_people", 2)], kind
        assert MARK not in caplog.text
    caplog.clear()
    take(source(strict=True), b"Id\n1\n")
    take(source(), tables["csv"])
    assert [record for record in caplog.records if "left out" in record.message] == []


def test_who_hashes_must_have_the_key(read):
    """Else a column of nulls would pass for one of hashes."""
    with pytest.raises(ValueError, match="no key is given"):
        read(source(), b"Id\n1\n")


@fast
@given(
    value=st.text(st.characters(codec="utf-8"), max_size=30),
    kind=st.sampled_from(KINDS),
    strict=st.booleans(),
    number=st.sampled_from(["1", "x"]),
)
@example("', 1); --\"", "csv", False, "x")
@example('"\n"', "csv", False, "x")
@example("\n1,2,3", "csv", False, "x")
@example("\r\n", "ndjson", False, "x")
@example("\x00", "csv", False, "x")
@example("\x00", "ndjson", True, "x")
@example("\\", "ndjson", False, "x")
@example("\\u0022,", "ndjson", False, "x")
@example("\x01\x02", "ndjson", False, "x")
@example("{}[]", "parquet", False, "x")
@example("$1 ? {v} getvariable('hash_inner')", "parquet", True, "x")
@example("long" * 300_000, "csv", False, "x")
@example("long" * 1_200_000, "csv", False, "1")
@example("long" * 1_200_000, "ndjson", False, "1")
def test_whatever_a_value_is_it_comes_through_nowhere(take, value, kind, strict, number):
    """Quotes, ends of lines, NUL, millions of characters; in good rows and bad ones, in every kind of file."""
    if kind == "xlsx":  # XML has no way to write the others
        value = "".join(one for one in value if one.isprintable())
    secret = f"{MARK}{value}{MARK}"
    of = source(kind, {"name": "tag", "from": "Tag", "doc": "Tag", "collect": "hash"}, strict=strict)
    more = dict.fromkeys(("Email", "Code", "Note", "Born", "Tag"), secret)
    try:
        found = take(of, body(kind, person("7", **more), person(number, **more)))
    except BadFile as error:
        found = {0: {"tag": error.reason}}
    assert found
    assert MARK not in str(found)
    if kind == "ndjson" and 0 not in found and len(value) < 1_000_000:
        assert [row["tag"] for row in found.values()] == [hashed(secret)] * 2


def test_wide_decimals_and_numbers_that_are_none_in_parquet(read, tmp_path):
    """A decimal of 50 digits is what the file says, and what is kept in `extra` is JSON."""
    table = pa.table(
        {
            "id": ["1", "2"],
            "amount": pa.array([Decimal("10.50"), Decimal("0.005")], pa.decimal256(50, 4)),
            "unknown": [float("nan"), 1.5],
            "other": pa.array([Decimal("0.10"), None], pa.decimal256(76, 2)),
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    source = Source.model_validate(
        {
            "source": "a", "entity": "b", "doc": "B", "grain": "a b", "format": "csv",
            "columns": [
                {"name": "id", "from": "id", "doc": "Id"},
                {"name": "amount", "from": "amount", "doc": "Amount", "type": "decimal(12,2)"},
            ],
        }
    )  # fmt: skip
    rows = read(source, (tmp_path / "f.parquet").read_bytes())
    assert (rows[1]["amount"], rows[2]["_code"]) == (Decimal("10.50"), "bad_number")
    assert json.loads(rows[1]["extra"], parse_constant=pytest.fail) == {"unknown": None, "other": "0.10"}


def test_a_name_that_is_a_key_may_be_of_several_words(read):
    """It is no id that a sentence would have taken the place of."""
    rows = read(
        load()["wukong", "customers"], "客户名称,手机,负责人,更新时间\n某某 商贸,,,\n合计,,,\n".encode()
    )
    assert [row["_code"] for row in rows.values()] == [None, "not_a_record"]


PAYMENTS = load()["shop", "payments"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Total,3.00,EUR", "not_a_record"),  # what must be there is, but adds up
        ("合计,3.00,", "not_a_record"),
        ("Total Fitness Ltd,3.00,EUR", None),
        ("sum of both payments,,", "not_a_record"),
        ("as the till says,,", "not_a_record"),  # no id
        ("P 2,1.00,", None),
    ],
)
def test_numbers_say_of_no_row_which_record_it_is(read, line, code):
    """Only texts and days that must be there do."""
    rows = read(PAYMENTS, f"payment_id,amount,currency\nP1,3.00,EUR\n{line}\n".encode())
    assert rows[2]["_code"] == code
