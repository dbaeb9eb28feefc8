"""Names and texts from outside, put into SQL, stay names and texts."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.engine.escape import identifier, literal, literals, qualified

hostile = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.text(st.sampled_from("\"'`;-\\\n\r\t$%{}[]()/*—é中\U0001f600E"), min_size=1, max_size=20),
)
few = tried(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BOBBY = "x'); DROP TABLE t; --"


@pytest.fixture(scope="module")
def con():
    con = duckdb.connect()
    yield con
    con.close()


@few
@given(text=hostile)
@example(text=BOBBY)
@example(text="E'\\x27'")
@example(text="$$")
def test_a_literal_is_the_text_it_was(con, text):
    """Whatever is in it, DuckDB gives it back, alone and in a list."""
    assert con.execute(f"SELECT {literal(text)}, {literals([text, text])}").fetchone() == (text, [text, text])
    assert con.execute(f"SELECT {literal('')}, {literals([])}").fetchone() == ("", [])


@few
@given(name=hostile)
@example(name='a"b')
@example(name='"; DROP TABLE t; --')
def test_an_identifier_is_the_name_it_was(con, name):
    """A column of that name can be made and read, and nothing else happens."""
    con.execute(f"CREATE OR REPLACE TABLE t ({identifier(name)} INTEGER)")
    con.execute("INSERT INTO t VALUES (7)")
    answer = con.execute(f"SELECT {identifier(name)} FROM t")
    assert (answer.description[0][0], answer.fetchall()) == (name, [(7,)])


@few
@given(name=hostile.filter(lambda name: "." not in name))
def test_a_qualified_name_is_two_names(con, name):
    """The dot between them is the only one that means something."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(name)}")
    con.execute(f"CREATE OR REPLACE TABLE {qualified(f'{name}.t')} AS SELECT 1 AS one")
    assert con.execute(f"SELECT one FROM {qualified(f'{name}.t')}").fetchall() == [(1,)]
    con.execute(f"DROP SCHEMA {identifier(name)} CASCADE")


@pytest.mark.parametrize("wrong", ["", "a\0b", "\0"])
def test_what_no_table_can_be_called_is_refused(wrong):
    """DuckDB would cut the name at NUL."""
    with pytest.raises(ValueError, match="identifier"):
        identifier(wrong)


def test_a_text_with_nul_is_refused():
    """It would end the statement early."""
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")
    with pytest.raises(ValueError, match="NUL"):
        literals(["a", "b\0"])


@pytest.mark.parametrize("value", ["a", "e", "z", "", None])
def test_a_value_is_looked_up_in_a_list_as_in_parentheses_and_without_a_join(con, value):
    """Of five values in parentheses DuckDB makes a join, which every row goes through, and of a list none."""
    listed, rows = literals([*"abcde"]), "(SELECT CAST(? AS VARCHAR) AS t)"
    in_parentheses = f"({listed.strip('[]')})"
    for negated in ("", "NOT "):
        by_list, by_join = (
            con.execute(f"SELECT t {negated}IN {those} FROM {rows}", [value]).fetchall()
            for those in (listed, in_parentheses)
        )
        assert by_list == by_join
    plans = [
        con.execute(
            f"EXPLAIN SELECT t IN {those} FROM (SELECT i::VARCHAR AS t FROM range(9) AS r(i))"
        ).fetchall()
        for those in (listed, in_parentheses)
    ]
    assert ["JOIN" in plan for [(_, plan)] in plans] == [False, True]
