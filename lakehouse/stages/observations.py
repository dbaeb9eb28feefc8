"""What raw rows say of people, kept in `core.observations`: each row is read once, however often resolve runs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from lakehouse.engine.escape import qualified
from lakehouse.identity.relation import scalar
from lakehouse.policy import Policy
from lakehouse.sources import evidence_views
from lakehouse.sources.says import describes_record
from lakehouse.tables import appended, appending, commit, data_files, ledger, replace_table, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.people import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from lakehouse.sources.definition import Source
    from lakehouse.sources.says import AbsentColumns
    from lakehouse.tables.catalog import Catalog, Table


@dataclass(frozen=True)
class ObservationPolicy(Policy):
    """How the table of observations is kept small."""

    most_files: Annotated[int, "data files from which it is written anew, without what says nothing more"] = (
        30
    )
    compared_from: Annotated[
        int, "records with new rows, above which those are found that say again what is known"
    ] = 100


MAPPING: Final = (
    "mapped.identifiers"  # among the inputs: what changes when definitions say other things of people
)
# A value that stays, whatever comes later, was there before: another row of it says nothing. Of what is stored only the
# records that came are looked up: of all it would be the larger side.
_NEWS = """
    SELECT n.* FROM observed_rows AS n ANTI JOIN (
        SELECT * FROM ({stored}) SEMI JOIN (FROM observed_rows WHERE every) USING (source, record) WHERE every
    ) AS o
    ON n.every AND o.every AND n.source = o.source AND n.record = o.record AND n.slot = o.slot AND n.value = o.value
    AND n.own = o.own AND n.region IS NOT DISTINCT FROM o.region
    AND coalesce(o.said_at, o.loaded_at) <= coalesce(n.said_at, n.loaded_at)
"""


@dataclass(frozen=True)
class Observed:
    """The head of `core.observations`, and whether `observed_news` holds the records of which rows came since."""

    head: str
    has_news: bool


def observe(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    sources: list[Source],
    tables: Mapping[str, Table],
    since: str | None = None,
) -> Observed:
    """Bring `core.observations` up to the tables of sources, attached to `con`; make a view `observations` of it.

    Read are only rows that came since, where they were appended; else all that the sources hold. Where that can be
    told, makes a table `observed_news` of the records (source, record) with rows that came after the head `since`.
    Leaves the views of raw tables that have news at their news. Raises CommitConflict when another run was first.
    """
    table = catalogs.ensure(catalog, OBSERVATIONS)
    saying = [source for source in sources if source.identifiers]
    heads = {source.table: commit.head(tables[source.table]) for source in saying}
    expected = {**heads, MAPPING: evidence_views.version(saying)}
    known = commit.inputs(table)
    if known != expected:
        news = _news(saying, tables, known) if known.get(MAPPING) == expected[MAPPING] else None
        if news is None or known.keys() - expected.keys():
            _replace(con, table, _all_sql(catalog, saying, tables), expected)
        else:
            _append(con, catalog, table, tables, news, expected)
        table = catalogs.ensure(catalog, OBSERVATIONS)
    has_news = since is not None and _note_news(con, table, since)
    if len(commit.live_files(table)) > ObservationPolicy.most_files:
        _replace(con, table, f"({views.scan_sql(table)})", expected)
        table = catalogs.ensure(catalog, OBSERVATIONS)
    con.execute(f"CREATE OR REPLACE TEMP VIEW observations AS {views.scan_sql(table)}")
    return Observed(commit.head(table), has_news)


def _note_news(con: duckdb.DuckDBPyConnection, table: Table, since: str) -> bool:
    """Make `observed_news`, and return True, where the table can tell what came after a head."""
    paths = appended.paths_since(table, since)
    if paths is None:
        return False
    rows = data_files.read_sql(table, paths) if paths else views.scan_sql(table) + " LIMIT 0"
    con.execute(f"CREATE OR REPLACE TEMP TABLE observed_news AS SELECT DISTINCT source, record FROM ({rows})")
    if scalar(con, "SELECT count(*) FROM observed_news") > ObservationPolicy.compared_from:
        _keep_what_is_new(con, table, since)
    return True


def _keep_what_is_new(con: duckdb.DuckDBPyConnection, table: Table, since: str) -> None:
    """Leave in `observed_news` only records that say something new: not those that a full export says again."""
    from lakehouse.identity.news import keep_what_is_new  # noqa: PLC0415 - resolving is heavy

    snapshots = {commit.head_of(each): each.snapshot_id for each in table.metadata.snapshots}
    con.execute(f"CREATE OR REPLACE TEMP VIEW observed_before AS {views.scan_sql(table, snapshots[since])}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW observed_after AS {views.scan_sql(table)}")
    keep_what_is_new(con, "observed_news", "observed_before", "observed_after", evidence_views.people_sql)


def _news(
    sources: list[Source], tables: Mapping[str, Table], known: Mapping[str, str]
) -> dict[str, tuple[Source, list[str] | None]] | None:
    """Return by raw table its source and the new data files, None for all of them.

    None where a table cannot tell what is new.
    """
    found: dict[str, tuple[Source, list[str] | None]] = {}
    for source in sources:
        before = known.get(source.table)
        if before == commit.head(tables[source.table]):
            continue
        paths = appended.paths_since(tables[source.table], before) if before else None
        if before and paths is None:
            return None
        if paths != []:
            found[source.table] = (source, paths)
    return found


def _append(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    table: Table,
    tables: Mapping[str, Table],
    news: Mapping[str, tuple[Source, list[str] | None]],
    expected: dict[str, str],
) -> None:
    for name, (source, paths) in news.items():
        if paths:
            select = views.scan_as_sql(
                tables[name], source.contract, data_files.read_sql(tables[name], paths)
            )
            con.execute(f"CREATE OR REPLACE VIEW {qualified(name)} AS {select}")
    said = _all_sql(catalog, [source for source, _ in news.values()], tables)
    pruned = evidence_views.pruned_sql(said)
    con.execute(f"CREATE OR REPLACE TEMP TABLE observed_rows AS {pruned}")
    written = data_files.write(con, table, _NEWS.format(stored=views.scan_sql(table)), _attempt())
    con.execute("DROP TABLE observed_rows")
    if written.files:
        appending.append_written(table, written, exclusive=True, computed_from=expected)
    else:
        base = table.current_snapshot()
        replace_table.note_inputs(table, computed_from=expected, base=base.snapshot_id if base else None)


def _replace(con: duckdb.DuckDBPyConnection, table: Table, said: str, expected: dict[str, str]) -> None:
    appending.replace_query(con, table, evidence_views.pruned_sql(said), _attempt(), computed_from=expected)


def _attempt() -> str:
    return f"resolve-{uuid.uuid4()}"


def _all_sql(catalog: Catalog, sources: list[Source], tables: Mapping[str, Table]) -> str:
    """Return a subquery of all that the views of sources say."""
    return f"({evidence_views.observations_sql(sources, _absent_columns(catalog, sources, tables))})"


def _absent_columns(
    catalog: Catalog, sources: list[Source], tables: Mapping[str, Table]
) -> dict[str, AbsentColumns]:
    """Return by raw table which columns its files lack, of sources whose rows describe records."""
    describing = [tables[source.table] for source in sources if describes_record(source)]
    loads = ledger.loads_by_table(catalog, describing)
    return {name: ledger.absent_columns(files) for name, files in loads.items()}
