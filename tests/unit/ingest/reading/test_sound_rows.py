"""Rows that DuckDB's reader leaves out keep their own text, and change no row beside them."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.sources.definition import parse

PEOPLE = parse(
    """
source: crm
entity: people
doc: People.
grain: one row a person
format: csv
columns:
- {name: contact_id, from: contact_id, doc: Id, required: true}
- {name: name, from: name, doc: Name, pii: true}
- {name: title, from: title, doc: Title}
- {name: city, from: city, doc: City}
""",
    "people.yaml",
)
HEADER = b"contact_id,name,title,city\n"
GOOD = (
    b"C1,Ada,Clerk,Graz", b'C2,Bo,"two, parts",Linz', b'C3,Cy,"over\ntwo lines",Wien', b'C4,Di,19" rack,Enns',
    b'C5,Ed, "spaced" ,Wels', b'C6,"he ""x"" y",,', b"C7,Fay", b"C9,Total,Clerk,", b'"C10",,,',
    b'C11,Lou,"C:\\share\\",Graz',
)  # fmt: skip
BAD = {
    b'B1,Ed,"says \\"hi\\"","Bad \\"Ischl\\""': "bad_quoting", b'B2,Ada,"Head of \\"Ops\\", EMEA",Graz': "bad_quoting",
    b'B3,Ada,"open, Graz': "bad_quoting", b'B4,Cy,"a"b"c",Wels': "bad_quoting",
    b'B5,Ed,"he ""x"" y" z,Wien': "bad_quoting",
    b"B6,Hal,Clerk,Linz,more": "too_many_fields", b",Ida,Clerk,Linz": "missing_value", b"torn text": "too_few_fields",
    b"\xff,Jo,Clerk,Linz": "not_utf8", b"Total,,,": "not_a_record", b"contact_id,name,title,city": "not_a_record",
    b'"B8,Kim,Clerk,Linz': "bad_quoting", b"B9,Gus,Clerk,Ried,,": "too_many_fields",
    b"B10,Gus, Jo,Clerk,": "too_many_fields", b"Total,,,,": "not_a_record",
}  # fmt: skip
# A line that is not as long as the header may as well be the rest of a text whose quote was opened above it.
UNCLOSED = {b'B3,Ada,"open, Graz', b'"B8,Kim,Clerk,Linz'}
UNEVEN = {
    b"C7,Fay", b"B6,Hal,Clerk,Linz,more", b"torn text", b"B9,Gus,Clerk,Ried,,", b"B10,Gus, Jo,Clerk,", b"Total,,,,",
}  # fmt: skip
EVERY = [*GOOD, *BAD]
CLOSED_ROWS = st.lists(
    st.sampled_from([row for row in EVERY if row not in UNCLOSED]), min_size=1, max_size=12
)
EVEN_ROWS = st.lists(
    st.one_of(
        st.sampled_from([(row,) for row in EVERY if row not in UNCLOSED | UNEVEN]),
        st.tuples(
            st.sampled_from(sorted(UNCLOSED)), st.sampled_from([row for row in GOOD if row not in UNEVEN])
        ),
    ),
    min_size=1,
    max_size=10,
).map(lambda groups: [row for group in groups for row in group])


def cells(row):
    return tuple(row[name] for name in ("contact_id", "name", "title", "city"))


@pytest.fixture
def alone(read):
    """Return what each good row says, read alone."""
    return {row: cells(read(PEOPLE, HEADER + row + b"\n\n")[1]) for row in GOOD}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.one_of(CLOSED_ROWS, EVEN_ROWS), line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]))
@example(rows=[b'B4,Cy,"a"b"c",Wels', b"\xff,Jo,Clerk,Linz", b"C7,Fay"], line_end=b"\n")
def test_any_mix_of_good_and_bad_rows(read, alone, rows, line_end):
    """A good row says what it says alone; a bad one shows its own text, or its own cells."""
    content = HEADER + line_end.join(
        [b"C0,Zed,Clerk,Graz", *rows, b""]
    )  # right below it, a header would be part of it
    found = read(PEOPLE, content)
    assert sorted(found) == list(range(1, len(rows) + 2))
    torn = False
    for number, row in enumerate(rows, 2):
        code, original = found[number]["_code"], found[number]["_original"]
        if row == b"C7,Fay" and torn:  # behind a torn row nobody knows whether a short one is whole
            assert (code, original) == ("too_few_fields", "C7,Fay")
        elif row in BAD:
            assert code == BAD[row]
            text = row.decode("utf-8", "replace")
            assert original == text or json.loads(original) == dict(
                zip(PEOPLE_HEADER, [cell or None for cell in text.split(",")], strict=True)
            )
        else:
            assert code is None
            assert cells(found[number]) == alone[row]
        torn = is_torn_behind(row, code, torn=torn)


PEOPLE_HEADER = ("contact_id", "name", "title", "city")


def is_torn_behind(row, code, *, torn):
    """A row that is torn leaves the next ones in doubt, until one has as many cells as the header."""
    if code in {"bad_quoting", "too_few_fields"}:
        return True
    return torn and row in UNEVEN


def test_rows_that_leave_out_cells_at_their_end(read):
    """Load where these may be empty; those that leave out what must be there do not."""
    found = read(PEOPLE, HEADER + b"C1,Ada,Clerk\nC2,Bo\n,\nC3,Cy,Clerk,Graz\n")
    assert {number: row["_code"] for number, row in found.items()} == {
        1: None,
        2: None,
        3: "not_a_record",
        4: None,
    }
    assert cells(found[2]) == ("C2", "Bo", None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"contact_id,name,title,city,\nC1,Ada,Clerk,Graz\nC2,Bo,Clerk,Linz\n",
        b"contact_id,name,title,city\nC1,Ada,Clerk,Graz,\nC2,Bo,Clerk,Linz,\n",
        b"contact_id,name,title,city,\nC1,Ada,Clerk,Graz,\nC2,Bo,Clerk,Linz,\n",
        b"contact_id;name;title;city;;\r\nC1;Ada;Clerk;Graz\r\nC2;Bo;Clerk;Linz;\r\n",
        b'contact_id,name,title,city\nC1,Ada,Clerk,Graz,"",,\nC2,Bo,Clerk,Linz, \n',
        b"contact_id\tname\ttitle\tcity\t\nC1\tAda\tClerk\tGraz\nC2\tBo\tClerk\tLinz\n",
    ],
)
def test_delimiters_at_the_end_of_lines(read, content):
    """In the header, in rows, in both: the rows are the same."""
    found = read(PEOPLE, content)
    assert [cells(row) for row in found.values()] == [
        ("C1", "Ada", "Clerk", "Graz"),
        ("C2", "Bo", "Clerk", "Linz"),
    ]
    assert not any(row["_code"] for row in found.values())


def test_the_last_row_of_a_file_that_broke_off(read):
    """Nobody knows what it said; where other rows are short, too, it is one of them."""
    broken_off = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz\nC2,Bo,Cl")
    assert {number: row["_code"] for number, row in broken_off.items()} == {1: None, 2: "too_few_fields"}
    short = read(PEOPLE, HEADER + b"C1,Ada,Clerk\nC2,Bo,Clerk")
    assert not any(row["_code"] for row in short.values())


@pytest.mark.parametrize(
    "torn",
    [
        b"C2,Bo\nReed,Clerk,Linz\n",  # a line break in a name that nobody quoted
        b"C2,Bo\\\nReed,Clerk,Linz\n",  # as MySQL writes it
        b"C2,Bo,Cle\nrk,Linz\n",
        b"C2,Bo,Clerk\nof\nall,Linz\n",
    ],
)
@pytest.mark.parametrize("behind", [b"", b"C3,Cy,Clerk,Wien\n"], ids=["at the end", "between"])
def test_a_row_that_a_line_break_tore_is_no_two_people(read, torn, behind):
    """Bo is no Bo without a name, and Reed has no id; whoever stands beside them loads."""
    found = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz\n" + torn + behind)
    codes = [found[number]["_code"] for number in sorted(found)]
    assert codes == [None, *["too_few_fields"] * torn.count(b"\n"), *[None] * behind.count(b"\n")]
    assert found[2]["_original"] == torn.decode().splitlines()[0]


def test_each_row_that_is_torn_is_told(read):
    """The one before it says nothing of how its file writes empty cells."""
    found = read(PEOPLE, HEADER + b"C1,A\nda,Clerk,Graz\nC2,Bo,Clerk,Linz\nC3,Cy,Cle\nrk,Wien\n")
    assert [found[number]["_code"] is None for number in range(1, 6)] == [False, False, True, False, False]


def test_rows_that_add_up_to_one_by_chance(read):
    """Two rows that leave out cells, as others do."""
    found = read(PEOPLE, HEADER + b"C1,Ada\nC2,Bo,Clerk,Linz\nC3,Cy,Clerk\nC4,Di\nC5,Ed,Clerk,Wels\n")
    assert not any(row["_code"] for row in found.values())
    thrice = HEADER + b"C1,Ada,Clerk,Graz\nC2,Bo\nC3,Cy\nC4,Di\nC5,Ed,Clerk,Wels\n"
    assert not any(row["_code"] for row in read(PEOPLE, thrice).values())
    without_note = b"contact_id,name,note\nC1,Ada,x\nC2,Bo\nC3,Cy\nC4,Di,y\n"
    assert not any(row["_code"] for row in read(PEOPLE, without_note).values())
    at_a_backslash = b"contact_id,name,note\nC1,Ada,x\nC2,Bo\\\nReed,y\nC4,Di,y\n"
    assert [row["_code"] for row in read(PEOPLE, at_a_backslash).values()].count("too_few_fields") == 2


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\n", b"\0" * 40, b"\x0c\n"])
def test_control_characters_at_a_file_s_end(read, end):
    """The end of a file of DOS, what a disk filled up: no record, and no person."""
    found = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz\nC2,Bo,Clerk,Linz\n" + end)
    assert {number: row["_code"] for number, row in found.items()} == {1: None, 2: None, 3: "not_a_record"}


def test_footers_behind_a_blank_line(read):
    """Of them nothing but their place says that they are no records."""
    rows = b'"C1","Ada","Clerk","Graz"\n\n\n"All people"\n"Copyright (c) 2026 x, inc."\n"Example Co"\n'
    found = read(PEOPLE, HEADER + rows)
    assert {number: row["_code"] for number, row in found.items()} == {1: None} | dict.fromkeys(
        (2, 3, 4), "not_a_record"
    )
    assert found[4]["_original"] == '"Example Co"'


def test_a_row_behind_a_blank_line_that_is_an_id_alone(read):
    """It is a record as any other; several words in the place of one are a footer."""
    found = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz\n\nC2,,,\n\nAll people,,,\n")
    assert [row["_code"] for row in found.values()] == [None, None, "not_a_record"]


def test_lines_of_json_keep_their_own_text(read):
    """Beside lines that are no UTF-8, blank ones counted."""
    web = parse(
        "source: web\nentity: things\ndoc: x\ngrain: x\nformat: ndjson\ncolumns:\n- {name: a, from: a, doc: A}\n",
        "w",
    )
    found = read(web, b'{"a": "1"}\n\n{"a": "\xff"}\n{"a": "2"}\n{"a"\n{"a": "3"}')
    assert {number: row["_code"] for number, row in found.items()} == {
        1: None, 3: "not_utf8", 4: None, 5: "invalid_json", 6: None,
    }  # fmt: skip
    assert found[3]["_original"] == '{"a": "\ufffd"}'
    assert [row["a"] for row in found.values() if not row["_code"]] == ["1", "2", "3"]


def test_a_second_header_with_other_columns_refuses_the_file(read):
    """The rows behind it would be read as what they are not."""
    with pytest.raises(BadFile) as refused:
        read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz\nname,contact_id,title,city\nBo,C2,Clerk,Linz\n")
    assert refused.value.code == "several_headers"


NAMED = parse(
    """
source: crm
entity: named
doc: People whose columns have several names.
grain: one row a person
format: csv
columns:
- {name: name, from: 姓名, also: [name, 客户], doc: Name}
- {name: phone, from: 手机, also: [mobile], doc: Phone}
- {name: city, from: 城市, also: [city], doc: City}
""",
    "named.yaml",
)


def test_the_header_of_another_file_behind_it_is_known_by_the_mapping(read):
    """In other names of the same columns it is no record; in another order nobody knows what is behind it."""
    rows = "姓名,手机,城市\n样甲,1,Graz\n{}\n样乙,2,Linz\n"
    found = read(NAMED, rows.format("Name,Mobile,City").encode())
    assert [found[number]["_code"] for number in (1, 2, 3)] == [None, "not_a_record", None]
    with pytest.raises(BadFile) as refused:
        read(NAMED, rows.format("mobile,name,city").encode())
    assert refused.value.code == "several_headers"
