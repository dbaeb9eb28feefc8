"""A ratio of metrics of two tables is that of sums that are worked out apart, for each value of each dimension."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.models.metric import Metric, Parts, Ratio
from lakehouse.models.metric_query import metric_sql

DIMENSIONS = {"place": "place", "tier": "tier"}
VALUES = {"place": st.sampled_from(["x", "y", None]), "tier": st.sampled_from([1, 2, None])}
ROWS = st.lists(st.fixed_dictionaries(VALUES | {"n": st.sampled_from([None, 0, 1, 2, -2])}), max_size=8)
CONDITIONS = {
    "": lambda _: True,
    "place = 'x'": lambda row: row["place"] == "x",
    "tier IS NULL OR place <> 'x'": lambda row: row["tier"] is None or row["place"] not in (None, "x"),
}


def _metric(name: str, sql: str) -> Metric:
    return Metric(
        name=name,
        title=name,
        question="?",
        table=f"core.{name}",
        sql=sql,
        dimensions=DIMENSIONS,
        unit="",
        owner="",
    )


def _sum(rows: list[dict[str, Any]]) -> float | None:
    numbers = [row["n"] for row in rows if row["n"] is not None]
    return sum(numbers) if numbers else None


def _mean(rows: list[dict[str, Any]]) -> float | None:
    numbers = [row["n"] for row in rows if row["n"] is not None]
    return sum(numbers) / len(numbers) if numbers else None


# the SQL of a metric, what it says of rows, and what it says of none
KINDS = {
    "sum(n)": (_sum, 0),
    "count(*)": (len, 0),
    "count(*) FILTER (n > 0)": (lambda rows: sum((row["n"] or 0) > 0 for row in rows), 0),
    "avg(n)": (_mean, None),
    "sum(n) / nullif(count(n), 0)": (_mean, None),
}


def expected(
    of: Any, over: Any, of_rows: Iterable[Any], over_rows: Iterable[Any], by: list[str]
) -> list[tuple[Any, ...]]:
    """Return the rows of a ratio as one would write them down: group, sum up each side, divide."""
    groups: dict[tuple[Any, ...], tuple[list[Any], list[Any]]] = {(): ([], [])} if not by else {}
    for side, rows in enumerate((of_rows, over_rows)):
        for row in rows:
            groups.setdefault(tuple(row[name] for name in by), ([], []))[side].append(row)
    answer = []
    for key, (own, others) in groups.items():
        value = KINDS[of][0](own) if own else KINDS[of][1]
        base = KINDS[over][0](others) if others else None
        answer.append((*key, None if value is None or not base else pytest.approx(value / base)))
    return answer


def _order(row: tuple[Any, ...]) -> str:
    return repr(row[:-1])


@settings(deadline=None, max_examples=60)
@given(
    of_rows=ROWS,
    over_rows=ROWS,
    of=st.sampled_from(list(KINDS)),
    over=st.sampled_from(list(KINDS)),
    by=st.lists(st.sampled_from(list(DIMENSIONS)), unique=True),
    where=st.sampled_from(list(CONDITIONS)),
)
def test_a_ratio_is_that_of_each_side_summed_up_apart(of_rows, over_rows, of, over, by, where):
    """Whatever is missing on one side, null, or there many times; no side's rows multiply the other's."""
    parts = {"of": _metric("made", of), "over": _metric("had", over)}
    ratio = Ratio(
        name="r",
        title="r",
        question="?",
        unit="",
        owner="",
        dimensions=tuple(DIMENSIONS),
        ratio=Parts(of="made", over="had"),
        **parts,
    )
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA core")
        for name, rows in (("made", of_rows), ("had", over_rows)):
            con.execute(f"CREATE TABLE core.{name} (place VARCHAR, tier INTEGER, n INTEGER)")
            for row in rows:
                con.execute(
                    f"INSERT INTO core.{name} VALUES (?, ?, ?)", [row["place"], row["tier"], row["n"]]
                )
        found = con.execute(metric_sql(ratio, (), by, where)).fetchall()
    kept = CONDITIONS[where]
    wanted = expected(of, over, filter(kept, of_rows), filter(kept, over_rows), by)
    assert sorted(found, key=_order) == sorted(wanted, key=_order)
