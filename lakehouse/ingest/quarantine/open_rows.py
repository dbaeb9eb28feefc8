"""What is in quarantine now: of each raw file what its last generation left there, and nothing older.

The objects say what is bad; `ops.quarantine` is a copy of them that may lag, and answers faster. So the copy is asked
for every file that it has whole, the objects for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.errors import Terminal
from lakehouse.ingest.quarantine.bad_rows import key_of
from lakehouse.landing.object_lines import lines
from lakehouse.landing.raw_files import RawFile
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.contracts import QUARANTINE

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.commit import FileRecord

_LINES = 5_000  # of objects, at once in memory
_SHORTEST = 8  # characters of a file id that a person may give for the whole


@dataclass(frozen=True)
class Open:
    """A raw file that has something in quarantine. `record` is its last generation's; `table` "" for no table."""

    table: str
    record: FileRecord

    @property
    def place(self) -> tuple[str, str]:
        """Return (source, entity) as the key names them."""
        r = self.record
        return RawFile(r.bucket, r.key, r.version, r.bytes).source_key


@dataclass(frozen=True)
class Choice:
    """Which open files are meant: those with at least one bad row to which all of this applies.

    `source` is a source, or source and entity with a slash between; `file_ids` may be shortened.
    """

    source: str | None = None
    code: str | None = None
    since: datetime | None = None
    file_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """The open rows of one source with one code. `file_id`, `row` and `reason` are an example's."""

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


def open_files(settings: Settings) -> dict[str, Open]:
    """Return the files that have something in quarantine, by file id."""
    return {
        file_id: Open(table, record)
        for file_id, (table, record) in last_generations(settings).items()
        if record.quarantined
    }


def last_generations(settings: Settings) -> dict[str, tuple[str, FileRecord]]:
    """Return (table, record) of every file's last generation, by file id."""
    catalog = catalogs.open_catalog(settings)
    loaded = ((name, catalogs.load(catalog, name)) for name in catalogs.table_names(catalog))
    tables = {name: table for name, table in loaded if table is not None}
    last: dict[str, tuple[str, FileRecord]] = {}
    for table, record in ledger.records(tables, settings.ops_bucket).values():
        if record.file_id not in last or record.replay > last[record.file_id][1].replay:
            last[record.file_id] = (table, record)
    return last


def groups(settings: Settings, choice: Choice) -> list[Group]:
    """Return what is in quarantine by source and code, the largest first."""
    opened = {
        one.record.file_id: one for one in choose(settings, Choice(choice.source, file_ids=choice.file_ids))
    }
    with _open_rows(settings, opened) as con:
        rows = con.execute(
            "SELECT source, entity, code, count(DISTINCT file_id), count(*), min(quarantined_at), "
            "max(quarantined_at), arg_max({'f': file_id, 'r': \"row\", 'w': reason}, quarantined_at) AS example "
            f"FROM open_rows WHERE {_condition(choice)} "
            "GROUP BY ALL ORDER BY 5 DESC, 1, 2, 3"
        ).fetchall()
    return [
        Group(source, entity, code, files, bad, first, last, one["f"], one["r"], one["w"])
        for source, entity, code, files, bad, first, last, one in rows
    ]


def choose(settings: Settings, choice: Choice) -> list[Open]:
    """Return the open files that are meant, in the order of their places and keys.

    Raises `Terminal` for a file id that no raw file has.
    """
    last = last_generations(settings)
    opened = {file_id: Open(*found) for file_id, found in last.items() if found[1].quarantined}
    if choice.file_ids:
        meant = {whole_id(last, given) for given in choice.file_ids}
        opened = {file_id: one for file_id, one in opened.items() if file_id in meant}
    if choice.source:
        source, _, entity = choice.source.partition("/")
        opened = {
            file_id: one
            for file_id, one in opened.items()
            if one.place[0] == source and entity in ("", one.place[1])
        }
    if choice.code or choice.since:
        with _open_rows(settings, opened) as con:
            query = f"SELECT DISTINCT file_id FROM open_rows WHERE {_condition(choice)}"
            meant = {row[0] for row in con.execute(query).fetchall()}
        opened = {file_id: one for file_id, one in opened.items() if file_id in meant}
    return sorted(opened.values(), key=lambda one: (one.place, one.record.key, one.record.file_id))


def whole_id(known: Iterable[str], given: str) -> str:
    """Return the file id that begins with `given`; `Terminal` when there is none, or more than one."""
    fitting = [name for name in known if name.startswith(given)] if len(given) >= _SHORTEST else []
    if len(fitting) != 1:
        why = "several files' ids begin so" if fitting else "no file that was ingested has this id"
        raise Terminal(f"{given}: {why}; `lakehouse quarantine list` names files")
    return fitting[0]


def _condition(choice: Choice) -> str:
    parts = ["true"]
    if choice.code:
        parts.append(f"code = {literal(choice.code)}")
    if choice.since:
        parts.append(f"quarantined_at >= TIMESTAMPTZ {literal(choice.since.isoformat())}")
    return " AND ".join(parts)


@contextmanager
def _open_rows(settings: Settings, opened: dict[str, Open]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection with the table `open_rows`: what is bad in these files, without the originals."""
    con = duck.connect(settings)
    try:
        con.execute("CREATE TEMP TABLE open_files (file_id VARCHAR, replay BIGINT, quarantined BIGINT)")
        records = [one.record for one in opened.values()]
        con.execute(
            "INSERT INTO open_files SELECT unnest(?), unnest(?), unnest(?)",
            [[r.file_id for r in records], [r.replay for r in records], [r.quarantined for r in records]],
        )
        con.execute(
            "CREATE TEMP TABLE open_rows (file_id VARCHAR, source VARCHAR, entity VARCHAR, code VARCHAR, "
            'reason VARCHAR, "row" BIGINT, quarantined_at TIMESTAMPTZ)'
        )
        copied = _fill_from_copy(con, settings)
        _fill_from_objects(
            con, settings, [one.record for one in opened.values() if one.record.file_id not in copied]
        )
        yield con
    finally:
        con.close()


def _fill_from_copy(con: duckdb.DuckDBPyConnection, settings: Settings) -> set[str]:
    """Take the rows of the files whose copy is whole; return their ids."""
    tables = views.attach(con, catalogs.open_catalog(settings), [QUARANTINE.name])
    if QUARANTINE.name not in tables:
        return set()
    grown = any(field.name == "replay" for field in tables[QUARANTINE.name].schema().fields)
    replay = "coalesce(q.replay, 0)" if grown else "0"
    con.execute(
        "CREATE TEMP TABLE copied AS SELECT o.file_id, o.replay FROM open_files AS o "
        f"JOIN {QUARANTINE.name} AS q ON q.file_id = o.file_id AND {replay} = o.replay "
        "GROUP BY o.file_id, o.replay, o.quarantined HAVING count(*) = o.quarantined"
    )
    con.execute(
        'INSERT INTO open_rows SELECT q.file_id, q.source, q.entity, q.code, q.reason, q."row", q.quarantined_at '
        f"FROM {QUARANTINE.name} AS q JOIN copied AS c ON q.file_id = c.file_id AND {replay} = c.replay"
    )
    return {row[0] for row in con.execute("SELECT file_id FROM copied").fetchall()}


def _fill_from_objects(
    con: duckdb.DuckDBPyConnection, settings: Settings, records: Sequence[FileRecord]
) -> None:
    found = (
        line.decode()
        for record in records
        for line in lines(settings.ops_bucket, key_of(record.file_id, record.replay, record.set_aside))
    )
    while part := list(islice(found, _LINES)):
        con.execute(
            "INSERT INTO open_rows SELECT j->>'$.file_id', j->>'$.source', j->>'$.entity', j->>'$.code', "
            "j->>'$.reason', CAST(j->>'$.row' AS BIGINT), CAST(j->>'$.quarantined_at' AS TIMESTAMPTZ) "
            "FROM (SELECT CAST(unnest(?) AS JSON) AS j)",
            [part],
        )
