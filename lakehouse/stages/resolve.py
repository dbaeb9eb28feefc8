"""The resolve stage: what records say of people → `core.evidence`, `core.matches`, `core.identities`."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lakehouse import aws, signals, telemetry
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.identity.policy import RULES_VERSION, NewsPolicy
from lakehouse.identity.relation import scalar
from lakehouse.sources import definition, evidence_views
from lakehouse.stages.known_matches import KnownMatches
from lakehouse.stages.observations import MAPPING, observe
from lakehouse.tables import appended, appending, commit, data_files, replace_rows, replace_table, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.catalog import RAW
from lakehouse.tables.people import EVIDENCE, IDENTITIES, MATCHES, OBSERVATIONS
from lakehouse.tables.policy import RowReplacePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from lakehouse.identity.incremental import Part
    from lakehouse.identity.resolve import Resolution
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.appending import Replaced
    from lakehouse.tables.catalog import Catalog, Table

RULES: Final = "identity.rules"  # among the inputs: the version of how people are told apart
WORDS: Final = ("people", "ties")
_CHANGED_BY: Final = {
    "evidence": ("source", "record"),
    "identities": ("identifier_type", "identifier_value"),
}  # what rows of a table change together
_WORDS_TABLE: Final = f"{RAW}.{'_'.join(WORDS)}"


def pending(settings: Settings) -> bool:
    """Return whether a table that carries identifiers has changed since identities were last resolved."""
    catalog = catalogs.open_catalog(settings)
    table = catalogs.load(catalog, IDENTITIES.name)
    expected = _expected_inputs(catalog, _sources(settings))
    return bool(expected) and (table is None or commit.inputs(table) != expected)


def resolve(settings: Settings) -> bool:
    """Bring `core.identities` up to date; return whether there was anything to do.

    Merges and splits are written as an audit object before the commit, named by the identities they start from: a
    repeat overwrites it. Raises CommitConflict when another run was first.
    """
    _keep_no_memory()
    catalog = catalogs.open_catalog(settings)
    table = catalogs.ensure(catalog, IDENTITIES)
    sources = _sources(settings)  # once: a definition may change while this runs
    expected = _expected_inputs(catalog, sources)
    stale = bool(expected) and commit.inputs(table) != expected
    if stale:
        _refresh(settings, catalog, table, sources, expected)
    # Announced even when nothing changed: what follows may have missed the last hint, and looks for itself.
    head = commit.head(catalogs.load(catalog, IDENTITIES.name))
    signals.table_committed(settings, IDENTITIES.name, head)
    return stale


def _keep_no_memory() -> None:
    """Let Arrow give back what it needs no more: its own pool keeps 20 MiB, which a function of few MiB lacks."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    pa.set_memory_pool(pa.system_memory_pool())


def _sources(settings: Settings) -> list[Source]:
    """Return the sources whose records carry identifiers, and that of what people said of them."""
    defined = definition.load(settings.definitions).values()
    return [source for source in defined if source.identifiers or source.source_key == WORDS]


def _refresh(
    settings: Settings, catalog: Catalog, table: Table, sources: list[Source], expected: dict[str, str]
) -> None:
    with closing(duck.connect(settings)) as con:
        tables = _attach(con, catalog, sources, expected)
        sending = [source for source in sources if source.table in tables]
        evidence = catalogs.ensure(catalog, EVIDENCE)
        since = commit.inputs(evidence).get(OBSERVATIONS.name)
        observed = observe(con, catalog, sending, tables, since)
        computed_from = {**expected, OBSERVATIONS.name: observed.head}
        lake = _Lake(
            con, catalog, tables, evidence, KnownMatches(settings, catalog), _words(sending), settings.threads
        )
        news = _news(lake, table, computed_from) if observed.has_news else None
        if _nobody_said_anything(table, evidence, computed_from) or (news and _is_nothing(lake, news)):
            for each, inputs in ((evidence, computed_from), (table, expected)):
                snapshot = each.current_snapshot()
                base = snapshot.snapshot_id if snapshot else None
                replace_table.note_inputs(each, computed_from=inputs, base=base)
            telemetry.info("identities resolved", table=IDENTITIES.name, status="unchanged")
            return
        part, resolution = _resolve(lake, news)
        audit_lines = _audit_lines(con)
        audit_key = f"audit/identities-{commit.head(table) or 0}.json"
        _write_audit(settings, audit_key, audit_lines)
        replaced = _store(lake, table, part, computed_from, expected)
    # once more: a run that began from the same identities, and lost, may have overwritten it
    _write_audit(settings, audit_key, audit_lines)
    telemetry.info(
        "identities resolved",
        table=IDENTITIES.name,
        rows=replaced.rows,
        count=resolution.customers,
        status="changed" if replaced.changed else "unchanged",
    )


def _store(
    lake: _Lake,
    table: Table,
    part: Part | None,
    computed_from: dict[str, str],
    expected: dict[str, str],
) -> Replaced:
    """Commit what was made of all, or of a part of all; return what came of the identities.

    Evidence and matches before the identities, which tell by their inputs that all of it is done.
    """
    if part is None:
        _replace_all(lake.con, lake.evidence, computed_from)
        lake.matches.commit(lake.con)
        return _replace_all(lake.con, table, expected)
    _replace_part(lake.con, lake.evidence, part.records, part.evidence_rows, computed_from)
    lake.matches.commit(lake.con, part.pairs, part.match_rows)
    return _replace_part(lake.con, table, part.identifiers, part.identity_rows, expected)


def _replace_all(con: duckdb.DuckDBPyConnection, table: Table, computed_from: dict[str, str]) -> Replaced:
    """Replace what a table holds by all that `resolve` made."""
    return appending.replace_query(
        con,
        table,
        _new_sql(table),
        _attempt(),
        computed_from=computed_from,
        file_rows=RowReplacePolicy.file_rows,
    )


def _replace_part(
    con: duckdb.DuckDBPyConnection, table: Table, gone: str, held: str, computed_from: dict[str, str]
) -> Replaced:
    """Replace the rows that may have changed: `gone` names their keys, `held` are these rows."""
    change = replace_rows.RowChange(_CHANGED_BY[table.name()[-1]], gone, _new_sql(table), _attempt(), held)
    return replace_rows.replace_rows(con, table, change, computed_from=computed_from)


def _attempt() -> str:
    return f"resolve-{uuid.uuid4()}"


def _new_sql(table: Table) -> str:
    return f"SELECT * FROM {table.name()[-1]}_new"


def _are_resolved_alike(
    identities: Table, evidence: Table, computed_from: dict[str, str], *same: str
) -> bool:
    """Return whether the last run resolved all it began with, from inputs of which those of the names `same` stay."""
    before = commit.inputs(evidence)
    resolved = {name: head for name, head in before.items() if name != OBSERVATIONS.name}
    if not before or commit.inputs(identities) != resolved:
        return False  # a run died between the two
    return all(before.get(name) == computed_from.get(name) for name in same)


def _nobody_said_anything(identities: Table, evidence: Table, computed_from: dict[str, str]) -> bool:
    """Return whether identities were resolved from the very observations that there are, by the same rules and words.

    Raw tables have moved, and no row of theirs says anything that was not known.
    """
    same = (OBSERVATIONS.name, MAPPING, RULES, _WORDS_TABLE)
    return _are_resolved_alike(identities, evidence, computed_from, *same)


def _expected_inputs(catalog: Catalog, sources: list[Source]) -> dict[str, str]:
    """Return the heads of the tables that carry identifiers, and versions of mapping and rules; none without tables."""
    # Most of the sources that are defined have sent nothing.
    existing = set(catalogs.table_names(catalog, [RAW]))
    heads = dict.fromkeys(sorted(source.table for source in sources), "")
    for name in existing.intersection(heads):
        heads[name] = commit.head(catalogs.load(catalog, name))
    if not any(heads.values()):
        return {}
    return {**heads, MAPPING: evidence_views.version(sources), RULES: RULES_VERSION}


def _attach(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, sources: list[Source], expected: dict[str, str]
) -> dict[str, Table]:
    """Attach the tables that carry identifiers, and the identities; CommitConflict where they have moved already."""
    heads = {name: head for name, head in expected.items() if name not in {MAPPING, RULES}}
    contracts = [source.contract for source in sources if heads[source.table]]
    tables = views.attach(con, catalog, [*heads, IDENTITIES.name], contracts)
    if any(commit.head(tables.get(name)) != head for name, head in heads.items()):
        raise CommitConflict("raw tables moved while identities were about to be resolved; look again")
    return tables


@dataclass(frozen=True)
class _Lake:
    """What a run reads, on a connection with the view `observations`; `words` is the table of people's, if any came.

    `threads` are those of a run over everybody.
    """

    con: duckdb.DuckDBPyConnection
    catalog: Catalog
    tables: Mapping[str, Table]
    evidence: Table
    matches: KnownMatches
    words: str | None
    threads: int


def _words(sources: list[Source]) -> str | None:
    """Return the table of what people said of two records, where anybody said anything."""
    return next((source.table for source in sources if source.source_key == WORDS), None)


def _is_much(lake: _Lake) -> bool:
    """Return whether so many records have news that to look at everybody is quicker."""
    said = sum(file.record_count for file in commit.live_files(lake.evidence))
    most = max(NewsPolicy.most_records, NewsPolicy.largest_share * said)
    return scalar(lake.con, "SELECT count(*) FROM observed_news") > most


@dataclass(frozen=True)
class _News:
    """Besides the records of `observed_news`: the relation of the words that came since, None where none did."""

    words: str | None


def _news(lake: _Lake, identities: Table, computed_from: dict[str, str]) -> _News | None:
    """Return what came since the last run; None where everybody is to be resolved.

    A definition or a rule is another one then, words have gone, or so much is new that it is quicker.
    """
    if not _are_resolved_alike(identities, lake.evidence, computed_from, MAPPING, RULES) or _is_much(lake):
        return None
    before, now = (inputs.get(_WORDS_TABLE, "") for inputs in (commit.inputs(lake.evidence), computed_from))
    if lake.words is None or before == now:
        return _News(None)
    if not before:
        return _News(lake.words)
    table = lake.tables[lake.words]
    paths = appended.paths_since(table, before)
    if paths is None:
        return None
    if not paths:
        return _News(None)
    lake.con.execute(f"CREATE OR REPLACE TEMP VIEW said_news AS {data_files.read_sql(table, paths)}")
    return _News("said_news")


def _is_nothing(lake: _Lake, news: _News) -> bool:
    """Return whether what came says again what is known, as most of a full export does."""
    return news.words is None and not scalar(lake.con, "SELECT count(*) FROM observed_news")


def _resolve(lake: _Lake, news: _News | None) -> tuple[Part | None, Resolution]:
    """Resolve those alone of whom there is news, and say which part of all it is; else everybody."""
    if news:  # of few records two threads cost more than they save, and twice the buffers
        lake.con.execute("SET threads = 1")
    part = _resolve_news(lake, news) if news else None
    return part, part.resolution if part else _resolve_all(lake)


def _resolve_news(lake: _Lake, news: _News) -> Part | None:
    """Resolve those of whom rows came, and who has to do with them; None where everybody must be resolved."""
    from lakehouse.identity.incremental import Resolved, resolve_news  # noqa: PLC0415 - numpy and scipy are heavy

    con = lake.con
    stored = catalogs.ensure(lake.catalog, MATCHES)
    before = {"evidence": lake.evidence, "matches": stored, "identities": lake.tables[IDENTITIES.name]}
    for name, table in before.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name}_before AS {views.scan_with_files_sql(table)}")
    return resolve_news(
        con,
        news="observed_news",
        observations="observations",
        people_of=evidence_views.people_sql,
        before=Resolved("evidence_before", "identities_before", "matches_before"),
        words=lake.words,
        new_words=news.words,
        matcher=lake.matches.news,
        now=datetime.now(UTC),
    )


def _resolve_all(lake: _Lake) -> Resolution:
    """Resolve everybody."""
    from lakehouse.identity.resolve import resolve as resolve_identities  # noqa: PLC0415 - likewise

    lake.con.execute(f"SET threads = {lake.threads}")
    lake.con.execute(f"CREATE TEMP TABLE described AS {evidence_views.people_sql('observations')}")
    return resolve_identities(
        lake.con,
        observations="observations",
        people="described",
        words=lake.words,
        matcher=lake.matches,
        previous=IDENTITIES.name if commit.head(lake.tables[IDENTITIES.name]) else None,
        now=datetime.now(UTC),
    )


def _audit_lines(con: duckdb.DuckDBPyConnection) -> str:
    """Return the merges and splits as lines of JSON."""
    rows = con.execute(
        "SELECT change, customer_id, into_customer_id, \"at\" FROM identity_changes WHERE change <> 'new' ORDER BY ALL"
    ).fetchall()
    entries = (
        {"action": change, "subject": subject, "at": at.isoformat(), "detail": {"customer_id": into}}
        for change, subject, into, at in rows
    )
    return "\n".join(map(json.dumps, entries))


def _write_audit(settings: Settings, key: str, lines: str) -> None:
    if lines:
        aws.s3().put_object(Bucket=settings.ops_bucket, Key=key, Body=lines.encode())
