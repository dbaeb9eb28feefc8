"""Who would enter or leave is who is in one state only, and each has the reasons that a plain reading gives."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.segments.comparison import BEFORE, Side, compare
from lakehouse.segments.definition import Segment, Segments
from lakehouse.segments.read_only import Lake
from lakehouse.segments.refresh import members_sql

CUSTOMERS = "abcdef"
CELLS = st.integers(0, 2) | st.none()
MARTS = st.dictionaries(st.sampled_from(CUSTOMERS), st.tuples(CELLS, CELLS), min_size=1)
CONDITIONS = (
    "orders > 0 AND m > 0",
    "orders > 0",
    "(orders > 1 OR m > 1)",
    "m > 0 AND NOT orders > 1",
    "true",
)
WHERE = st.sampled_from(CONDITIONS)
OTHERS = st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2)
GROUPS = st.fixed_dictionaries(
    {"x": st.sets(st.sampled_from(CUSTOMERS)), "y": st.sets(st.sampled_from(CUSTOMERS))}
)


def lake_of(con: duckdb.DuckDBPyConnection) -> Lake:
    con.execute("CREATE SCHEMA core")
    con.execute("CREATE TABLE core.customers AS SELECT 'a' AS customer_id UNION ALL SELECT 'b'")
    con.execute(
        "CREATE TABLE core.consent_answers AS "
        "SELECT 'a' AS customer_id, true AS allowed, 'p' AS purpose, 'c' AS channel"
    )
    con.execute("CREATE SCHEMA marts")
    return Lake(con, {}, Segments(()))


def put(con: duckdb.DuckDBPyConnection, marts: dict[str, tuple[int | None, int | None]]) -> None:
    for table, column, number in (("customer_360", "orders", 0), ("rfm", "m", 1)):
        con.execute(
            f"CREATE OR REPLACE TABLE marts.{table} (customer_id VARCHAR, as_of DATE, recency_days INT, {column} INT)"
        )
        for name, cells in marts.items():
            con.execute(
                f"INSERT INTO marts.{table} VALUES (?, ?, 1, ?)", [name, date(2026, 3, 1), cells[number]]
            )


def evaluate(con, table: str, segment: Segment | None, groups: dict[str, set[str]]) -> set[str]:
    """Make a state: the groups as they are, and who fulfils the segment."""
    con.execute("CREATE OR REPLACE TEMP TABLE fulfilling (segment VARCHAR, customer_id VARCHAR)")
    for name, members in groups.items():
        for customer in sorted(members):
            con.execute("INSERT INTO fulfilling VALUES (?, ?)", [name, customer])
    inside = set()
    if segment is not None:
        inside = {customer for customer, _ in con.execute(members_sql(segment)).fetchall()}
        for customer in sorted(inside):
            con.execute("INSERT INTO fulfilling VALUES ('s', ?)", [customer])
    if table != "fulfilling":
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM fulfilling")
    return inside


def reasons(segment: Segment, customer: str, marts, groups) -> set[str]:
    """The oracle: what of a definition a customer does not fulfil, read line by line."""
    if customer not in marts:
        return {"absent"}
    orders, m = marts[customer]
    found = {f"in {name}, which is excluded" for name in segment.exclude if customer in groups[name]}
    if any(customer in groups[name] for name in segment.include):
        return found
    holds = {
        "orders > 0": orders is not None and orders > 0,
        "m > 0": m is not None and m > 0,
        "orders > 1 OR m > 1": (orders or 0) > 1 or (m or 0) > 1,
        "NOT orders > 1": orders is not None and orders <= 1,
        "true": True,
    }
    parts = {
        "orders > 0 AND m > 0": ("orders > 0", "m > 0"),
        "orders > 0": ("orders > 0",),
        "(orders > 1 OR m > 1)": ("orders > 1 OR m > 1",),
        "m > 0 AND NOT orders > 1": ("m > 0", "NOT orders > 1"),
        "true": ("true",),
    }
    return found | {f"not: {part}" for part in parts[segment.where] if not holds[part]}


def segment(where: str, include=(), exclude=()) -> Segment:
    return Segment(name="s", title="T", doc="D", where=where, include=tuple(include), exclude=tuple(exclude))


SEGMENTS = st.builds(segment, WHERE, OTHERS, OTHERS)


@settings(max_examples=40, deadline=None)
@given(MARTS, MARTS, SEGMENTS, SEGMENTS, GROUPS)
def test_each_who_moves_has_the_reasons_of_a_plain_reading(before, after, was, now, groups):
    """Who enters: what did not hold by the marts and definition before; who leaves: by those after."""
    with duckdb.connect() as con:
        lake = lake_of(con)
        put(con, before)
        inside_before = evaluate(con, BEFORE, was, groups)
        put(con, after)
        inside_after = evaluate(con, "fulfilling", now, groups)
        [found] = compare(
            lake,
            ["s"],
            Side({"s": was}, {}, make_ready=lambda: put(con, before)),
            Side({"s": now}, {}),
            lambda _: [("p", "c")],
            99,
        )
    for moved, expected, side, absent in (
        (found.entering, inside_after - inside_before, (was, before), "was no customer"),
        (found.leaving, inside_before - inside_after, (now, after), "no customer any more"),
    ):
        assert {customer for customer, _ in moved.customers} == expected
        assert moved.count == len(expected)
        assert moved.lacking == ({"p/c": len(expected - {"a"})} if expected else {})
        for customer, why in moved.customers:
            plain = reasons(side[0], customer, side[1], groups)
            assert set(why) == ({absent} if plain == {"absent"} else plain)
        counted = [reason for _, why in moved.customers for reason in why]
        assert moved.reasons == {reason: counted.count(reason) for reason in counted}
    assert (found.before, found.after) == (len(inside_before), len(inside_after))
    assert found.state == ("same" if was == now else "changed")


@pytest.mark.parametrize(
    ("before", "after", "state", "entering", "leaving"),
    [
        pytest.param(Side({}, {}), Side({"s": segment("true")}, {}), "new", {"the segment is new": 1}, {}, id="new"),
        pytest.param(Side({"s": segment("true")}, {}), Side({}, {}), "gone", {},
                     {"there is no such segment any more": 1}, id="gone"),
        pytest.param(Side({"s": segment("true")}, {}, "it expired"), Side({"s": segment("true")}, {}), "same",
                     {"it expired": 1}, {}, id="expired"),
        pytest.param(Side({"s": segment("true")}, {"s": "was wrong"}), Side({"s": segment("true")}, {}), "same",
                     {"was wrong": 1}, {}, id="it was wrong before"),
        pytest.param(Side({"s": segment("no_such > 1")}, {}), Side({"s": segment("true")}, {}), "changed",
                     {"the condition cannot be asked there: where: there is no column no_such": 1}, {},
                     id="a column that was not there"),
        pytest.param(Side({"s": segment("orders > DATE '2026-01-01'")}, {}), Side({"s": segment("true")}, {}),
         "changed",
                     {"the condition cannot be asked there: Binder Error": 1}, {}, id="a type that does not fit"),
        pytest.param(Side({"s": segment("true")}, {}), Side({"s": segment("true")}, {"s": "no"}), "wrong", {}, {},
                     id="it is wrong now and keeps its members"),
        pytest.param(Side({"s": segment("orders = 1")}, {}), Side({"s": segment("true")}, {}), "changed",
                     {"all of it held before, too": 1}, {}, id="it was kept though it fitted"),
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_asked_says_why(before, after, state, entering, leaving):
    """Each who moves has a reason, be it that none is known."""
    is_in = [{"s": {"a"}}, {}] if leaving else [{}, {"s": {"a"}}]
    with duckdb.connect() as con:
        lake = lake_of(con)
        put(con, {"a": (1, 1)})
        evaluate(con, BEFORE, None, is_in[0])
        evaluate(con, "fulfilling", None, is_in[1])
        [found] = compare(lake, ["s"], before, after, lambda _: (), 0)
    assert found.state == state
    for moved, expected in ((found.entering, entering), (found.leaving, leaving)):
        said = [
            (reason[: len(start)], count)
            for (reason, count), start in zip(moved.reasons.items(), expected, strict=True)
        ]
        assert said == [*expected.items()]
        assert moved.customers == ()
