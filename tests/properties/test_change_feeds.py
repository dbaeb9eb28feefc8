"""However a source tells what it did, in whatever order and how often: `core.*` is a plain model's answer.

The mappings' and models' SQL runs in DuckDB alone, on tables as ingest leaves them; the whole way goes
tests/integration/test_full_export.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lakehouse.engine import sql_functions
from lakehouse.engine.escape import identifier
from lakehouse.models.entity_sql import model_sql
from lakehouse.sources.mapping_views import entity_sql
from lakehouse.tables.entities import BY_NAME
from tests.support.change_feeds import (
    FEED,
    FULL,
    Change,
    Export,
    Version,
    at,
    current,
    exported,
    history,
    standing,
)

CHECKED = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SKUS, TITLES = "abc", ("red", "blue", "green")


@st.composite
def histories(draw) -> list[Change]:
    """Draw what a source did, in its own order; several changes in an instant are common."""
    minute, done = 0, []
    for position in range(draw(st.integers(0, 10))):
        minute += draw(st.sampled_from((0, 0, 1, 5)))
        title = draw(st.none() | st.sampled_from(TITLES))
        done.append(Change(draw(st.sampled_from(SKUS)), minute, position, title))
    return done


@st.composite
def deliveries(draw, of: Sequence[Change]) -> list[list[Change]]:
    """Draw the files that tell of it: some changes twice, all in any order, over several files."""
    twice = draw(st.lists(st.sampled_from(list(of)), max_size=4)) if of else []
    order = draw(st.permutations([*of, *twice]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    return [list(order[a:b]) for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if a < b]


@st.composite
def exports(draw) -> list[Export]:
    """Draw full exports of records that change, go and come back; the source's clock may be ahead, or silent."""
    clock = draw(st.sampled_from(("none", "right", "ahead")))
    event(f"clock: {clock}")
    ahead = 1000 if clock == "ahead" else 0
    there: dict[str, tuple[str, int | None]] = {}
    made = []
    for number in range(draw(st.integers(1, 6))):
        minute = 10 * (number + 1)
        for sku in SKUS:
            step = draw(st.sampled_from(("stay", "stay", "change", "go")))
            if step == "go":
                there.pop(sku, None)
            elif step == "change":
                changed = minute - draw(st.integers(1, 9)) + ahead
                there[sku] = (draw(st.sampled_from(TITLES)), None if clock == "none" else changed)
        unread = draw(st.sampled_from((0, 0, 0, 1)))
        lost = draw(st.sampled_from(["", *SKUS])) if unread else ""
        made.append(Export(minute, {sku: row for sku, row in there.items() if sku != lost}, unread))
    return made


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as found:
        found.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw; CREATE SCHEMA mapped; CREATE SCHEMA core")
        sql_functions.create(found)
        for source in (FEED, FULL):
            columns = ", ".join(f"{identifier(c.name)} {c.duck_type}" for c in source.contract.columns)
            found.execute(f"CREATE TABLE {source.table} ({columns})")
        yield found


def load(con, files: Iterable[Iterable[Change]], made: Sequence[Export] = ()) -> tuple[set[str], dict]:
    """Fill the raw tables as ingest would; return which exports have unread rows, and which list nobody."""
    for source in (FEED, FULL):
        con.execute(f"DELETE FROM {source.table}")
    rows = [
        (
            f"f{n}",
            row,
            at(5000 + n),
            c.sku,
            c.title,
            at(c.minute),
            "D" if c.title is None else "U",
            c.position,
        )
        for n, file in enumerate(files)
        for row, c in enumerate(file, start=1)
    ]
    names = "(_file_id, _row, _loaded_at, sku, title, changed, op, position)"
    if rows:
        con.executemany(f"INSERT INTO raw.feed_products {names} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    rows = [
        (f"e{n}", row, at(e.minute), sku, title, at(minute) if minute is not None else None)
        for n, e in enumerate(made)
        for row, (sku, (title, minute)) in enumerate(e.listed.items(), start=1)
    ]
    if rows:
        names = "(_file_id, _row, _loaded_at, sku, title, changed)"
        con.executemany(f"INSERT INTO raw.full_products {names} VALUES (?, ?, ?, ?, ?, ?)", rows)
    unread = {f"e{n}" for n, e in enumerate(made) if e.unread}
    nobody = {f"e{n}": at(e.minute) for n, e in enumerate(made) if not e.listed and not e.unread}
    return unread, nobody


def told(con, source: str, loaded: tuple[set[str], dict]) -> tuple[list[Version], dict[str, str]]:
    """Return the history in `core.products`, and the records in `core.prices`, which keeps none."""
    unread, nobody = loaded
    found = []
    for entity, cells in (
        ("products", "product_id, name, valid_from, valid_to"),
        ("prices", "price_id, kind"),
    ):
        sql = entity_sql(entity, [FEED, FULL], unread, {FULL.table: nobody})
        con.execute(f"CREATE OR REPLACE VIEW mapped.{entity} AS {sql}")
        query = f"SELECT {cells} FROM ({model_sql(BY_NAME[entity])}) WHERE source = ? ORDER BY ALL"
        found.append(con.execute(query, [source]).fetchall())
    versions, now = found
    return sorted(Version(*row) for row in versions), dict(now)


def by_time(versions: Iterable[Version]) -> list[Version]:
    return sorted(versions, key=lambda version: (version.sku, version.valid_from))


@CHECKED
@given(st.data())
def test_a_feed_of_changes_is_a_dict_that_is_written_to(con, data):
    """Inserts, updates and deletions, late, twice and out of order: the source's clock and log decide."""
    changes = data.draw(histories())
    versions, now = told(con, "feed", load(con, data.draw(deliveries(changes))))
    assert now == current(changes)
    assert standing(versions) == current(changes)
    assert by_time(versions) == by_time(history(changes))


@CHECKED
@given(exports())
def test_full_exports_are_laid_side_by_side(con, made):
    """Who is missing from a whole one is gone from then on, and back when listed again; unread rows delete nobody."""
    versions, now = told(con, "full", load(con, [], made))
    assert by_time(versions) == by_time(exported(made))
    assert now == standing(exported(made))


@settings(CHECKED, max_examples=20)
@given(st.data())
def test_a_feed_and_full_exports_in_one_table_do_not_disturb_each_other(con, data):
    """Same ids, other sources."""
    changes, made = data.draw(histories()), data.draw(exports())
    loaded = load(con, data.draw(deliveries(changes)), made)
    assert by_time(told(con, "feed", loaded)[0]) == by_time(history(changes))
    assert by_time(told(con, "full", loaded)[0]) == by_time(exported(made))


def test_what_the_models_say():
    """The models themselves, by example: they are what the rest is held against."""
    changes = [
        Change("a", 1, 0, "red"),
        Change("a", 1, 1, "blue"),
        Change("a", 5, 2, None),
        Change("a", 7, 3, "blue"),
    ]
    assert history(changes) == [Version("a", "blue", at(1), at(5)), Version("a", "blue", at(7), None)]
    made = [
        Export(10, {"a": ("red", None), "b": ("red", None)}),
        Export(20, {"b": ("red", None)}),
        Export(30, {}, unread=1),
        Export(40, {"a": ("red", None)}),
    ]
    assert exported(made) == [
        Version("a", "red", at(10), at(20)), Version("a", "red", at(40), None), Version("b", "red", at(10), at(40)),
    ]  # fmt: skip
