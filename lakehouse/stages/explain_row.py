"""Why a row of a customer is what it is: the row on a day, what computed it from which snapshots, and their rows.

A table says in each commit what it was computed from, and scores and triggers say it in each row. As long as these
snapshots are kept, the rows are those that were read then, whatever has come since.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from lakehouse.definitions import nearest
from lakehouse.engine import duck
from lakehouse.errors import Terminal
from lakehouse.models import registry
from lakehouse.stages.policy import ExplainPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, past, views
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table

_CUSTOMER: Final = "customer_id"
_SENDERS: Final = ("user_id", "anonymous_id")  # of rows that do not say whose they are
_VERSIONS: Final = ("model_version", "rule_version")  # of a row
_MADE: Final = ("computed_at", "fired_at")


@dataclass(frozen=True)
class Read:
    """A table that was read: what became of its snapshot, how many of its rows are the customer's, the first of them.

    `standing` is kept, expired, everybody's (no column says whose a row is) or gone (there is no such table now).
    """

    table: str
    head: str
    standing: str
    at: datetime | None = None
    count: int = 0
    rows: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Explained:
    """Rows of a customer in a table, as of a snapshot of it, and what they were computed from.

    `versions` are the version of the model, the day that it looked back from, and the zone, as far as they are noted.
    """

    table: str
    customer: str
    snapshot: str
    snapshot_at: datetime
    rows: tuple[dict[str, Any], ...]
    versions: dict[str, str]
    computed_at: datetime
    read: tuple[Read, ...]
    made_of: tuple[str, ...]


def explain(settings: Settings, customer: str, name: str, day: date | None = None) -> Explained:
    """Explain the rows of a customer in a table now, or as they were at the end of a day of the business.

    Raises `Terminal` where there is no such table, where it does not say whose its rows are, where no snapshot of the
    day is kept, and where the customer has no row in it.
    """
    _check_name(settings, name)
    catalog = catalogs.open_catalog(settings)
    table = catalogs.load(catalog, name)
    if table is None or table.current_snapshot() is None:
        raise Terminal(f"{name} has no rows yet")
    snapshot = table.current_snapshot() if day is None else past.snapshot_at(table, end_of_day(day, settings))
    if snapshot is None:
        since = past.oldest(table)
        raise Terminal(f"no snapshot of {name} of {day} is kept: the oldest is of {since:%Y-%m-%d %H:%M} UTC")
    with closing(duck.connect(settings)) as con:
        scan = views.scan_sql(table, snapshot.snapshot_id)
        rows = _rows(con, f"{scan} WHERE {_CUSTOMER} = ?", [customer])
        if not rows:
            when = f"on {day}" if day else "now"
            raise Terminal(
                f"{name} has no row of {customer} {when}: `lakehouse identity explain` finds customers"
            )
        computed_from = _inputs(rows[0]) or commit.inputs_of(snapshot)
        read = tuple(_Reading(con, catalog, customer, computed_from).all())
    return Explained(
        name,
        customer,
        str(snapshot.snapshot_id),
        past.made_at(snapshot),
        tuple(rows),
        _versions(rows[0], computed_from),
        _made(rows[0]) or past.made_at(snapshot),
        read,
        tuple(_made_of(settings, name, computed_from)),
    )


def _check_name(settings: Settings, name: str) -> None:
    """Raise `Terminal` for what is no table, and for one that does not say whose its rows are."""
    models = registry.load(settings.definitions)
    contracts = models.contracts
    if name not in contracts:
        raise Terminal(
            f"there is no {name}{nearest(name, sorted(contracts), shown_by='lakehouse models list')}"
        )
    if name in models.views:
        raise Terminal(f"{name} is a view: explain the tables that `lakehouse models lineage {name}` names")
    if _CUSTOMER not in {column.name for column in contracts[name].columns}:
        raise Terminal(f"{name} has no {_CUSTOMER}: its rows are no customer's")


class _Reading:
    """Looks for the rows of a customer in what was read, as it was then."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        customer: str,
        computed_from: Mapping[str, str],
    ) -> None:
        self._con = con
        self._catalog = catalog
        self._customer = customer
        self._heads = {
            name: head
            for name, head in computed_from.items()
            if name.partition(".")[0] in catalogs.NAMESPACES
        }

    def all(self) -> list[Read]:
        """Return what became of each table that was read, by name; those that had no rows are left out."""
        return [self._of(name, head) for name, head in sorted(self._heads.items()) if head]

    def _of(self, name: str, head: str) -> Read:
        table = catalogs.load(self._catalog, name)
        if table is None:
            return Read(name, head, "gone")
        snapshot = past.snapshot_of(table, head)
        if snapshot is None:
            return Read(name, head, "expired")
        at = past.made_at(snapshot)
        condition, values = self._condition(table)
        if not condition:
            return Read(name, head, "everybody's", at)
        scan = f"{views.scan_sql(table, snapshot.snapshot_id)} WHERE {condition}"
        (count,) = self._con.execute(f"SELECT count(*) FROM ({scan})", values).fetchall()[0]
        rows = _rows(self._con, f"SELECT * FROM ({scan}) LIMIT {ExplainPolicy.most_rows}", values)
        return Read(name, head, "kept", at, int(count), tuple(rows))

    def _condition(self, table: Table) -> tuple[str, list[Any]]:
        columns = {column.name for column in table.schema().fields}
        if _CUSTOMER in columns:
            return f"{_CUSTOMER} = ?", [self._customer]
        if not columns.issuperset(_SENDERS):
            return "", []
        identities = catalogs.load(self._catalog, IDENTITIES.name)
        snapshot = past.snapshot_of(identities, self._heads.get(IDENTITIES.name, "")) if identities else None
        if identities is None or snapshot is None:
            return "", []
        scan = views.scan_sql(identities, snapshot.snapshot_id)
        own = f"SELECT identifier_value FROM ({scan}) WHERE {_CUSTOMER} = ? AND identifier_type"
        user, device = _SENDERS
        known = f"SELECT identifier_value FROM ({scan}) WHERE identifier_type = '{user}'"
        condition = (
            f"({user} IN ({own} = '{user}') OR {device} IN ({own} = '{device}') "
            f"AND ({user} IS NULL OR {user} NOT IN ({known})))"
        )
        return condition, [self._customer, self._customer]


def _rows(con: duckdb.DuckDBPyConnection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    answer = con.execute(query, values)
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def end_of_day(day: date, settings: Settings) -> datetime:
    """Return the last moment of a day of the business."""
    zone = UTC if settings.time_zone == "UTC" else ZoneInfo(settings.time_zone)
    return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(milliseconds=1)


def _inputs(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what a row says it was computed from; empty where it does not."""
    text = row.get("inputs")
    read: Any = json.loads(text) if isinstance(text, str) else {}
    return read if isinstance(read, dict) else {}


def _versions(row: Mapping[str, Any], computed_from: Mapping[str, str]) -> dict[str, str]:
    noted = {name: computed_from[name] for name in ("version", "as_of", "time_zone") if name in computed_from}
    return noted | {name: row[name] for name in _VERSIONS if row.get(name)}


def _made(row: Mapping[str, Any]) -> datetime | None:
    return next((row[name] for name in _MADE if row.get(name)), None)


def _made_of(settings: Settings, name: str, computed_from: Mapping[str, str]) -> list[str]:
    """Return the tables that a table is made of, directly or by others."""
    from lakehouse.models import lineage  # noqa: PLC0415 - sqlglot, only here

    models = registry.load(settings.definitions)
    direct = [each for each in computed_from if "." in each]
    found = {
        each
        for table in (name, *direct)
        for inputs in lineage.upstream(models, table).values()
        for each in inputs
    }
    return sorted(found.union(direct) - {name})
