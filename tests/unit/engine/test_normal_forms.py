"""Two spellings of one identifier become equal text; what is no identifier becomes None."""

from __future__ import annotations

import random

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.engine.escape import literal
from lakehouse.engine.normal_forms import (
    EMAIL_DIVIDERS,
    PLAIN_EMAIL,
    create,
    create_for,
    create_plain,
    email,
    normal_forms_of_cell,
    phone,
)
from lakehouse.identity.relation import run


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("Ann.Lee+crm@Example.COM", "ann.lee+crm@example.com"),
        ("\u00a0 ann@example.com\u200b\r\n", "ann@example.com"),
        ("\uff41\uff4e\uff4e＠example.com", "ann@example.com"),  # full width
        ("王伟@例子.中国", "王伟@xn--fsqu00a.xn--fiqs8s"),
        ("ann@bücher.example.com", "ann@xn--bcher-kva.example.com"),
        ("ann@sub.test", "ann@sub.test"),  # reserved for tests, still an address
        ("Ann Lee <Ann@example.com>", "ann@example.com"),  # as mail programs show it
        ('"Lee, Ann" < ann@example.com >', "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("王伟＜ann@example.com＞", "ann@example.com"),
        ("ben@example.com <ann@example.com>", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),  # as a cell with a link
        ("MAILTO:Ann@example.com?subject=Hi there", "ann@example.com"),
        ("Ann <mailto:ann@example.com>", "ann@example.com"),
        ("ann@example.com.", "ann@example.com"),
        ("'ann@example.com'", "ann@example.com"),
        ("'ann@example.com", "ann@example.com"),  # as a cell that Excel is to leave alone
        ('"ann@example.com"', "ann@example.com"),
        ("\0ann@example.com\0", "ann@example.com"),
        ("o'hara@example.com", "o'hara@example.com"),
    ],
)
def test_email_spellings_meet(raw: str, normal: str):
    """Case, white space, width and IDN spellings of one address are one text."""
    assert email(raw) == normal


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann@@example.com",
            "a b@example.com",
            "ann@exa mple.com",
        ),
        *(
            "ann@.example.com",
            "ann.@example.com",
            "ann@example..com",
            "Ann <ann>",
            "<ann@example.com> <ben@example.com>",
            "Ann <ann@example.com> Lee",
            "<>",
            "mailto:",
            "ann@localhost",
        ),
        *("ann@printer.local", "ann@1.2.3.4", "ann@ab--cd.com", "a@b.c;d@e.fr", "ann@example.com,"),
        *("x" * 250 + "@example.com", "ann@" + "x" * 64 + ".com"),
    ],
)
def test_email_that_is_none(raw: str):
    """What no mail could reach is no identifier."""
    assert email(raw) is None


@pytest.mark.parametrize(
    ("raw", "region", "normal"),
    [
        ("13800001110", None, "+8613800001110"),
        ("138 0000 1110", None, "+8613800001110"),
        ("138-0000-1110", "CN", "+8613800001110"),
        ("+86 138 0000 1110", "US", "+8613800001110"),
        ("008613800001110", None, "+8613800001110"),
        ("8613800001110", None, "+8613800001110"),
        ("１３８００００１１１０", None, "+8613800001110"),
        ("010-6552 9988", "CN", "+861065529988"),
        ("(415) 555-2671", None, "+14155552671"),
        ("1-380-555-2671", None, "+13805552671"),  # eleven digits, grouped as Americans do
        ("415.555.2671", "us", "+14155552671"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("138 0000 1110", "XX", "+8613800001110"),  # no such region: as if none were given
        ("+1 415 555 2671 ext. 12", None, "+14155552671;ext=12"),
    ],
)
def test_phone_spellings_meet(raw: str, region: str | None, normal: str):
    """A number is E.164 with the region it was written in, or the one it looks like."""
    assert phone(raw, region) == normal


@pytest.mark.parametrize(
    "raw",
    [
        "1.38E+10",
        "1,38E+10",
        "1.38e10",
        "13800",
        "138000011101",
        "+86 12345",
        "abc",
        "+",
        "555-2671",
        "11000001110",
    ],
)
def test_phone_that_is_none(raw: str):
    """A number that a spreadsheet has rounded, or that no network could ring, is no identifier."""
    assert phone(raw) is None


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.one_of(
        st.emails(),
        st.builds("{}@{}".format, st.text(min_size=1, max_size=8), st.sampled_from(["例子.中国", "x.cn"])),
    )
)
def test_normalising_twice_changes_nothing(raw: str):
    """A normal form is its own normal form."""
    once = email(raw)
    assert once is None or email(once) == once


def _settled_by_sql(values: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    con = duckdb.connect()
    con.execute("CREATE TEMP TABLE identity_said (type TEXT, value TEXT, region TEXT, observations BIGINT)")
    con.executemany("INSERT INTO identity_said VALUES (?, ?, ?, 1)", values)
    create_plain(con)
    run(con, "values", names={"dividers": literal(EMAIL_DIVIDERS)})
    rows = con.execute(
        "SELECT type, value, region, normal FROM identity_values WHERE normal IS NOT NULL"
    ).fetchall()
    return {(kind, value, region): normal for kind, value, region, normal in rows}


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.lists(
        st.one_of(
            st.from_regex(PLAIN_EMAIL, fullmatch=True),
            st.from_regex(
                r"[a-zA-Z0-9._-]{1,4}@[a-zA-Z0-9.-]{1,8}\.(local|test|arpa|com|C|x1)", fullmatch=True
            ),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_plain_emails_need_no_library(values: list[str]):
    """Whatever SQL settles by itself, email-validator settles alike."""
    settled = _settled_by_sql([("email", value, "") for value in values])
    assert {value: email(value) for _, value, _ in settled} == {
        value: normal for (_, value, _), normal in settled.items()
    }


@pytest.mark.parametrize(
    "raw",
    [
        *("a@b--c.com", "a@bc--d.com", "a@xn--fsqu00a.com", "a@x.LOCAL", "a@x.test", "a@-b.com", "a@b-.com"),
        *(
            "a@b.c",
            "a@b.com.",
            "a..b@c.com",
            ".a@b.com",
            "a@b_c.com",
            "a@1.com",
            "a@b.c0m",
            "Ka@b.com",
            "a@b.com\n",
        ),
        *("x" * 70 + "@b.com", "a@" + "b" * 59 + ".com", "a@" + "b" * 70 + ".com"),
    ],
)
def test_at_the_edge_of_plain(raw: str):
    """Around what counts as plain, too, SQL settles an address as the library does or leaves it to it."""
    settled = _settled_by_sql([("email", raw, "")])
    assert settled.get(("email", raw, ""), email(raw)) == email(raw)


def test_plain_phones_need_no_library():
    """Whatever SQL settles by itself, phonenumbers settles alike; and it settles Chinese mobiles."""
    rng = random.Random(7)  # fixed seed
    values = [
        (
            "phone",
            shape.format(
                f"1{rng.randrange(10, 100)}", f"{rng.randrange(10**4):04}", f"{rng.randrange(10**4):04}"
            ),
            region,
        )
        for shape in ("{}{}{}", "{} {} {}", "{}-{}-{}", "+86{}{}{}", "+86 {} {} {}", "86{}{}{}")
        for region in ("", "CN", "US", "XX")
        for _ in range(150)
    ]
    settled = _settled_by_sql(values)
    assert settled == {key: phone(key[1], key[2]) for key in settled}
    assert all(
        ("phone", f"13{n}00001110", "") in _settled_by_sql([("phone", f"13{n}00001110", "")])
        for n in range(10)
    )


@pytest.mark.parametrize("count", [1, 2, 5_000])
def test_sql_gives_what_the_functions_give_in_vectors_of_any_size(count: int):
    """Plain and unusual values side by side, some texts longer than DuckDB keeps inline, none freed too early."""
    spellings = (
        "ann{:05}@EXAMPLE.com",
        " ann{:05}@example.com",
        "ann{:05}＠example.com",
        "ann{:05}@例子.中国",
        "ann{:05}",
    )
    values = [spellings[number % 5 if count > 1 else 2].format(number) for number in range(count)]
    with duckdb.connect(config={"threads": 2}) as con:
        create(con)
        con.execute("CREATE TABLE t AS SELECT unnest(?) AS value", [values])
        query = "SELECT value, identifier_form('email', value, NULL) FROM t"
        expected = {value: email(value) or value for value in values}
        assert dict(con.execute(query).fetchall()) == expected
        con.execute(f"CREATE TABLE made AS {query} ORDER BY hash(value)")
        assert dict(con.execute("FROM made").fetchall()) == expected


def test_ordinary_addresses_are_settled_by_sql():
    """The common case costs no Python: an address of letters, digits, dots and a plus sign."""
    values = [("email", f"Ann.Lee+{n}@mail-{n}.Example.com", "") for n in range(100)]
    assert len(_settled_by_sql(values)) == 100


@pytest.mark.parametrize(
    ("cell", "forms"),
    [
        ("Ann@example.com; BEN@example.com", "ann@example.com|ben@example.com"),
        ("ann@example.com,Ann@example.com", "ann@example.com"),
        ("ann@example.com | none", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "ann@example.com"),
        ("Ann <ann@example.com>; ben@example.com", "ann@example.com|ben@example.com"),
        ("none; n/a", None),
        (";", None),
        ("ann@example.com", "ann@example.com"),
    ],
)
def test_several_emails_in_a_cell(cell: str, forms: str | None):
    """Each that is valid, once; a comma within a name divides nothing."""
    assert normal_forms_of_cell("email", cell, None) == forms


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("a\u200bnn@x.org", "ann@x.org"), ("ann\u00ad@x.org", "ann@x.org"), ("ann@\u2060x.org", "ann@x.org"),
        ("\u202aann@x.org\u202c", "ann@x.org"), ("ann\ufeff@x.org", "ann@x.org"),
        ("ann@x\u200b.org\u200e", "ann@x.org"),
    ],
)  # fmt: skip
def test_what_nobody_sees_is_no_part_of_an_e_mail(typed, normal):
    """As pages and phones copy it: a refusal of such an address is one of the address."""
    assert email(typed) == normal


@pytest.mark.parametrize(
    ("typed", "region", "normal"),
    [
        ("010-88886666转801", "CN", "+861088886666;ext=801"), ("010-88886666 转 801", "CN", "+861088886666;ext=801"),
        ("010-88886666-801", "CN", "+861088886666;ext=801"), ("(010)88886666-801", "CN", "+861088886666;ext=801"),
        ("0571-88886666分机12", "CN", "+8657188886666;ext=12"), ("+86 10 8888 6666 ext 8", "CN", "+861088886666;ext=8"),
        ("010-88886666", "CN", "+861088886666"), ("138-0013-8001", "CN", "+8613800138001"),
        ("0571-8888-6666", "CN", "+8657188886666"), ("\u202d+1 212 555\u200b 0101\u202c", "US", "+12125550101"),
    ],
)  # fmt: skip
def test_an_extension_behind_a_switchboard_in_china_is_one(typed, region, normal):
    """Three colleagues with extensions have three numbers; without them they have one."""
    assert phone(typed, region) == normal


@pytest.mark.parametrize(
    ("kind", "value", "region", "is_one"),
    [
        ("email", "Ann Lee <ann@x.org>", "", True), ("email", "ann@x.org; no", "", True),
        ("email", "ann@x", "", False),
        ("email", "e-mail: ann@x.org", "", False), ("phone", "0151 12345679", "DE", True),
        ("phone", "12345", "", False), ("phone", "0151 12345679", "", False), ("push", "token", "", False),
        ("email", None, "", None),
    ],
)  # fmt: skip
def test_what_is_an_address(kind, value, region, is_one):
    """One that has a normal form; what is no e-mail and no phone is none."""
    con = duckdb.connect()
    create_for(con, "SELECT is_address('email', 'ann@x.org', '')")
    assert con.execute("SELECT is_address(?, ?, ?)", [kind, value, region]).fetchone() == (is_one,)
