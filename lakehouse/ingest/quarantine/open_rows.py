"""What is in quarantine now: of each raw file what its last generation left there, and nothing older.

The objects say what is bad; `ops.quarantine` is a copy of them that may lag, and answers faster. So the copy is asked
for every file of which it has all rows, the objects for the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lakehouse.batching import batches
from lakehouse.definitions import nearest
from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.errors import Terminal
from lakehouse.ingest.policy import QuarantinePolicy
from lakehouse.ingest.quarantine import dismissals
from lakehouse.ingest.quarantine.bad_rows import object_key, read
from lakehouse.landing.object_lines import lines
from lakehouse.landing.raw_files import RawFile
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.contracts import QUARANTINE

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.commit import FileRecord


@dataclass(frozen=True)
class QuarantinedFile:
    """A raw file that has something in quarantine. `record` is its last generation's; `table` "" for no table."""

    table: str
    record: FileRecord

    @property
    def file_id(self) -> str:
        """Return the id of the raw file."""
        return self.record.file_id

    @property
    def source_key(self) -> tuple[str, str]:
        """Return (source, entity) as the key names them."""
        record = self.record
        return RawFile(record.bucket, record.key, record.version, record.bytes).source_key


@dataclass(frozen=True)
class QuarantineFilter:
    """Which files in quarantine are meant: those with at least one bad row to which all of this applies.

    `source` is a source, or source and entity with a slash between; `file_ids` may be shortened. What a person dealt
    with otherwise (`dismissals`) counts only where `dismissed` says so, or a file is named.
    """

    source: str | None = None
    code: str | None = None
    since: datetime | None = None
    file_ids: tuple[str, ...] = ()
    dismissed: bool = False

    @property
    def takes_dismissed(self) -> bool:
        """Return whether what a person dealt with otherwise counts, too."""
        return self.dismissed or bool(self.file_ids)

    @property
    def asks_of_rows(self) -> bool:
        """Return whether the rows of a file decide whether it is meant."""
        return bool(self.code) or self.since is not None


@dataclass(frozen=True)
class QuarantineGroup:
    """The rows in quarantine of one source with one code. `file_id`, `row`, `reason` and `key` are an example's."""

    source: str
    entity: str
    code: str
    files: int
    rows: int
    first: datetime
    last: datetime
    file_id: str
    row: int | None
    reason: str
    key: str = ""


def last_generations(settings: Settings) -> dict[str, tuple[str, FileRecord]]:
    """Return (table, record) of every raw file's last generation, by file id; the table is "" for none."""
    catalog = catalogs.open_catalog(settings)
    loaded = ((name, catalogs.load(catalog, name)) for name in catalogs.table_names(catalog))
    tables = {name: table for name, table in loaded if table is not None}
    last: dict[str, tuple[str, FileRecord]] = {}
    for table, record in ledger.records(tables, settings.ops_bucket).values():
        if record.file_id not in last or record.replay > last[record.file_id][1].replay:
            last[record.file_id] = (table, record)
    return last


def group_rows(settings: Settings, criteria: QuarantineFilter) -> list[QuarantineGroup]:
    """Return what is in quarantine by source and code, the largest first.

    Raises what `select_files` and `check_source` raise.
    """
    chosen = QuarantineFilter(criteria.source, file_ids=criteria.file_ids, dismissed=criteria.dismissed)
    files = select_files(settings, chosen)
    keys = {file.file_id: file.record.key for file in files}
    if not files:
        check_source(settings, criteria.source)
    with _open_rows(settings, files) as con:
        rows = con.execute(groups_sql(criteria)).fetchall()
    groups = []
    for source, entity, code, files_count, rows_count, first, last, example in rows:
        key = keys.get(example["file_id"], "")
        group = QuarantineGroup(
            source, entity, code, files_count, rows_count, first, last, **example, key=key
        )
        groups.append(group)
    return groups


def groups_sql(criteria: QuarantineFilter) -> str:
    """Return the SELECT of what `open_rows` holds by source and code; the example is the row that came last."""
    return (
        "SELECT source, entity, code, count(DISTINCT file_id) AS files, count(*) AS rows, "
        "min(quarantined_at) AS first, max(quarantined_at) AS last, "
        "arg_max({'file_id': file_id, 'row': \"row\", 'reason': reason}, quarantined_at) AS example "
        f"FROM open_rows WHERE {rows_condition(criteria)} "
        "GROUP BY ALL ORDER BY 5 DESC, 1, 2, 3"
    )


def select_files(settings: Settings, criteria: QuarantineFilter) -> list[QuarantinedFile]:
    """Return the files in quarantine that are meant, in the order of their source keys and keys.

    Raises `Terminal` for a file id that no raw file has.
    """
    files = filter_files(last_generations(settings), criteria)
    if not criteria.takes_dismissed:
        files = _without_dismissed(settings, files)
    if criteria.asks_of_rows:
        meant = _files_with_rows(settings, files, criteria)
        files = [file for file in files if file.file_id in meant]
    return files


def _without_dismissed(settings: Settings, files: list[QuarantinedFile]) -> list[QuarantinedFile]:
    """Return the files without those of which every row in quarantine is dealt with."""
    dismissed = dismissals.read(settings.ops_bucket)
    return [
        file
        for file in files
        if count_dismissed(settings.ops_bucket, file, dismissed) < file.record.quarantined
    ]


def count_dismissed(bucket: str, file: QuarantinedFile, dismissed: dismissals.Dismissals) -> int:
    """Return how many of the rows that a file has in quarantine are dealt with."""
    if file.file_id not in dismissed:
        return 0
    return len(dismissals.among(rows_of(bucket, file.record), dismissed[file.file_id]))


def rows_of(bucket: str, record: FileRecord) -> list[int | None]:
    """Return the numbers of the rows that a generation of a file left in quarantine; None is the whole file."""
    return [bad["row"] for bad in read(bucket, record)]


def filter_files(
    last: Mapping[str, tuple[str, FileRecord]], criteria: QuarantineFilter
) -> list[QuarantinedFile]:
    """Return, in order, the files in quarantine with the ids and the source that are meant; rows are not asked.

    `last` holds (table, record) of the last generation of every raw file. Raises `Terminal` for an id that none has.
    """
    selected_ids = {resolve_file_id(last, prefix) for prefix in criteria.file_ids} or last.keys()
    files = []
    for file_id in selected_ids:
        file = QuarantinedFile(*last[file_id])
        if file.record.quarantined and is_of_source(file.source_key, criteria.source):
            files.append(file)
    return sorted(files, key=lambda file: (file.source_key, file.record.key, file.file_id))


def is_of_source(source_key: tuple[str, str], name: str | None) -> bool:
    """Return whether (source, entity) is of a source, or of `source/entity`; every one is of None."""
    if not name:
        return True
    source, _, entity = name.partition("/")
    return source_key == (source, entity or source_key[1])


def check_source(settings: Settings, name: str | None) -> None:
    """Raise `Terminal` for a source that no definition and no file that came has; it names those that are near."""
    source_keys = set(definition.load(settings.definitions))
    if any(is_of_source(source_key, name) for source_key in source_keys):
        return
    source_keys |= {QuarantinedFile(*last).source_key for last in last_generations(settings).values()}
    if name and not any(is_of_source(source_key, name) for source_key in source_keys):
        raise Terminal(unknown_source(name, source_keys))


def unknown_source(name: str, source_keys: Iterable[tuple[str, str]]) -> str:
    """Return what to say of a source, or source and entity, that is none of those with the keys."""
    with_entity = "/" in name
    names = {"/".join(source_key) if with_entity else source_key[0] for source_key in source_keys}
    return f"no source {name}{nearest(name, sorted(names), definition.LISTED_BY)}"


def resolve_file_id(known: Iterable[str], prefix: str) -> str:
    """Return the known file id that begins with `prefix`; `Terminal` when there is none, or more than one."""
    matching: list[str] = []
    if len(prefix) >= QuarantinePolicy.shortest_file_id:
        matching = [file_id for file_id in known if file_id.startswith(prefix)]
    if len(matching) != 1:
        reason = "several files' ids begin so" if matching else "no file that was ingested has this id"
        raise Terminal(f"{prefix}: {reason}; `lakehouse quarantine list` names files")
    return matching[0]


def rows_condition(criteria: QuarantineFilter) -> str:
    """Return the SQL condition of the rows that have the code and the time that are meant."""
    conditions = ["true" if criteria.takes_dismissed else "NOT dismissed"]
    if criteria.code:
        conditions.append(f"code = {literal(criteria.code)}")
    if criteria.since:
        conditions.append(f"quarantined_at >= TIMESTAMPTZ {literal(criteria.since.isoformat())}")
    return " AND ".join(conditions)


def _files_with_rows(
    settings: Settings, files: Sequence[QuarantinedFile], criteria: QuarantineFilter
) -> set[str]:
    """Return the ids of those files that have a row with the code and the time that are meant."""
    with _open_rows(settings, files) as con:
        query = f"SELECT DISTINCT file_id FROM open_rows WHERE {rows_condition(criteria)}"
        return {file_id for (file_id,) in con.execute(query).fetchall()}


@contextmanager
def _open_rows(settings: Settings, files: Sequence[QuarantinedFile]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection with the table `open_rows`: what is bad in these files, without the originals."""
    records = [file.record for file in files]
    con = duck.connect(settings)
    try:
        con.execute("CREATE TEMP TABLE open_files (file_id VARCHAR, replay BIGINT, quarantined BIGINT)")
        con.execute(
            "INSERT INTO open_files SELECT unnest(?), unnest(?), unnest(?)",
            [
                [record.file_id for record in records],
                [record.replay for record in records],
                [record.quarantined for record in records],
            ],
        )
        con.execute(
            "CREATE TEMP TABLE open_rows (file_id VARCHAR, source VARCHAR, entity VARCHAR, code VARCHAR, "
            'reason VARCHAR, "row" BIGINT, quarantined_at TIMESTAMPTZ, dismissed BOOLEAN DEFAULT false)'
        )
        copied = _fill_from_copy(con, settings)
        _fill_from_objects(con, settings, records, copied)
        _mark_dismissed(con, dismissals.read(settings.ops_bucket))
        yield con
    finally:
        con.close()


def _mark_dismissed(con: duckdb.DuckDBPyConnection, dismissed: dismissals.Dismissals) -> None:
    """Say in `open_rows` of each row whether it is dealt with."""
    for file_id, rows in dismissed.items():
        firsts, lasts = [first for first, _ in rows.ranges], [last for _, last in rows.ranges]
        con.execute(
            'UPDATE open_rows SET dismissed = true WHERE file_id = $1 AND (("row" IS NULL AND $2) OR EXISTS ('
            'SELECT 1 FROM (SELECT unnest($3::BIGINT[]) AS a, unnest($4::BIGINT[]) AS b) WHERE "row" BETWEEN a AND b))',
            [file_id, rows.whole_file, firsts, lasts],
        )


def _fill_from_copy(con: duckdb.DuckDBPyConnection, settings: Settings) -> set[str]:
    """Take the rows of those files of which `ops.quarantine` has all; return their ids."""
    tables = views.attach(con, catalogs.open_catalog(settings), [QUARANTINE.name])
    if QUARANTINE.name not in tables:
        return set()
    has_replay = any(field.name == "replay" for field in tables[QUARANTINE.name].schema().fields)
    replay = "coalesce(q.replay, 0)" if has_replay else "0"  # an old table may not have grown the column yet
    con.execute(
        "CREATE TEMP TABLE copied AS SELECT o.file_id, o.replay FROM open_files AS o "
        f"JOIN {QUARANTINE.name} AS q ON q.file_id = o.file_id AND {replay} = o.replay "
        "GROUP BY o.file_id, o.replay, o.quarantined HAVING count(*) = o.quarantined"
    )
    con.execute(
        'INSERT INTO open_rows (file_id, source, entity, code, reason, "row", quarantined_at) '
        'SELECT q.file_id, q.source, q.entity, q.code, q.reason, q."row", q.quarantined_at '
        f"FROM {QUARANTINE.name} AS q JOIN copied AS c ON q.file_id = c.file_id AND {replay} = c.replay"
    )
    return {file_id for (file_id,) in con.execute("SELECT file_id FROM copied").fetchall()}


def _fill_from_objects(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    records: Sequence[FileRecord],
    copied: Collection[str],
) -> None:
    """Take the rows of those files whose copy was not complete from their objects."""
    for batch in batches(
        _object_lines(settings.ops_bucket, records, copied), count=QuarantinePolicy.lines_per_insert
    ):
        con.execute(
            'INSERT INTO open_rows (file_id, source, entity, code, reason, "row", quarantined_at) '
            "SELECT j->>'$.file_id', j->>'$.source', j->>'$.entity', j->>'$.code', "
            "j->>'$.reason', CAST(j->>'$.row' AS BIGINT), CAST(j->>'$.quarantined_at' AS TIMESTAMPTZ) "
            "FROM (SELECT CAST(unnest(?) AS JSON) AS j)",
            [batch],
        )


def _object_lines(bucket: str, records: Sequence[FileRecord], copied: Collection[str]) -> Iterator[str]:
    for record in records:
        if record.file_id not in copied:
            for line in lines(bucket, object_key(record.file_id, record.replay, record.set_aside)):
                yield line.decode()
