"""What DuckDB's JSON functions would change in a line stays as the file has it."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.sources.definition import Source

THINGS = Source.model_validate(
    {
        "source": "app",
        "entity": "things",
        "doc": "Things",
        "grain": "one row a thing",
        "format": "ndjson",
        "columns": [
            {"name": "id", "from": "id", "formats": ["text"], "doc": "Id"},
            {"name": "amount", "from": "amount", "type": "decimal(38,18)", "doc": "Amount"},
            {"name": "score", "from": "score", "type": "double", "doc": "Score"},
            {"name": "facts", "from": "facts", "json_type": "object", "doc": "Facts"},
            {"name": "parts", "from": "parts", "json_type": "array", "doc": "Parts"},
        ],
    }
)
WITH_OBJECTS = THINGS.model_copy(
    update={
        "columns": (
            *THINGS.columns,
            THINGS.columns[0].model_copy(update={"name": "inner_id", "origin": "of.id"}),
        )
    }
)


def codes(rows):
    return {row_number: row["_code"] for row_number, row in rows.items() if row["_code"]}


def in_order(rows):
    """Return the rows by their numbers: those that are read again come last."""
    return [rows[number] for number in sorted(rows)]


def line(**members):
    """Return a line whose members are written as they are given."""
    return ("{" + ", ".join(f'"{name}": {text}' for name, text in members.items()) + "}").encode() + b"\n"


IDS = ["1884518522.1684267241", "1.10", "1.0", "1e5", "1E-7", "123456789012345678901.5", "9007199254740993.25",
       "0.00001", "-0.0", "12345678901234567890123", "4711", "1.234567891e+09", "-1884518522.1684267243",
       "0.10000000000000000001"]  # fmt: skip


@pytest.mark.parametrize("source", [THINGS, WITH_OBJECTS], ids=["flat", "nested"])
def test_an_id_is_the_text_of_its_number(read, source):
    """As a value of the record, within an object, and in what no column names; a string stays one."""
    content = b"".join(
        line(id=number, of=f'{{"id": {number}}}', more=f'{{"a": [{number}, "{number}", "x: {number}, "]}}')
        for number in IDS
    )
    rows = read(source, content)
    assert codes(rows) == {}
    assert [row["id"] for row in in_order(rows)] == IDS
    if source is WITH_OBJECTS:
        assert [row["inner_id"] for row in in_order(rows)] == IDS
    numbers = [
        json.loads(row["extra"], parse_float=Decimal, parse_int=Decimal)["more"]["a"]
        for row in in_order(rows)
    ]
    assert numbers == [[Decimal(number), number, f"x: {number}, "] for number in IDS]


@pytest.mark.parametrize(
    "text", ["12345678901234567.125", "0.000000000000000001", "19.90", "1.005", "1.5E3", "1e400", "NaN"]
)
def test_a_number_is_typed_by_its_text(read, text):
    """Not by the double that is nearest."""
    (row,) = read(THINGS, line(amount=text)).values()
    if text in ("1e400", "NaN"):
        assert row["_code"] in ("bad_number", "invalid_json")
    else:
        assert row["amount"] == Decimal(text)


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "[1, NaN]", '{"a": -Infinity}', "Infinity", "-NaN", "nan", "[1, inf]", "[-inf]", '{"a": infinity}',
        '{"a":{"b":[0,nAn]}}', "INF", "-nan", "INFINITY",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["facts", "unknown", "score", "id"])
def test_no_number_costs_its_line(read, name, value):
    """JSON that is kept whole is JSON; a text may say NaN."""
    rows = read(
        THINGS,
        line(id="1") + line(**{name: value}) + line(id='"NaN"', unknown='"Infinity, NaN: NaN [nan, -inf]"'),
    )
    assert codes(rows) == {2: "invalid_json"}
    assert rows[2]["_original"] == line(**{name: value}).decode().rstrip()
    assert rows[3]["id"] == "NaN"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (r"x\ud83d", "x\ufffd"),
        (r"\udc00x", "\ufffdx"),
        (r"\uD83D\uDE00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
        (r"\u4f60\ud83d\u597d", "\u4f60\ufffd\u597d"),
        (r"a\u0000b\ud83d", "a\0b\ufffd"),
    ],
)
def test_half_a_character_becomes_the_one_for_what_is_broken(read, written, kept):
    """Wherever it stands, and nothing beside it changes."""
    rows = read(
        THINGS, line(id=f'"{written}"', facts=f'{{"a": "{written}"}}', unknown=f'"{written}"', score="1.10")
    )
    assert codes(rows) == {}
    assert rows[1]["id"] == kept
    assert json.loads(rows[1]["facts"]) == {"a": kept}
    assert json.loads(rows[1]["extra"]) == {"unknown": kept}


def test_an_empty_container_is_of_the_type_that_is_wanted(read):
    """PHP writes [] for an object without members, Lua {} for an array without elements."""
    rows = read(THINGS, line(facts="[]", parts="{}") + line(facts="[1]") + line(parts='{"0": 1}'))
    assert (rows[1]["facts"], rows[1]["parts"]) == ("{}", "[]")
    assert codes(rows) == {2: "facts_not_object", 3: "parts_not_array"}


def test_a_bad_line_is_shown_as_it_came(read):
    """Without marks, and with what was repaired."""
    content = line(amount='"much"', id="1.10", t=r'"\ud83d"')
    (row,) = read(THINGS, content).values()
    assert (row["_code"], row["_original"]) == ("bad_number", content.decode().rstrip())


numbers = st.from_regex(
    re.compile(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?", re.ASCII), fullmatch=True
)
scalars = (
    numbers | st.text(max_size=8).map(json.dumps) | st.sampled_from(["true", "null", '"1.10"', '"\\"1.10, "'])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]")
        | st.dictionaries(st.text(max_size=4).map(json.dumps), inner, max_size=3).map(
            lambda each: "{" + ",".join(f"{name}:{value}" for name, value in each.items()) + "}"
        )
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=numbers, facts=st.lists(values, min_size=1, max_size=8))
def test_json_that_is_kept_says_what_the_file_said(read, ids, facts):
    """Number by number, to the last digit."""

    def exactly(text):
        return json.loads(
            text,
            parse_float=lambda number: ("f", Decimal(number)),
            parse_int=lambda number: ("i", Decimal(number)),
        )

    rows = read(WITH_OBJECTS, b"".join(line(id=ids, facts=f'{{"v": {fact}}}', other=fact) for fact in facts))
    assert codes(rows) == {}
    for row, fact in zip(in_order(rows), facts, strict=True):
        assert row["id"] == ids
        assert [kind_free(exactly(row["facts"]))] == [kind_free({"v": exactly(fact)})]
        assert kind_free(exactly(row["extra"] or '{"other": null}')) == kind_free({"other": exactly(fact)})


def kind_free(value):
    """Return JSON whose numbers are compared by what they say: 1 is 1.0."""
    if isinstance(value, tuple):
        return value[1]
    if isinstance(value, list):
        return [kind_free(each) for each in value]
    return {key: kind_free(each) for key, each in value.items()} if isinstance(value, dict) else value
