"""The add stage: a definition is put to work, for the files to come and for those that are there already."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.errors import BadDefinition, Terminal, Transient
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter, select_files
from lakehouse.ingest.refill.refill import refill
from lakehouse.progress import Progress, no_progress
from lakehouse.sources import definition
from lakehouse.stages.check_sources import check_text
from lakehouse.stages.customers_found import CustomersFound, count_customers_found
from lakehouse.stages.refill_source import refill_source
from lakehouse.stages.replay import replay_quarantine
from lakehouse.stages.tick import hint
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.migrations import schema_diff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.sources.review import Finding

State = Literal["new", "same", "changed", "instead of the shipped one"]


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
    def source_name(self) -> str:
        """Return source and entity with a slash between."""
        return f"{self.source.source}/{self.source.entity}"

    @property
    def writes(self) -> bool:
        """Return whether the definition's file is to be written."""
        return self.state != "same"

    def as_json(self) -> dict[str, Any]:
        """Return the plan under the names that `sources add --json` uses."""
        return {
            "place": self.source_name,
            "table": self.source.table,
            "file": str(self.target),
            "state": self.state,
            "columns_added": list(self.columns),
            "files_waiting": self.waiting,
            "rows_set_aside": self.set_aside,
            "refill": self.refill,
            "warnings": [asdict(finding) for finding in self.findings],
        }


@dataclass(frozen=True)
class Done:
    """What adding a definition did: the replay of the files that waited, and the refill of older rows.

    `customers_found` is how many of the rows that are there by now found a customer.
    """

    written: bool
    replay: dict[str, Any] = field(default_factory=dict)
    refill: dict[str, Any] = field(default_factory=dict)
    customers_found: tuple[CustomersFound, ...] = ()

    @property
    def warnings(self) -> list[Finding]:
        """Return what a person should look at: links that hardly find anybody."""
        return [counted.warning() for counted in self.customers_found if counted.is_low]


def plan(settings: Settings, text: str, where: str, folder: Path, *, lake: bool = True) -> Plan:
    """Return what adding a definition to a folder will do; nothing is changed.

    `lake`: there are tables and raw files to look at. Raises BadDefinition for a definition with errors, or one that
    contradicts another; Terminal for one that its table cannot follow.
    """
    source, findings = check_text(settings, text, where)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors or source is None:
        raise BadDefinition(_refusal(errors, where))
    current, target = _current_definition(source, folder)
    planned = Plan(
        source=source,
        text=text,
        target=target,
        state=_state(source, text, current, target),
        columns=added_columns(source, current),
        findings=tuple(findings),
    )
    return _look_at_lake(settings, planned) if lake else planned


def _refusal(errors: Sequence[Finding], where: str) -> str:
    """Return the first error as a message, and how many more there are."""
    first = errors[0]
    more = ""
    if len(errors) > 1:
        more = f" (and {len(errors) - 1} more: `lakehouse sources check {where}`)"
    line = f" (line {first.line})" if first.line else ""
    return f"{first.file}: {first.field}: {first.message}{line}{more}; nothing was added"


def _current_definition(source: Source, folder: Path) -> tuple[Source | None, Path]:
    """Return what defines the source now, and the file to write; BadDefinition where another source is in the way."""
    known = definition.load(folder if folder.is_dir() else None)
    source_key = (source.source, source.entity)
    check_table_is_free(source, known)
    if own := definition.find_own(folder, source_key):
        return own
    target = folder / "sources" / f"{source.source}_{source.entity}.yaml"
    if target.exists():
        raise BadDefinition(f"{target} defines another source: rename it")
    return known.get(source_key), target


def check_table_is_free(source: Source, known: Mapping[tuple[str, str], Source]) -> None:
    """Raise BadDefinition where another source has the same table."""
    source_key = (source.source, source.entity)
    for other_key, other in known.items():
        if other_key != source_key and other.table == source.table:
            names = f"{'/'.join(source_key)} and {'/'.join(other_key)}"
            raise BadDefinition(f"{names} share {source.table}: rename the source")


def _state(source: Source, text: str, current: Source | None, target: Path) -> State:
    """Return how a definition stands to the current one, of which `target` is the file, if it is not shipped."""
    if current is None:
        return "new"
    if not target.exists():
        return "same" if current == source else "instead of the shipped one"
    return "same" if target.read_text("utf-8") == text else "changed"


def added_columns(source: Source, current: Source | None) -> tuple[str, ...]:
    """Return the columns that the definition names and the current one does not."""
    known = {column.name for column in current.columns} if current else set()
    return tuple(column.name for column in source.columns if column.name not in known)


def _look_at_lake(settings: Settings, planned: Plan) -> Plan:
    """Return the plan with what the lake holds; raises Terminal where the table cannot follow the definition."""
    table = catalogs.load(catalogs.open_catalog(settings), planned.source.table)
    if table is not None:
        schema_diff.plan(table.metadata, planned.source.contract)
    waiting = select_files(settings, _waiting_for(planned))
    waiting_ids = {file.file_id for file in waiting}
    quarantined = select_files(settings, QuarantineFilter(source=planned.source_name))
    set_aside = [file.record.quarantined for file in quarantined if file.file_id not in waiting_ids]
    rows_loaded = table is not None and table.current_snapshot() is not None
    return replace(
        planned,
        waiting=len(waiting),
        set_aside=sum(set_aside),
        rows_loaded=rows_loaded,
        refill=refill(settings, planned.source, dry_run=True).as_json() if rows_loaded else {},
    )


def carry_out(
    settings: Settings, planned: Plan, *, lake: bool = True, progress: Progress = no_progress
) -> Done:
    """Do what a plan says: write the file, load what waited, refill older rows; again, it changes nothing.

    Then the stages that compute core get their hints, so that a stack that runs does not wait for tick.
    Whoever reads these definitions sees all of the file or nothing, and from the next look on.
    """
    progress("writing the definition")
    if planned.writes:
        _write(planned.target, planned.text)
    if not lake:
        return Done(planned.writes)
    telemetry.info("definition added", table=planned.source.table)
    replayed: dict[str, Any] = {}
    if planned.waiting:
        progress("loading the files that waited")
        replayed = replay_quarantine(settings, _waiting_for(planned)).as_json()
    refilled: dict[str, Any] = {}
    if planned.rows_loaded:
        progress("refilling older rows")
        refilled = refill_source(settings, planned.source_name)
    _wake_stages(settings)
    customers_found = count_customers_found(settings, [planned.source_name], progress)
    return Done(planned.writes, replayed, refilled, tuple(customers_found))


def _wake_stages(settings: Settings) -> None:
    """Send a hint to the stages that compute core: a definition whose mapping changed moves no table that would.

    A hint that cannot be sent is logged, and no error: tick asks the stages.
    """
    if not settings.aggregate_queue_url:
        return
    try:
        hint(settings, ("resolve", "aggregate"))
    except (BotoCoreError, ClientError, Transient) as error:
        telemetry.failed("hint lost, tick will find it", error)


def _waiting_for(planned: Plan) -> QuarantineFilter:
    """Return the filter of the raw files that came before anybody had defined their source."""
    return QuarantineFilter(source=planned.source_name, code="unknown_source")


def _write(target: Path, text: str) -> None:
    unfinished = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, "utf-8")
        unfinished.replace(target)
    except OSError as error:
        raise Terminal(f"{target} cannot be written: {error.strerror}") from None
