"""The add stage: a definition is put to work, for the files to come and for those that are there already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lakehouse import telemetry
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.ingest.quarantine.open_rows import Choice, choose
from lakehouse.ingest.refill.refill import refill
from lakehouse.sources import definition
from lakehouse.stages.check_sources import check_text
from lakehouse.stages.refill_source import refill_source
from lakehouse.stages.replay import try_again
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.migrations import schema_diff as migrations

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.sources.review import Finding

State = Literal["new", "same", "changed", "instead of the shipped one"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What adding a definition will do.

    `waiting`: raw files that nobody had defined when they came; `set_aside`: rows of this source that are in quarantine
    for other reasons. `refill`: what older rows keep in `extra` for its columns.
    """

    source: Source
    text: str
    target: Path
    state: State
    columns: tuple[str, ...] = ()
    waiting: int = 0
    set_aside: int = 0
    rows_loaded: bool = False
    refill: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def place(self) -> str:
        """Return source and entity with a slash between."""
        return f"{self.source.source}/{self.source.entity}"

    def as_json(self) -> dict[str, Any]:
        """Return the plan under the names that `sources add --json` uses."""
        return {
            "place": self.place,
            "table": self.source.table,
            "file": str(self.target),
            "state": self.state,
            "columns_added": list(self.columns),
            "files_waiting": self.waiting,
            "rows_set_aside": self.set_aside,
            "refill": self.refill,
            "warnings": [asdict(one) for one in self.findings],
        }


@dataclass(frozen=True)
class Done:
    """What adding a definition did: the replay of the files that waited, and the refill of older rows."""

    written: bool
    replay: dict[str, Any] = field(default_factory=dict)
    refill: dict[str, Any] = field(default_factory=dict)


def plan(settings: Settings, text: str, where: str, folder: Path, *, lake: bool = True) -> Plan:
    """Return what adding a definition to a folder will do; nothing is changed.

    `lake`: there are tables and raw files to look at. Raises BadDefinition for a definition with errors, or one that
    contradicts another; Terminal for one that its table cannot follow.
    """
    source, found = check_text(settings, text, where)
    errors = [one for one in found if one.level == "error"]
    if errors or source is None:
        first = errors[0]
        more = f" (and {len(errors) - 1} more: `lakehouse sources check {where}`)" if len(errors) > 1 else ""
        line = f" (line {first.line})" if first.line else ""
        raise BadDefinition(f"{first.file}: {first.field}: {first.message}{line}{more}; nothing was added")
    before, target = _standing(source, folder)
    state = _state(source, text, before, target)
    drafted = Plan(
        source=source,
        text=text,
        target=target,
        state=state,
        columns=_added(source, before),
        findings=tuple(found),
    )
    return _with_lake(settings, drafted) if lake else drafted


def _standing(source: Source, folder: Path) -> tuple[Source | None, Path]:
    """Return what defines the place now, and the file to write; Terminal where another place has the table."""
    known = definition.load(folder if folder.is_dir() else None)
    place = (source.source, source.entity)
    for other, found in known.items():
        if other != place and found.table == source.table:
            raise BadDefinition(
                f"{'/'.join(place)} and {'/'.join(other)} share {source.table}: rename the source"
            )
    target = folder / "sources" / f"{source.source}_{source.entity}.yaml"
    if own := definition.find_own(folder, place):
        return own
    if target.exists():
        raise BadDefinition(f"{target} defines another source: rename it")
    return known.get(place), target


def _state(source: Source, text: str, before: Source | None, target: Path) -> State:
    if before is None:
        return "new"
    if not target.exists():
        return "same" if before == source else "instead of the shipped one"
    return "same" if target.read_text("utf-8") == text else "changed"


def _added(source: Source, before: Source | None) -> tuple[str, ...]:
    """Return the columns that the definition names and the one before did not."""
    known = {column.name for column in before.columns} if before else set()
    return tuple(column.name for column in source.columns if column.name not in known)


def _with_lake(settings: Settings, found: Plan) -> Plan:
    """Return the plan with what lies there already; raises Terminal where the table cannot follow the definition."""
    table = catalogs.load(catalogs.open_catalog(settings), found.source.table)
    if table is not None:
        migrations.plan(table.metadata, found.source.contract)
    waiting = choose(settings, Choice(source=found.place, code="unknown_source"))
    opened = choose(settings, Choice(source=found.place))
    ids = {one.record.file_id for one in waiting}
    loaded = table is not None and table.current_snapshot() is not None
    return replace(
        found,
        waiting=len(waiting),
        set_aside=sum(one.record.quarantined for one in opened if one.record.file_id not in ids),
        rows_loaded=loaded,
        refill=refill(settings, found.source, dry_run=True).as_json() if loaded else {},
    )


def carry_out(settings: Settings, found: Plan, *, lake: bool = True, on: Progress = lambda _: None) -> Done:
    """Do what a plan says: write the file, load what waited, refill older rows; again, it changes nothing.

    Whoever reads these definitions sees the file whole or not at all, and from the next look on.
    """
    on("writing the definition")
    written = found.state in ("new", "changed", "instead of the shipped one")
    if written:
        _write(found.target, found.text)
    if not lake:
        return Done(written)
    telemetry.info("definition added", table=found.source.table)
    replayed: dict[str, Any] = {}
    if found.waiting:
        on("loading the files that waited")
        replayed = try_again(settings, Choice(source=found.place, code="unknown_source")).as_json()
    refilled: dict[str, Any] = {}
    if found.rows_loaded:
        on("refilling older rows")
        refilled = refill_source(settings, found.place)
    return Done(written, replayed, refilled)


def _write(target: Path, text: str) -> None:
    unready = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unready.write_text(text, "utf-8")
        unready.replace(target)
    except OSError as error:
        raise Terminal(f"{target} cannot be written: {error.strerror}") from None
