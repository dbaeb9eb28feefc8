"""Are people's segments right, before one runs: their files, their SQL over an empty row, the syncs that name them."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from pathlib import PurePath
from threading import Timer
from typing import TYPE_CHECKING, Final

import duckdb

from lakehouse.definitions import WHOLE_FILE, find_line, nearest, read_yaml
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier, qualified
from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.models.triggers import definition as triggers
from lakehouse.outbound.definition import load_syncs, wrong_syncs
from lakehouse.segments import definition, refresh, sandbox
from lakehouse.segments.definition import Segment
from lakehouse.segments.known import NAMESPACES, known_of, set_zone
from lakehouse.segments.order import evaluation_order
from lakehouse.segments.policy import SegmentPolicy
from lakehouse.segments.question import WrongQuestionError, question_of
from lakehouse.segments.read_only import open_lake
from lakehouse.sources import definition as sources
from lakehouse.sources.read_contracts import read_contracts
from lakehouse.sources.review import Finding
from lakehouse.stages.sync_consent import with_consent
from lakehouse.stages.sync_orders import unknown_segment, unreachable
from lakehouse.tables import commit, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakehouse.definition_files import DefinitionFile
    from lakehouse.segments.known import Known
    from lakehouse.segments.question import Question
    from lakehouse.settings import Settings

_BEHIND_EVENTS: Final = ("raw.events",)
_NAMED: Final = re.compile(r"(?:there is no segment|it names itself: \w+ →) (\w+)")


def check_segments(
    settings: Settings, on_file: Callable[[str], None] = lambda _: None
) -> tuple[int, list[Finding]]:
    """Return how many segments there are, shipped and people's own, and what is wrong with them or their syncs.

    Each is run over one customer of whom nothing is known: DuckDB says what the types do not allow.
    """
    files = {PurePath(file.name).stem: file for file in definition.files(settings.definitions)}
    findings: list[Finding] = []
    with closing(duck.connect(settings, iceberg=False, threads=1)) as con:
        _make_marts(con, settings)
        known = known_of(con)
        for file in files.values():
            on_file(file.name)
            findings += _check_file(con, file, known)
    findings += _check_together(settings, files, {PurePath(finding.file).stem for finding in findings})
    named = [replace(finding, file=f"segments/{finding.file}") for finding in findings]
    return len(files), [*named, *_check_syncs(settings)]


def check_over_lake(settings: Settings) -> list[Finding]:
    """Return what is wrong with segments once they are run over the lake: guard rails, time, values of some row.

    And with syncs where they would be sent from: a destination that may not be reached. Nothing is written. Without
    marts there is nothing to run.
    """
    held = [
        Finding("error", f"syncs/{name}.yaml", "destination", reason)
        for name, reason in sorted(unreachable(settings).items())
    ]
    with open_lake(settings) as lake:
        if not all(commit.head(lake.tables.get(name)) for name in refresh.INPUTS):
            return held
        wrong = lake.fulfil(lake.segments)
        known = {segment.name for segment in lake.segments.defined}
    return held + [
        Finding("error", f"segments/{name}.yaml", *_split(reason))
        for name, reason in sorted(wrong.items())
        if name in known
    ]


def _split(reason: str) -> tuple[str, str]:
    """Return field and message of what a run says: `where: it takes longer …`."""
    field, colon, message = reason.partition(": ")
    is_field = colon and (field.replace(".", "_").isidentifier() or field == WHOLE_FILE)
    return (field, message) if is_field else (WHOLE_FILE, reason)


def _make_marts(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make what members are computed from, with columns as the models have them, and one row that knows nothing.

    Over no row at all DuckDB would not run what a condition asks besides it. The other tables of core and marts have no
    row; `core.events` is what it is made of.
    """
    contracts = {**registry.load().contracts, **registry.load(settings.definitions).contracts}
    contracts = read_contracts(sources.load(settings.definitions).values()) | contracts
    for namespace in ("raw", *NAMESPACES):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
    for name, contract in contracts.items():
        if name in refresh.INPUTS:
            cells = (
                f"CAST(NULL AS {each.duck_type}) AS {identifier(each.name)}" for each in contract.columns
            )
            con.execute(f"CREATE TABLE {name} AS SELECT {', '.join(cells)}")
        elif contract.namespace in NAMESPACES or name in _BEHIND_EVENTS:
            con.execute(f"CREATE OR REPLACE VIEW {qualified(name)} AS {views.nothing_sql(contract)}")
    con.execute(views.EVENTS)
    set_zone(con, settings)
    con.execute("CREATE TEMP TABLE fulfilling (segment VARCHAR, customer_id VARCHAR, as_of DATE)")


def _check_file(con: duckdb.DuckDBPyConnection, file: DefinitionFile, known: Known) -> Iterator[Finding]:
    try:
        text = file.text
    except BadDefinition:
        yield Finding("error", file.name, WHOLE_FILE, "not UTF-8: save it as UTF-8")
        return
    segment, problems = read_yaml(text, Segment)
    for problem in problems:
        yield Finding("error", file.name, problem.field, problem.message, problem.line)
    if segment is None:
        return
    if segment.name != PurePath(file.name).stem:
        line = find_line(text, "name", Segment)
        yield Finding("error", file.name, "name", f"{segment.name!r} must be the file's own name", line)
    try:
        question = question_of(segment, known)
    except WrongQuestionError as error:
        line = find_line(text, error.where, Segment)
        yield from (Finding("error", file.name, error.where, message, line) for message in error.messages)
        return
    if refusal := _refused(con, segment, question):
        yield Finding("error", file.name, segment.form, refusal, find_line(text, segment.form, Segment))


def _refused(con: duckdb.DuckDBPyConnection, segment: Segment, question: Question) -> str:
    """Return what DuckDB says of a condition over a customer who is not known; empty where it has no objection."""
    stopwatch = Timer(SegmentPolicy.longest_seconds, con.interrupt)
    stopwatch.start()
    try:
        if question.select and (problem := sandbox.problem_of_select(con, question.select)):
            return problem.partition(": ")[2]
        con.execute(f"SELECT count(*) FROM ({refresh.members_sql(segment, question)})").fetchall()
    except duckdb.InterruptException:
        return f"it takes longer than {SegmentPolicy.longest_seconds:g} seconds"
    except duckdb.Error as error:
        return duck.sql_error_text(error)
    finally:
        stopwatch.cancel()
    return ""


def _check_together(
    settings: Settings, files: dict[str, DefinitionFile], found_wrong: set[str]
) -> Iterator[Finding]:
    """Yield segments that name what there is not, or themselves, and files of which two define one segment."""
    segments = definition.load(settings.definitions)
    _, unordered = evaluation_order(segments.defined, segments.wrong)
    rules = triggers.load(settings.definitions)
    known_rules = sorted({*rules.defined, *rules.wrong})
    for segment in segments.defined:
        if segment.trigger and segment.trigger not in known_rules:
            file = files[segment.name]
            problem = f"there is no trigger {segment.trigger}{nearest(segment.trigger, known_rules)}"
            yield Finding("error", file.name, "trigger", problem, find_line(file.text, "trigger", Segment))
    for name, reason in sorted(unordered.items()):
        of_segment = next(segment for segment in segments.defined if segment.name == name)
        named = _NAMED.match(reason)
        field = "exclude" if named and named[1] in of_segment.exclude else "include"
        line = find_line(files[name].text, field, Segment)
        yield Finding("error", files[name].name, field, reason, line)
    for name, reason in sorted(segments.wrong.items()):
        if name not in found_wrong:
            yield Finding("error", *_named(reason))


def _check_syncs(settings: Settings) -> Iterator[Finding]:
    segments = definition.load(settings.definitions)
    known = {*(segment.name for segment in segments.defined), *segments.wrong}
    for sync in load_syncs(settings.definitions).values():
        if problem := unknown_segment(sync, known) or with_consent(sync, segments)[1]:
            yield Finding("error", f"syncs/{sync.name}.yaml", *_split(problem))
    for _, reason in sorted(wrong_syncs(settings.definitions).items()):
        file, field, message = _named(reason)
        yield Finding("error", f"syncs/{file}", field, message)


def _named(reason: str) -> tuple[str, str, str]:
    """Return file, field and message of what a loader says: `big.yml: big is defined by big.yaml too`."""
    file, _, rest = reason.partition(": ")
    return file, *_split(rest)
