"""The triggers stage: asks the rules whose tables, day or moment came, and brings `marts.triggers` up to date.

It runs each minute and asks the heads of tables first: a rule is asked when what it reads has changed, on another day,
and when the first of its reasons to come is due. Events are read as they are loaded, without waiting for other stages;
whose they are is what `core.identities` says by then.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import duckdb

from lakehouse import signals, telemetry
from lakehouse.definitions import nearest
from lakehouse.engine import duck
from lakehouse.errors import Terminal
from lakehouse.models import registry
from lakehouse.models.inputs import InputViews
from lakehouse.models.lake_tables import LakeTables
from lakehouse.models.triggers import definition, standing
from lakehouse.tables import appending, commit, data_files, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import TRIGGERS
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakehouse.models.triggers.definition import Rules
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

_WRONG: Final = "wrong rules"  # among what is noted: rules that DuckDB refused, by name
_COUNTS: Final = """
SELECT count(*) - (SELECT count(*) FROM known), count(*) FILTER (cancelled_at = getvariable('now')) FROM rows_now
"""


@dataclass(frozen=True)
class Fired:
    """What one look came to: the rules that were asked, rows that are new, rows that lost their reason.

    `wrong` says by name why rules cannot be asked: their rows stay as they are.
    """

    asked: list[str] = field(default_factory=list)
    fired: int = 0
    cancelled: int = 0
    wrong: Mapping[str, str] = field(default_factory=dict)


class _Look:
    """The rules, the tables as they are when the look begins, and what is noted of the look before."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.settings = settings
        self.now = now
        self.rules: Rules = definition.load(settings.definitions)
        self.lake = LakeTables(
            settings, list(self.rules.models.values()), noted=[TRIGGERS.name, IDENTITIES.name]
        )
        self.table: Table | None = self.lake.by_name.get(TRIGGERS.name)
        self.noted = commit.inputs(self.table) if self.table is not None else {}
        self.expected = {name: self.lake.expected_inputs(model) for name, model in self.rules.models.items()}

    def digest(self, name: str) -> str:
        """Return what changes when a rule may give other reasons."""
        content = [self.rules.defined[name].version, self.expected[name]]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def due(self) -> list[str]:
        """Return the rules to ask: those that may give other reasons, or of which a reason has become due."""
        return [name for name in self.rules.defined if self.expected[name] and self._is_due(name)]

    def _is_due(self, name: str) -> bool:
        digest, _, moment = self.noted.get(name, "").partition(" ")
        return digest != self.digest(name) or bool(moment and datetime.fromisoformat(moment) <= self.now)

    def retired(self) -> list[str]:
        """Return the rules that are noted and there no more."""
        return sorted(self.noted.keys() - self.rules.defined.keys() - self.rules.wrong.keys() - {_WRONG})

    def connect(self) -> tuple[duckdb.DuckDBPyConnection, InputViews]:
        """Return a connection, and what shows the inputs of rules on it."""
        contracts = registry.load(self.settings.definitions).contracts
        con = duck.connect(self.settings)
        lake = self.lake
        return con, InputViews(con, lake.sources, contracts, lake.as_of, lake.time_zone)

    def collect(
        self, con: duckdb.DuckDBPyConnection, shown: InputViews, names: Iterable[str]
    ) -> dict[str, str]:
        """Ask rules for their reasons; return by name why some cannot be asked."""
        standing.begin(con, self.now)
        wrong = {}
        for name in names:
            inputs = json.dumps(self.expected[name], sort_keys=True)
            try:
                shown.show(self.rules.models[name], self.lake.by_name, self.lake.catalog)
                standing.collect(con, self.rules.defined[name], inputs)
            except duckdb.Error as error:
                if isinstance(error, duck.NOT_OF_SQL):
                    raise
                wrong[name] = f"{name}.yaml: sql: {duck.sql_error_text(error)}"
        return wrong

    def settle(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make `rows_now` of the rows that there are and the reasons that were collected."""
        identities = self.lake.by_name.get(IDENTITIES.name)
        gone = standing.GONE if identities is not None else "SELECT '' AS gone, '' AS owner WHERE false"
        if identities is not None:
            con.execute(f"CREATE OR REPLACE VIEW {IDENTITIES.name} AS {views.scan_sql(identities)}")
        known = views.nothing_sql(TRIGGERS) if self.table is None else views.scan_as_sql(self.table, TRIGGERS)
        standing.settle(con, known, gone)


def fire(settings: Settings, now: datetime | None = None) -> Fired:
    """Ask the rules that are due, and write what became of it; nothing where none is.

    `now` is the moment that is asked about, by default the settings' own. Rows and what they were computed from are one
    commit, and announced: who acts on triggers waits for no mart. Raises CommitConflict when another look was first.
    """
    look = _Look(settings, settings.now_or_as_of(now or datetime.now(UTC)))
    due, retired = look.due(), look.retired()
    if not due and not retired:
        return Fired(wrong=look.rules.wrong)
    table = look.lake.to_write(next(iter(look.rules.models.values()))) if look.rules.models else look.table
    assert table is not None  # noqa: S101 - rules are retired that filled it
    con, shown = look.connect()
    with closing(con):
        refused = look.collect(con, shown, due)
        for name in retired:
            standing.retire(con, name)
        look.settle(con)
        (counted,) = con.execute(_COUNTS).fetchall()
        noted = _noted(look, due, retired, refused, standing.next_due(con))
        written = data_files.write(con, table, "SELECT * FROM rows_now", f"triggers-{uuid.uuid4()}")
        base = table.current_snapshot()
        base_id = base.snapshot_id if base else None
        replaced = appending.replace_written(con, table, written, computed_from=noted, base=base_id)
    if replaced.changed:
        signals.table_committed(settings, TRIGGERS.name, replaced.committed.snapshot_id)
    for name, reason in refused.items():
        telemetry.warn("a trigger's rule cannot be asked", model=name, reason=reason)
    telemetry.info("triggers looked at", model=TRIGGERS.name, count=counted[0])
    return Fired(due, fired=counted[0], cancelled=counted[1], wrong={**look.rules.wrong, **refused})


def pending(settings: Settings, now: datetime | None = None) -> list[str]:
    """Return the rules that would be asked now."""
    look = _Look(settings, settings.now_or_as_of(now or datetime.now(UTC)))
    return [*look.due(), *look.retired()]


def preview(settings: Settings, name: str, now: datetime | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection with the reasons that a rule gives now, and what would become of each, to fetch and close.

    Nothing is written. Raises `Terminal` where there is no such rule, or it is wrong.
    """
    look = _Look(settings, settings.now_or_as_of(now or datetime.now(UTC)))
    rules = look.rules
    if name in rules.wrong:
        raise Terminal(rules.wrong[name])
    if name not in rules.defined:
        raise Terminal(f"there is no trigger {name}{nearest(name, sorted(rules.defined))}")
    con, shown = look.connect()
    if refused := look.collect(con, shown, [name] if look.expected[name] else []):
        con.close()
        raise Terminal(refused[name])
    look.settle(con)
    return con.execute(_PREVIEW)


_PREVIEW: Final = """
SELECT q.customer_id, q.cause, q.about, q.due_at, CASE
    WHEN k.fired_at IS NOT NULL AND r.expires_at <= getvariable('now') THEN 'was there, is over'
    WHEN k.fired_at IS NOT NULL AND r.cancelled_at IS NOT NULL THEN 'would be cancelled'
    WHEN k.fired_at IS NOT NULL THEN 'is there'
    WHEN r.fired_at IS NOT NULL THEN 'new'
    WHEN q.due_at > getvariable('now') THEN 'to come'
    WHEN q.due_at + to_microseconds(e.within_us) <= getvariable('now') THEN 'too late'
    ELSE 'too near to another' END AS becomes
FROM reasons AS q
JOIN evaluated AS e ON e.trigger = q.trigger
LEFT JOIN rows_now AS r ON r.trigger = q.trigger AND r.customer_id = q.customer_id AND r.cause = q.cause
LEFT JOIN known AS k ON k.trigger = q.trigger AND k.customer_id = q.customer_id AND k.cause = q.cause
ORDER BY q.due_at DESC, q.customer_id, q.cause
"""


def wrong_in(table: Table) -> dict[str, str]:
    """Return by name why rules could not be asked at the last look."""
    return _wrong_of(commit.inputs(table))


def listed(settings: Settings) -> list[dict[str, Any]]:
    """Return each rule with its words, and how many of its rows stand and are of use now."""
    rules = definition.load(settings.definitions)
    table = catalogs.load(catalogs.open_catalog(settings), TRIGGERS.name)
    counted: dict[str, tuple[int, int]] = {}
    if table is not None:
        with closing(duck.connect(settings)) as con:
            now = settings.now_or_as_of(datetime.now(UTC))
            rows = con.execute(
                "SELECT trigger, count(*), count(*) FILTER (cancelled_at IS NULL AND expires_at > ?) "
                f"FROM ({views.scan_sql(table)}) GROUP BY trigger",
                [now],
            ).fetchall()
            counted = {trigger: (every, standing_now) for trigger, every, standing_now in rows}
    return [
        rule.model_dump(mode="json") | dict(zip(("rows", "standing"), counted.get(name, (0, 0)), strict=True))
        for name, rule in rules.defined.items()
    ]


def _noted(
    look: _Look,
    asked: Iterable[str],
    retired: Iterable[str],
    refused: Mapping[str, str],
    next_due: Mapping[str, datetime],
) -> dict[str, str]:
    """Return what to note: of each rule what it was asked of, and when it is due though nothing changes."""
    wrong = {name: reason for name, reason in _wrong_of(look.noted).items() if name in look.rules.defined}
    noted = {name: text for name, text in look.noted.items() if name not in retired and name != _WRONG}
    for name in asked:
        wrong.pop(name, None)
        moment = f" {next_due[name].isoformat()}" if name in next_due else ""
        noted[name] = look.digest(name) + moment
    wrong |= refused
    return noted | ({_WRONG: json.dumps(wrong, sort_keys=True)} if wrong else {})


def _wrong_of(noted: Mapping[str, str]) -> dict[str, str]:
    read: dict[str, str] = json.loads(noted.get(_WRONG, "{}"))
    return read
