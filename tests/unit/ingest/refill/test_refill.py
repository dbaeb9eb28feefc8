"""Values in `extra` move to the columns that the mapping names by now, and nothing else moves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from lakehouse.errors import CommitConflict, Terminal
from lakehouse.ingest.policy import RefillPolicy
from lakehouse.ingest.refill import refill as module
from lakehouse.ingest.refill.refill import refill
from lakehouse.sources.definition import Source
from lakehouse.tables.catalog import ensure, load, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.contract import Column, Contract
from lakehouse.tables.replace_files import replace_files
from tests.support.lakes import write

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = {"_file_id": "f", "_loaded_at": AT}


def a_source(*columns, **more):
    """Return a source with a column `id`, and these."""
    return Source.model_validate(
        {
            "source": "a", "entity": "b", "doc": "B", "grain": "one row a version", "format": "csv",
            "columns": [{"name": "id", "from": "Id", "doc": "Id"}, *columns],
        }
        | more
    )  # fmt: skip


def column(name, origin, kind="string", **more):
    return {"name": name, "from": origin, "type": kind, "doc": name, **more}


class Table:
    """The source's raw table, filled before the mapping named more than `id`."""

    def __init__(self, settings, source):
        self.settings = settings
        self.source = source
        self.catalog = open_catalog(settings)

    @property
    def table(self):
        return load(self.catalog, self.source.table)

    def fill(self, *extras):
        """Append a data file, one row an extra (a dictionary, a text, or None)."""
        table = ensure(self.catalog, self.source.contract)
        rows = ", ".join(
            f"('f', {n}, TIMESTAMPTZ '{AT.isoformat()}', {self._sql(extra)}, 'id{n}')"
            for n, extra in enumerate(extras, start=1)
        )
        names = "_file_id, _row, _loaded_at, extra, id"
        columns = self.source.contract.columns[5:]
        nulls = "".join(f", CAST(NULL AS {c.duck_type}) AS {c.name}" for c in columns)
        written = write(self.settings, table, f"SELECT *{nulls} FROM (VALUES {rows}) AS v({names})")
        append(table, written.files)

    def _sql(self, extra):
        if extra is None:
            return "NULL"
        text = extra if isinstance(extra, str) else json.dumps(extra)
        return "'" + text.replace("'", "''") + "'"

    def refill(self, source, **more):
        return refill(self.settings, source, **more)

    @property
    def rows(self):
        rows = self.table.scan().to_arrow().to_pylist()
        return sorted(rows, key=lambda row: (row["_row"], row["id"]))

    def column(self, name):
        return [row[name] for row in self.rows]


@pytest.fixture
def raw(lake):
    return Table(lake, a_source())


def counts(done):
    return (done.files, done.rows, dict(done.moved), dict(done.kept))


def test_a_newly_named_column_gets_what_extra_held(raw):
    """Rows keep their file, number and time, and the other keys stay in `extra`."""
    raw.fill({"Store": "north", "other": 1}, {"Store": "south"}, {"other": 2}, None)
    done = raw.refill(a_source(column("store", "Store")))
    assert counts(done) == (1, 2, {"store": 2}, {})
    assert raw.rows == [
        KEPT | {"_row": 1, "extra": '{"other":1}', "id": "id1", "store": "north"},
        KEPT | {"_row": 2, "extra": None, "id": "id2", "store": "south"},
        KEPT | {"_row": 3, "extra": '{"other": 2}', "id": "id3", "store": None},
        KEPT | {"_row": 4, "extra": None, "id": "id4", "store": None},
    ]


def test_a_key_is_found_by_what_ingest_takes_for_its_name(raw):
    """In full-width signs and with spaces, and under another name that the mapping gives it."""
    raw.fill({"联系 ＩＤ": "7"}, {"编号": "8"}, {"联系IDs": "9"})
    source = a_source(column("contact", "联系ID", also=["编号"]))
    assert counts(raw.refill(source)) == (1, 2, {"contact": 2}, {})
    assert raw.column("contact") == ["7", "8", None]


def test_twice_is_once(raw):
    """The second run commits nothing, whatever had to stay."""
    raw.fill({"N": "1"}, {"N": "one"})
    source = a_source(column("n", "N", "long"))
    assert raw.refill(source).commits == 1
    before = raw.table.metadata_location
    again = raw.refill(source)
    assert (again.commits, again.files, again.rows, dict(again.kept)) == (0, 0, 0, {"n": 1})
    assert raw.table.metadata_location == before


TYPED = [
    ("long", "12", 12), ("long", "12.5", None), ("long", "1e3", 1000), ("int", "3000000000", None),
    ("int", " 7 ", 7), ("double", "1.5", 1.5), ("double", "x", None), ("boolean", "true", True),
    ("decimal(5,2)", "1.239", None), ("decimal(5,2)", "12345", None),
    ("date", "2026-02-28", date(2026, 2, 28)), ("date", "2026-02-30", None), ("date", "infinity", None),
    ("timestamptz", "2026-01-01T00:00:00Z", AT), ("timestamptz", "soon", None), ("string", " x ", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "value"), TYPED)
def test_the_typing_is_ingests(raw, kind, text, value):
    """What does not fit stays in `extra` as it came, and is counted."""
    raw.fill({"V": text})
    done = raw.refill(a_source(column("v", "V", kind)))
    assert raw.column("v") == [value]
    assert raw.column("extra") == [None if value is not None else json.dumps({"V": text})]
    assert (done.moved["v"], done.kept["v"]) == ((1, 0) if value is not None else (0, 1))


def test_an_empty_value_is_null_and_leaves(raw):
    """As at ingest, where a mapped column's empty text or null is no part of `extra`."""
    raw.fill({"V": ""}, {"V": None}, {"V": " "})
    raw.refill(a_source(column("v", "V", "long")))
    assert raw.column("v") == raw.column("extra") == [None] * 3


def test_a_value_that_is_not_allowed_stays(raw):
    """Ingest would have set the row aside; a row that is loaded is not taken back."""
    raw.fill({"V": "a"}, {"V": "z"})
    done = raw.refill(a_source(column("v", "V", allowed=["a", "b"])))
    assert raw.column("v") == ["a", None]
    assert raw.column("extra") == [None, '{"V": "z"}']
    assert done.kept["v"] == 1


def test_a_column_that_has_a_value_keeps_it(raw, lake):
    """A file may have had both, when two exports named one thing differently."""
    source = a_source(column("v", "Old"))
    table = ensure(raw.catalog, source.contract)
    extra = '{"V": "extra"}'
    query = (
        f"SELECT 'f' AS _file_id, 1 AS _row, now() AS _loaded_at, '{extra}' AS extra, 'i' AS id, 'mine' AS v"
    )
    append(table, write(lake, table, query).files)
    done = raw.refill(a_source(column("v", "V")))
    assert (raw.column("v"), raw.column("extra")) == (["mine"], [extra])
    assert (done.rows, done.kept["v"]) == (0, 1)


def test_a_csvs_header_in_whatever_case(raw):
    """As at ingest; several spellings in several files are one column."""
    raw.fill({"Store Name": "a"})
    raw.fill({"STORE NAME": "b"})
    raw.refill(a_source(column("store", "store name")))
    assert sorted(raw.column("store")) == ["a", "b"]
    assert raw.column("extra") == [None, None]


def test_json_keys_to_the_letter(raw):
    """As at ingest of JSON."""
    raw.fill({"Store": "a"}, {"store": "b"})
    raw.refill(a_source(column("store", "store"), format="ndjson"))
    assert raw.column("store") == [None, "b"]


@pytest.mark.parametrize(
    "key", ["a.b", 'q"q', "it's", "sl/ash", "ti~de", "*", "$", "é 中", "\\", "{}", "a,b", ":"]
)
def test_hostile_names(raw, key):
    """A name is data: it can neither break the SQL nor reach into another value."""
    raw.fill({key: "mine", "other": {"a": {"b": "not mine"}}})
    raw.refill(a_source(column("v", key), format="ndjson"))
    assert raw.column("v") == ["mine"]
    assert [json.loads(text) for text in raw.column("extra")] == [{"other": {"a": {"b": "not mine"}}}]


def test_kinds_of_json(raw):
    """Objects stay objects, strings become text, and what is of another kind stays where it is."""
    raw.fill({"p": {"a": [1]}, "s": 'a "b"'}, {"p": "text", "s": 1}, {"p": None, "s": None}, {"n": 1.5})
    raw.refill(
        a_source(
            column("p", "p", json_type="object"), column("s", "s", json_type="string"), column("n", "n"),
            format="ndjson",
        )
    )  # fmt: skip
    assert raw.column("p") == ['{"a":[1]}', None, None, None]
    assert raw.column("s") == ['a "b"', None, None, None]
    assert raw.column("n") == [None, None, None, "1.5"]
    assert raw.column("extra") == [None, '{"p": "text", "s": 1}', None, None]


def test_only_files_that_hold_such_rows_are_written_anew(raw):
    """Of the others, not a byte is moved."""
    raw.fill(None, None)
    raw.fill({"other": "x"})
    raw.fill({"Store": "north"})
    before = {file.file_path for file in live_files(raw.table)}
    done = raw.refill(a_source(column("store", "Store")))
    after = {file.file_path for file in live_files(raw.table)}
    assert (done.files, len(before & after), len(after)) == (1, 2, 3)


def test_a_dry_run_counts_and_changes_nothing(raw):
    """Not even the table's columns."""
    raw.fill({"N": "1"}, {"N": "one"})
    before = raw.table.metadata_location
    source = a_source(column("n", "N", "long"))
    done = raw.refill(source, dry_run=True)
    assert (*counts(done), done.commits) == (1, 1, {"n": 1}, {"n": 1}, 0)
    assert raw.table.metadata_location == before
    assert counts(raw.refill(source)) == counts(done)


def test_no_table_yet(lake):
    """Nothing arrived, nothing to do."""
    assert counts(refill(lake, a_source(), dry_run=True)) == (0, 0, {}, {})


def test_groups_are_commits_of_their_own(raw, monkeypatch):
    """Memory and scratch disk are those of a group; what was committed stays when a later one fails."""
    monkeypatch.setattr(RefillPolicy, "group_files", 2)
    for number in range(5):
        raw.fill({"N": str(number)})
    heard = []
    done = raw.refill(
        a_source(column("n", "N", "long")), progress=lambda _, done, total: heard.append(done / total)
    )
    assert (done.commits, done.files, done.moved["n"]) == (3, 5, 5)
    assert sorted(raw.column("n")) == list(range(5))
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_beside_live_writers(raw, monkeypatch):
    """What arrives meanwhile stays; a file that maintenance rewrote meanwhile is refilled where it is now."""
    raw.fill({"N": "1"}, {"N": "x"})
    raw.fill({"N": "2"})
    real, raced = module.replace_files, []

    def lose_first(table, removed, added, **how):
        if not raced:
            raced.append(True)
            raw.fill({"N": "3"})
            now = raw.table
            both = live_files(now)
            sql = module.data_files.read_sql(now, [file.file_path for file in both])
            replace_files(now, both, write(raw.settings, now, sql).files, same_rows=True)
        return real(table, removed, added, **how)

    monkeypatch.setattr(module, "replace_files", lose_first)
    wide = a_source(column("n", "N", "long"))
    done = raw.refill(wide)
    assert sorted(row["n"] or 0 for row in raw.rows) == [0, 1, 2, 3]
    assert (done.moved["n"], done.kept["n"]) == (3, 1)
    known = {file.file_path for file in live_files(raw.table)}
    on_disk = {f"file://{path}" for path in _parquet(raw.settings)}
    assert len(on_disk - known) == 4, "the files of the lost attempt were left"


def _parquet(settings):
    from pathlib import Path

    return Path(settings.warehouse.removeprefix("file://")).rglob("*.parquet")


def test_what_was_done_before_a_lost_race_is_counted_once(raw, monkeypatch):
    """Files that it wrote itself are not looked at again."""
    monkeypatch.setattr(RefillPolicy, "group_files", 1)
    raw.fill({"N": "1"}, {"N": "x"})
    raw.fill({"N": "2"}, {"N": "y"})
    real, calls = module.replace_files, []

    def lose_second(*arguments, **how):
        calls.append(True)
        if len(calls) == 2:
            raise CommitConflict("another was first")
        return real(*arguments, **how)

    monkeypatch.setattr(module, "replace_files", lose_second)
    done = raw.refill(a_source(column("n", "N", "long")))
    assert (done.moved["n"], done.kept["n"], done.commits) == (2, 2, 2)


def test_a_race_that_is_always_lost_is_an_error(raw, monkeypatch):
    """The next call begins where this one ended."""
    raw.fill({"N": "1"})

    def lose(*_, **__):
        raise CommitConflict("another was first")

    monkeypatch.setattr(module, "replace_files", lose)
    with pytest.raises(CommitConflict, match="all the time"):
        raw.refill(a_source(column("n", "N", "long")))
    assert raw.column("extra") == ['{"N": "1"}']


def test_partitions_and_order_follow_the_new_column(lake):
    """Rows move to the partition that their value says."""
    narrow = a_source(column("day", "Day", "date"), partition=["month(day)"], sort=["day"])
    raw = Table(lake, narrow)
    raw.fill({"Tag": "2026-01-31"}, {"Tag": "2026-02-01"})
    renamed = a_source(column("day", "Tag", "date"), partition=["month(day)"], sort=["day"])
    raw.refill(renamed)
    months = sorted(file.partition[0] for file in live_files(raw.table))
    assert months == [672, 673]
    assert raw.table.scan("day >= '2026-02-01'").to_arrow().num_rows == 1


def test_columns_that_this_program_does_not_know_stay(raw, lake):
    """A newer program's column is in the files; writing them anew must not lose it."""
    newer = raw.source.contract
    newer = replace(
        newer, columns=(*newer.columns, Column("store", "string", "S"), Column("new", "string", "N"))
    )
    table = ensure(raw.catalog, newer)
    query = (
        "SELECT 'f' AS _file_id, 1 AS _row, now() AS _loaded_at, '{\"Store\": \"s\"}' AS extra, 'i' AS id, "
        "NULL AS store, 'precious' AS \"new\""
    )
    append(table, write(lake, table, query).files)
    raw.refill(a_source(column("store", "Store")))
    assert (raw.column("store"), raw.column("new")) == (["s"], ["precious"])


def test_a_column_that_the_table_dropped_takes_nothing(raw, lake):
    """A value that left `extra` for a column that is not there would be lost."""
    old = a_source(column("store", "Store"))
    ensure(raw.catalog, old.contract)
    gone = a_source(migrations=[{"number": 1, "why": "nobody reads it", "drop": {"store": 6}}])
    ensure(raw.catalog, gone.contract)
    Table(lake, gone).fill({"Store": "s"})
    done = raw.refill(old)
    assert (done.rows, raw.column("extra")) == (0, ['{"Store": "s"}'])


def test_a_table_under_other_names_is_refused(raw):
    """An older definition's column would be filled under a name that means something else by now."""
    old = a_source(column("store", "Store"))
    ensure(raw.catalog, old.contract)
    new = a_source(
        column("shop", "Store"), migrations=[{"number": 1, "why": "shop it is", "rename": {"store": "shop"}}]
    )
    ensure(raw.catalog, new.contract)
    with pytest.raises(Terminal, match="store has another name"):
        raw.refill(old)


def test_rows_that_go_missing_stop_it(raw, monkeypatch):
    """Nothing is committed that holds another number of rows."""
    raw.fill({"N": "1"}, {"N": "2"})
    real = module.refilled_sql
    monkeypatch.setattr(module, "refilled_sql", lambda *arguments: f"{real(*arguments)} LIMIT 1")
    with pytest.raises(Terminal, match="nothing was changed"):
        raw.refill(a_source(column("n", "N", "long")))
    assert len(raw.rows) == 2


def test_a_contract_is_all_that_counts(raw):
    """A source's migrations reach its contract."""
    source = a_source(migrations=[{"number": 1, "why": "why", "drop": {"x": 6}}])
    assert isinstance(source.contract, Contract)
    assert source.contract.dropped == {6: "x"}


def test_a_time_without_a_zone_is_one_of_the_sources(raw):
    """As at ingest."""
    raw.fill({"V": "2026-01-01 08:00:00"})
    source = a_source(column("v", "V", "timestamptz")).model_copy(update={"time_zone": "Asia/Shanghai"})
    raw.refill(source)
    assert raw.column("v") == [AT]
