"""Of the records with new rows those are looked at that say something new, and the result is that of looking at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.identity.news import keep_what_is_new
from tests.properties.test_incremental import (
    DAY,
    Batch,
    Lake,
    batches,
    outcome,
    resolve_all,
    resolve_part,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_ONE = [
    (("c", "1"), ("crm_id", "1"), 0),
    (("c", "1"), ("email", "ann@x.cn"), 0),
    (("c", "1"), ("email", "bob@x.cn"), 1),
]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": "1"}) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def forget(con) -> None:
    con.unregister("news")
    con.execute("DROP TABLE IF EXISTS temp.news")


def people_of(relation: str) -> str:
    """Return the SELECT of all that a matcher reads of records: their names, and what they look like."""
    before = "_before" if relation == "news_before" else ""
    described = f"people{before} FULL JOIN looks_of{before} USING (source, record)"
    return f"SELECT source, record, name, look FROM {described} SEMI JOIN {relation} USING (source, record)"


def take(con, lake: Lake, batch: Batch, number: int) -> list[tuple[str, str]]:
    """Add a batch; make of `news` the records that say something new, and return them."""
    for name in ("observations", "people", "looks_of"):
        con.execute(f"CREATE OR REPLACE TABLE {name}_before AS FROM {name}")
    forget(con)
    lake.take(batch, number)
    con.execute("CREATE OR REPLACE TEMP TABLE came AS FROM news")
    con.unregister("news")
    con.execute("CREATE OR REPLACE TEMP TABLE news AS FROM came")
    keep_what_is_new(con, "news", "observations_before", "observations", people_of)
    return con.execute("FROM news ORDER BY ALL").fetchall()


def said_again(lake: Lake) -> list[tuple]:
    """Return what each record said last of each kind, to be said again as late as anything is."""
    last = {(row[1], row[0], row[2]): row[7] for row in sorted(lake.observations, key=lambda row: row[9:12])}
    return [((source, record), (kind, value), 3) for (source, record, kind), value in last.items()]


@settings(max_examples=12, deadline=None, database=None)
@given(st.lists(st.tuples(batches, st.booleans()), min_size=2, max_size=4))
@example(
    [
        (Batch([], {}, [], dict.fromkeys([("c", "1"), ("c", "2")], "tall")), False),
        (Batch([], {}, [], {("c", "1"): "short"}), False),
    ]
)
def test_the_result_is_that_of_looking_at_all(con, history):
    """Statements, corrections, names, words, and now and then all of it once more."""
    lake = Lake(con)
    forget(con)
    lake.take(history[0][0], 0)
    resolve_all(con, None)
    lake.keep()
    for number, (batch, again) in enumerate(history[1:], start=1):
        repeated = said_again(lake) if again else []
        take(con, lake, batch._replace(said=[*repeated, *batch.said]), number)
        resolve_all(con, "stored_identities")
        expected = outcome(con)
        resolve_part(con)
        assert outcome(con) == expected
        lake.keep()


@pytest.mark.parametrize(
    ("said", "names", "is_news"),
    [
        (OF_ONE, {}, False),
        ([(("c", "1"), ("email", "bob@x.cn"), 3)], {}, False),
        ([(("c", "1"), ("email", "ann@x.cn"), 3)], {}, True),
        ([(("c", "1"), ("email", "cy@x.cn"), 3)], {}, True),
        ([(("c", "1"), ("email", None), 3)], {}, True),
        ([(("c", "1"), ("phone", "13800001110"), 0)], {}, True),
        ([], {("c", "1"): "李娜"}, True),
        ([], {("c", "1"): "张伟"}, False),
    ],
)
def test_what_is_said_again_is_no_news(con, said, names, is_news):
    """The same once more, or the newest once more; another value, an older one again, none, another name are."""
    lake = Lake(con)
    con.execute("DROP TABLE IF EXISTS temp.news")
    own = [(("c", "1"), ("shop_id", "c1"), 0)]
    lake.take(Batch([*OF_ONE, *own], {("c", "1"): "张伟"}, [], {}), 0)
    assert take(con, lake, Batch([*said, *own], names, [], {}), 1) == ([("c", "1")] if is_news else [])
    assert min(row[9] for row in lake.observations) == DAY
