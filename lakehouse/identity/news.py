"""Which records say something new: most rows of a full export say again what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import qualified
from lakehouse.identity.resolve import make_said

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

# Of what a record says all that evidence and identities are made of: not how often, and not when last.
_SAID: Final = (
    "source, record, slot, type, value, region, own, every, alias, first_said_at, since, until, "
    "first_said.file_id AS file_id, first_said.row AS row"
)


def keep_what_is_new(
    con: duckdb.DuckDBPyConnection,
    news: str,
    before: str,
    after: str,
    people_of: Callable[[str], str],
) -> None:
    """Take out of the table `news` (source, record) the records of which nothing counts otherwise than before.

    `before` and `after` are relations of observations, without the rows that came and with them. `people_of` makes of
    one the SELECT of what its records say of their persons. It is computed as `resolve` does, so whatever it would make
    of these records, it made of them already.
    """
    for name, observations in (("before", before), ("after", after)):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE news_{name} AS FROM {qualified(observations)} "
            f"SEMI JOIN {qualified(news)} USING (source, record)"
        )
        make_said(con, f"news_said_{name}", f"news_{name}")
        con.execute(f"CREATE OR REPLACE TEMP TABLE news_person_{name} AS {people_of(f'news_{name}')}")
    said = _difference(_SAID, "news_said")
    persons = _difference("*", "news_person")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE news_changed AS SELECT source, record FROM ({said}) "
        f"UNION SELECT source, record FROM ({persons})"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {qualified(news)} AS "
        f"FROM {qualified(news)} SEMI JOIN news_changed USING (source, record)"
    )
    for name in ("before", "after"):
        con.execute(f"DROP TABLE news_{name}; DROP TABLE news_said_{name}; DROP TABLE news_person_{name}")
    con.execute("DROP TABLE news_changed")


def _difference(columns: str, table: str) -> str:
    """Return the SELECT of the rows that one of two tables has and the other has not."""
    before, after = (f"SELECT {columns} FROM {table}_{name}" for name in ("before", "after"))
    return f"({before} EXCEPT {after}) UNION ALL ({after} EXCEPT {before})"
