"""Evaluates who is in each segment now, and notes who entered and who left since the last evaluation."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Timer
from typing import TYPE_CHECKING

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.duck import NOT_OF_SQL
from lakehouse.engine.escape import literal
from lakehouse.segments import definition, due, export_files, run_record, sandbox, schedule
from lakehouse.segments.control import in_control_sql
from lakehouse.segments.definition import GuardRails, Segment, Segments
from lakehouse.segments.known import CUSTOMERS_SQL, known_of, set_zone, show_tables, tables_behind
from lakehouse.segments.order import evaluation_order
from lakehouse.segments.policy import SegmentPolicy
from lakehouse.segments.question import Question, WrongQuestionError, question_of, tables_of
from lakehouse.segments.run_record import RunRecord
from lakehouse.segments.schedule import Slots
from lakehouse.tables import appending, commit, data_files, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import SEGMENT_CHANGES, SEGMENT_MEMBERS

if TYPE_CHECKING:
    from lakehouse.segments.known import Known
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

INPUTS = ("marts.customer_360", "marts.rfm")
_WRONG = "wrong"  # among the inputs: segments whose condition could not be asked
_TABLES = (*INPUTS, SEGMENT_MEMBERS.name, SEGMENT_CHANGES.name)


@dataclass(frozen=True)
class Refresh:
    """What one evaluation came to. `run` names it: the same inputs and definitions, compared with the same members.

    `inputs` is empty while the marts hold nothing; `changed` says whether anything was computed; `sizes` has the number
    of members of each segment; `wrong` says by name why a definition cannot be read or asked: that segment keeps its
    members.
    """

    run: str
    inputs: dict[str, str]
    changed: bool
    sizes: dict[str, int]
    wrong: Mapping[str, str] = field(default_factory=dict)


def inputs(settings: Settings) -> dict[str, str]:
    """Return what members would be computed from now; empty while the marts hold nothing."""
    segments = definition.load(settings.definitions)
    catalog = catalogs.open_catalog(settings)
    wanted = (*INPUTS, *tables_asked(segments.defined), SEGMENT_MEMBERS.name)
    tables = {name: catalogs.load(catalog, name) for name in wanted}
    slots, _ = due.slots_now(settings, segments, tables.get(SEGMENT_MEMBERS.name), datetime.now(UTC))
    return expected_inputs(tables, segments, slots)


def names(settings: Settings) -> set[str]:
    """Return the names of all segments, those whose file is wrong, too."""
    segments = definition.load(settings.definitions)
    return {segment.name for segment in segments.defined} | segments.wrong.keys()


def pending(settings: Settings) -> bool:
    """Return whether the inputs or definitions have changed since the last refresh."""
    members = catalogs.load(catalogs.open_catalog(settings), SEGMENT_MEMBERS.name)
    expected = inputs(settings)
    return bool(expected) and (members is None or computed_from(members) != expected)


def refresh(settings: Settings, *, triggered_only: bool = False) -> Refresh:
    """Bring `ops.segment_members` up to date; do nothing where neither inputs nor definitions changed.

    `triggered_only`: only segments whose `trigger` has news, and those only; all others stay as they were computed.
    Changes are appended before the members are replaced. A refresh that follows a crash between the two finds them
    noted against the old members, and notes only what came on top. A segment whose definition is wrong keeps its
    members, and stops no other. Raises CommitConflict when another refresh was first.
    """
    segments = definition.load(settings.definitions)  # once: a file may change while this runs
    at = datetime.now(UTC)
    catalog = catalogs.open_catalog(settings)
    for contract in (SEGMENT_MEMBERS, SEGMENT_CHANGES):
        catalogs.ensure(catalog, contract)
    con = duck.connect(settings)
    try:
        tables = views.attach(con, catalog, _TABLES)
        set_zone(con, settings)
        show_tables(con, settings, tables_of(segments.defined), tables)
        sandbox.confine(con, settings, tables.values())
        members = tables[SEGMENT_MEMBERS.name]
        work = _work(settings, segments, tables, at)
        if triggered_only:
            every = {each.name for each in segments.defined}.union(_sizes(con, SEGMENT_MEMBERS.name))
            work = _triggered_of(work, segments, members, run_record.last_computed(settings, every, at))
        expected, wrong = work.expected, wrong_in(members)
        run = _name_of(members, expected)
        changed = bool(expected) and computed_from(members) != expected
        if changed:
            wrong, expected = _compute(con, settings, segments, tables, work)
        counted = _sizes(con, "members_now" if changed else SEGMENT_MEMBERS.name)
    finally:
        con.close()
    names = {segment.name for segment in segments.defined} | segments.wrong.keys()
    return Refresh(run, expected, changed, {name: counted.get(name, 0) for name in sorted(names)}, wrong)


@dataclass(frozen=True)
class _Work:
    """What a run does, and when (ISO 8601): slots of segments with times of their own, those due, and from what.

    `waiting` are segments that keep their members, with when they were computed ("": never).
    """

    at: str
    slots: Slots
    due: list[str]
    waiting: dict[str, str]
    expected: dict[str, str]


def _work(settings: Settings, segments: Segments, tables: Mapping[str, Table], at: datetime) -> _Work:
    slots, due_now = due.slots_now(settings, segments, tables[SEGMENT_MEMBERS.name], at)
    waiting = {name: slot.run_at for name, slot in slots.items() if name not in due_now}
    at_text = at.isoformat(timespec="microseconds")
    return _Work(at_text, slots, due_now, waiting, expected_inputs(tables, segments, slots))


def _triggered_of(work: _Work, segments: Segments, members: Table, computed: Mapping[str, str]) -> _Work:
    """Return what of it is due because of a trigger; `computed` says when each segment was computed last."""
    by_trigger = [each.name for each in segments.defined if each.trigger and each.name in work.due]
    slots = due.slots_in(members) | {name: work.slots[name] for name in by_trigger}
    expected = computed_from(members) if work.expected else {}
    if expected and by_trigger:
        expected |= due.noted(slots)
    waiting = {name: moment for name, moment in sorted(computed.items()) if name not in by_trigger}
    return _Work(work.at, slots, by_trigger, waiting, expected)


def _name_of(members: Table, expected: Mapping[str, str]) -> str:
    """Return the name of the run that computes members from these inputs, in place of those that there are."""
    digest = hashlib.sha256(json.dumps(expected, sort_keys=True).encode()).hexdigest()
    return base_of(members) + digest[:16]


def _compute(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    segments: Segments,
    tables: Mapping[str, Table],
    work: _Work,
) -> tuple[dict[str, str], dict[str, str]]:
    """Write who is in each segment now, and who came and went; return what is wrong, and what it was computed from."""
    members = tables[SEGMENT_MEMBERS.name]
    base, expected = base_of(members), work.expected
    run = _name_of(members, expected)
    wrong = _evaluate(con, segments, work.waiting, run, base) | _of(wrong_in(members), work.waiting)
    if failing := _of(wrong, work.due):
        expected = expected | due.noted(schedule.failed(work.slots, segments, failing))
    heads = {name: commit.head(tables.get(name)) or "" for name in INPUTS}
    inputs_noted = {**_heads(tables, segments.defined), **expected, **heads}
    definitions = {segment.name: segment.model_dump(mode="json") for segment in segments.defined}
    record = RunRecord(run, work.at, inputs_noted, _sizes(con), wrong, definitions, work.waiting)
    run_record.write(settings, record)
    _note_changes(con, tables[SEGMENT_CHANGES.name])
    export_files.write_changes(con, settings, base)
    _replace(con, members, {**expected, _WRONG: json.dumps(wrong)} if wrong else expected)
    return wrong, expected


def members_sql(segment: Segment, question: Question | None = None) -> str:
    """Return the SELECT of a segment's customer ids; others that it names are read from `fulfilling`.

    Without a `question` it is asked what stands in `where`.
    """
    asked = segment.where if question is None else question.condition
    condition = f"(\n{asked}\n)"  # a comment at its end must not hide what follows
    if segment.include:
        condition = f"({condition} OR {_is_in(segment.include)})"
    if segment.exclude:
        condition = f"({condition} AND NOT {_is_in(segment.exclude)})"
    return f"SELECT customer_id, as_of FROM ({CUSTOMERS_SQL}) WHERE {condition}"


def _is_in(segments: Iterable[str]) -> str:
    names = ", ".join(map(literal, segments))
    return f"coalesce(customer_id IN (SELECT customer_id FROM fulfilling WHERE segment IN ({names})), false)"


def compared_sql(segments: Iterable[Segment]) -> str:
    """Return the SELECT of who is in a segment now, or was: `fulfilling` beside the members that there are.

    `is_in` and `was_in` say which. `control` is who is in the control group: that of `segments` is drawn; of others,
    whose definition is wrong, and of those who are in no more, it is who it was.
    """
    draws = "".join(
        f" WHEN {literal(one.name)} THEN {in_control_sql(one.name, 'f.customer_id', one.control_share)}"
        for one in segments
    )
    kept = "coalesce(m.control, false)"
    control = f"CASE f.segment{draws} ELSE {kept} END" if draws else kept
    return f"""
        SELECT segment, customer_id, f.customer_id IS NOT NULL AS is_in, m.customer_id IS NOT NULL AS was_in,
            f.as_of, coalesce(m.entered_on, f.as_of) AS entered_on, {control} AS control
        FROM fulfilling AS f FULL JOIN {SEGMENT_MEMBERS.name} AS m USING (segment, customer_id)"""


_MEMBERS_NOW_SQL = "SELECT segment, customer_id, as_of, entered_on, control FROM compared WHERE is_in"


def changes_sql(run: str, base: str) -> str:
    """Return the SELECT of who entered and who left, read from `compared` and the table of changes.

    Changes that an earlier refresh noted against the same members (their runs begin with `base`) are no news.
    """
    return f"""
        WITH noted AS (
            SELECT segment, customer_id, sum(CASE change WHEN 'entered' THEN 1 ELSE -1 END) AS net
            FROM {SEGMENT_CHANGES.name} WHERE starts_with(run, {literal(base)}) GROUP BY ALL
        )
        SELECT {literal(run)} AS run, segment, customer_id,
            CASE WHEN coalesce(is_in, false) THEN 'entered' ELSE 'left' END AS change,
            (SELECT max(as_of) FROM marts.customer_360) AS as_of, now() AS found_at, coalesce(control, false) AS control
        FROM compared FULL JOIN noted USING (segment, customer_id)
        WHERE coalesce(is_in, false) <> (CAST(coalesce(was_in, false) AS INTEGER) + coalesce(net, 0) > 0)"""


def expected_inputs(
    tables: Mapping[str, Table | None], segments: Segments, slots: Slots | None = None
) -> dict[str, str]:
    """Return what members would be computed from by these tables and definitions; empty while a mart holds nothing.

    Of segments that have times of their own, the times count, and not the tables that they alone ask.
    """
    heads = {name: commit.head(tables.get(name)) for name in INPUTS}
    if not all(heads.values()):
        return {}  # members of marts that were never computed: they would say that everybody has left
    by_changes = [segment for segment in segments.defined if not segment.has_times]
    asked = _heads(tables, by_changes)
    return asked | heads | {"version": segments.version} | (due.noted(slots) if slots else {})


def _heads(tables: Mapping[str, Table | None], segments: Iterable[Segment]) -> dict[str, str]:
    """Return the heads of what segments ask besides the marts; "" of a table that there is not."""
    return {name: commit.head(tables.get(name)) or "" for name in tables_asked(segments)}


def _of(wrong: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: reason for name, reason in wrong.items() if name in names}


def tables_asked(segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return the tables that segments ask besides those that customers' rows are made of."""
    return tables_behind(tables_of(segments))


def computed_from(members: Table) -> dict[str, str]:
    """Return the inputs of the members that there are, without what was wrong."""
    return {name: text for name, text in commit.inputs(members).items() if name != _WRONG}


def base_of(members: Table | None) -> str:
    """Return what the names of all runs begin with that are compared with the members that there are."""
    return f"{commit.head(members) or 0}-"


def wrong_in(members: Table) -> dict[str, str]:
    """Return, by name, what was wrong with segments when the members that there are were computed."""
    noted = json.loads(commit.inputs(members).get(_WRONG, "{}"))
    return noted if isinstance(noted, dict) else {}  # an earlier release noted a list


def _evaluate(
    con: duckdb.DuckDBPyConnection, segments: Segments, waiting: Collection[str], run: str, base: str
) -> dict[str, str]:
    """Make `members_now` and `changes_now`: who is in, and what nobody has noted yet.

    Returns by name what is wrong with segments: who was in these stays, as in those that are `waiting`.
    """
    wrong = fulfil(con, segments, waiting)
    drawn = [segment for segment in segments.defined if segment.name not in {*wrong, *waiting}]
    con.execute(f"CREATE TEMP TABLE compared AS {compared_sql(drawn)}")
    con.execute(f"CREATE TEMP VIEW members_now AS {_MEMBERS_NOW_SQL}")
    con.execute(f"CREATE TEMP TABLE changes_now AS {changes_sql(run, base)}")
    return wrong


def fulfil(
    con: duckdb.DuckDBPyConnection,
    segments: Segments,
    waiting: Collection[str] = (),
    set_to: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, str]:
    """Make the table `fulfilling` (segment, customer_id, as_of): who is in each segment by the marts in place.

    Returns by name what is wrong with segments: who was in these stays in `fulfilling`, as in those that are `waiting`.
    `set_to` has parameters that are set otherwise than in the files, by segment.
    """
    con.execute("CREATE TEMP TABLE fulfilling (segment VARCHAR, customer_id VARCHAR, as_of DATE)")
    ordered, unordered = evaluation_order(segments.defined, segments.wrong)
    wrong = {**segments.wrong, **unordered}
    for name in {*wrong, *waiting}:  # before those that name it
        con.execute(_kept_sql(name))
    known = known_of(con)
    for segment in (each for each in ordered if each.name not in waiting):
        if problem := _evaluate_one(con, segment, known, (set_to or {}).get(segment.name, {})):
            wrong[segment.name] = problem
            con.execute(_kept_sql(segment.name))
    return wrong


def _evaluate_one(
    con: duckdb.DuckDBPyConnection, segment: Segment, known: Known, set_to: Mapping[str, str]
) -> str:
    """Add who is in a segment to `fulfilling`; return what is wrong with it, of which nobody is added then."""
    try:
        question = question_of(segment, known, set_to)
    except WrongQuestionError as error:
        return str(error)
    form = segment.form
    stopwatch = Timer(SegmentPolicy.longest_seconds, con.interrupt)
    stopwatch.start()
    try:
        con.execute("BEGIN")
        problem = sandbox.problem_of_select(con, question.select) if question.select else ""
        if not problem:
            members = members_sql(segment, question)
            con.execute(f"INSERT INTO fulfilling SELECT {literal(segment.name)}, * FROM ({members})")
            problem = _guarded(con, segment)
        con.execute("ROLLBACK" if problem else "COMMIT")
    except duckdb.Error as error:
        is_late = isinstance(error, duckdb.InterruptException) and not stopwatch.is_alive()
        con.execute("ROLLBACK")
        if is_late:
            return f"{form}: it takes longer than {SegmentPolicy.longest_seconds:g} seconds"
        if isinstance(error, NOT_OF_SQL):
            raise
        return f"{form}: {duck.sql_error_text(error)}"
    finally:
        stopwatch.cancel()
    return problem


def _guarded(con: duckdb.DuckDBPyConnection, segment: Segment) -> str:
    """Return which guard rail the members that were just found break; "" where none."""
    rails, name = segment.guard_rails, literal(segment.name)
    if rails == GuardRails():
        return ""
    found = con.execute(
        f"""SELECT count(f.customer_id), count(m.customer_id),
            count(*) FILTER (f.customer_id IS NULL OR m.customer_id IS NULL)
        FROM (SELECT customer_id FROM fulfilling WHERE segment = {name}) AS f
        FULL JOIN (SELECT customer_id FROM {SEGMENT_MEMBERS.name} WHERE segment = {name}) AS m USING (customer_id)"""
    ).fetchone()
    now, before, changed = found or (0, 0, 0)
    if rails.never_empty and not now:
        return "guard_rails: nobody would be in it"
    if rails.most_members is not None and now > rails.most_members:
        return f"guard_rails: {now} would be in it, more than {rails.most_members}"
    if rails.most_change is not None and before and changed > rails.most_change * before:
        return (
            f"guard_rails: {changed} of {before} would come or go, more than a share of {rails.most_change:g}"
        )
    return ""


def _kept_sql(name: str) -> str:
    """Return the statement that lets the members of a segment stay as they are."""
    return (
        "INSERT INTO fulfilling SELECT segment, customer_id, as_of "
        f"FROM {SEGMENT_MEMBERS.name} WHERE segment = {literal(name)}"
    )


def _sizes(con: duckdb.DuckDBPyConnection, members: str = "members_now") -> dict[str, int]:
    return dict(con.execute(f"SELECT segment, count(*) FROM {members} GROUP BY 1 ORDER BY 1").fetchall())


def _note_changes(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    appending.append_query(con, table, "SELECT * FROM changes_now", f"segments-{uuid.uuid4()}")


def _replace(con: duckdb.DuckDBPyConnection, table: Table, expected: dict[str, str]) -> None:
    base = table.current_snapshot()
    written = data_files.write(con, table, "SELECT * FROM members_now", f"segments-{uuid.uuid4()}")
    appending.replace_written(
        con, table, written, computed_from=expected, base=base.snapshot_id if base else None
    )
