"""Which rows of a table came and went between two of its heads: found once in a look, for all models that read it.

Files that both have are not read. Rows of the others are summed up by hashes into buckets, and only those of buckets
that differ are compared themselves. What a model wrote in part is known without reading anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

SIGN: Final = "_sign"  # of a row that came 1, of one that went -1
_BUCKETS: Final = 65_536
_MOST_BUCKETS: Final = _BUCKETS // 4  # that differ: of more the rows are too many to be listed
Heads = tuple[str, str]  # the one that somebody read, and the one that is there now


class RowChanges:
    """Rows that differ, as temporary tables of a connection, by table and heads."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._found: dict[tuple[str, Heads], str | None] = {}

    def are_known(self, name: str, heads: Heads) -> bool:
        """Return whether the rows that differ have been looked for already, or noted."""
        return (name, heads) in self._found

    def find(self, name: str, heads: Heads, columns: Iterable[str], *, before: str, now: str) -> str | None:
        """Return the table of the rows that differ, with their sign; None where they are too many to be listed.

        `before` and `now` are SELECTs of rows at both heads; those that both have may be left out of both.
        """
        key = name, heads
        if key not in self._found:
            self._found[key] = self._compare(", ".join(map(identifier, columns)), before, now)
        return self._found[key]

    def note(self, name: str, heads: Heads, *, added: str, removed: str) -> None:
        """Note the rows that a commit added and removed, SELECTs of the table's columns."""
        self._found[name, heads] = self._store(
            f"SELECT *, 1 AS {SIGN} FROM ({added}) UNION ALL SELECT *, -1 AS {SIGN} FROM ({removed})"
        )

    def _compare(self, cells: str, before: str, now: str) -> str | None:
        signed = ((now, 1), (before, -1))
        hashed = " UNION ALL ".join(
            f"SELECT hash({cells}) AS content, {sign} AS sign FROM ({rows})" for rows, sign in signed
        )
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE differing_buckets AS SELECT content % {_BUCKETS} AS bucket FROM ({hashed}) "
            "GROUP BY bucket HAVING sum(sign * CAST(content AS HUGEINT)) <> 0"
        )
        [(count,)] = self._con.execute("SELECT count(*) FROM differing_buckets").fetchall()
        if count > _MOST_BUCKETS:
            return None
        if not count:
            return self._store(f"SELECT {cells}, 1 AS {SIGN} FROM ({now}) LIMIT 0")
        rows = " UNION ALL ".join(
            f"SELECT {cells}, {sign} AS {SIGN} FROM ({each}) "
            f"WHERE hash({cells}) % {_BUCKETS} IN (SELECT bucket FROM differing_buckets)"
            for each, sign in signed
        )
        return self._store(f"FROM ({rows}) QUALIFY sum({SIGN}) OVER (PARTITION BY hash({cells})) <> 0")

    def _store(self, query: str) -> str:
        name = f"row_changes_{len(self._found)}"
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        return name
