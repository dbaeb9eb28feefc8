"""The digest of rows: the same for equal rows in any order, another one for any other rows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.tables import content
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.contract import columns, partitions
from lakehouse.tables.data_files import Written
from tests.support.lakes import a_contract, duck_of, write

KINDS = columns(("a", "string", "A"), ("b", "string", "B"), ("n", "long", "N"), ("d", "double", "D"))
few = st.sampled_from(["", "a", "b", "ab", None])
rows = st.lists(
    st.tuples(few, few, st.sampled_from([0, 1, -1, None]), st.sampled_from([0.5, None])), max_size=5
)


@pytest.fixture
def table(lake):
    return ensure(open_catalog(lake), a_contract(columns=KINDS))


def rows_sql(given_rows):
    """Return the SELECT of rows, or of none."""
    if not given_rows:
        return (
            "SELECT NULL::VARCHAR AS a, NULL::VARCHAR AS b, NULL::BIGINT AS n, NULL::DOUBLE AS d WHERE false"
        )
    listed = ", ".join(f"({', '.join('NULL' if v is None else repr(v) for v in row)})" for row in given_rows)
    return f"SELECT * FROM (VALUES {listed}) AS v(a, b, n, d)"


def digest(con, lake, table, given_rows):
    return content.digest(con, table, write(lake, table, rows_sql(given_rows)))


@pytest.fixture
def con(lake):
    with duck_of(lake) as con:
        yield con


@tried(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=rows, other=rows, data=st.data())
def test_equal_rows_and_no_others_have_one_digest(con, lake, table, one, other, data):
    """Counted as a multiset: a row that is there twice is not a row that is there once."""
    first = digest(con, lake, table, one)
    assert digest(con, lake, table, data.draw(st.permutations(one))) == first
    assert (digest(con, lake, table, other) == first) is (Counter(other) == Counter(one))


def test_rows_in_several_files_count_alike(con, lake):
    """Partitions, and files, do not matter; the table's columns do."""
    whole = ensure(open_catalog(lake), a_contract(columns=KINDS))
    parted = ensure(open_catalog(lake), a_contract(columns=KINDS, partition=partitions("identity(a)")))
    given_rows = [("a", "x", 1, 0.5), ("b", "x", 1, 0.5), (None, None, None, None)]
    assert digest(con, lake, whole, given_rows) == digest(con, lake, parted, given_rows)
    wider = ensure(open_catalog(lake), a_contract(columns=(*KINDS, *columns(("e", "string", "E")))))
    assert content.digest(con, whole, Written([])) != content.digest(con, wider, Written([]))


@tried(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=rows, went=rows, came=rows)
def test_what_came_and_went_gives_the_digest_of_what_is_there(con, lake, table, kept, went, came):
    """No row that stays needs to be read again."""
    before = digest(con, lake, table, kept + went)
    after = content.digest_after(con, table, before, added=typed_sql(came), removed=typed_sql(went))
    assert after == digest(con, lake, table, kept + came)


@pytest.mark.parametrize("before", ["", "3f9a", "other:1:2:3"])
def test_of_a_digest_that_is_none_nothing_is_known(con, table, before):
    """As after another engine's commit, or of a table that has got a column since."""
    assert content.digest_after(con, table, before, added=typed_sql([]), removed=typed_sql([])) == ""


def typed_sql(given_rows):
    return (
        f"SELECT CAST(a AS VARCHAR) AS a, CAST(b AS VARCHAR) AS b, CAST(n AS BIGINT) AS n, CAST(d AS DOUBLE) AS d "
        f"FROM ({rows_sql(given_rows)})"
    )
