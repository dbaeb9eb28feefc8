"""Full units become data files, which belong to one raw file or to several; what is given up is deleted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lakehouse.ingest.loading.threads import start_workers
from lakehouse.ingest.loading.unit_writer import SHARED, UnitWriter, full_unit_sql
from lakehouse.tables.catalog import ensure, open_catalog
from tests.support.lakes import duck_of
from tests.support.units import LOADED_AT, a_source, fill_unit, set_offsets

SOURCE = a_source(partition=["day(_loaded_at)"])
TIMES = {"f": LOADED_AT, "g": LOADED_AT + timedelta(microseconds=1)}


@pytest.fixture
def con(lake):
    with duck_of(lake) as con:
        yield con


@pytest.fixture
def writer(lake, con):
    table = ensure(open_catalog(lake), SOURCE.contract)
    return UnitWriter(con, table, SOURCE, TIMES)


def full_unit(con):
    """Make the tables that the unit hands over: two good rows of two files, and a bad one."""
    fill_unit(con, SOURCE, (1, 1, "a", None), (1, 2, "b", "bad"), (2, 1, "c", None))
    set_offsets(con, (1, "f", 10), (2, "g", 0))
    con.execute("ALTER TABLE unit RENAME TO full_unit; ALTER TABLE row_offsets RENAME TO full_row_offsets")


def on_disk(lake):
    return sorted(Path(lake.warehouse.removeprefix("file://")).rglob("*.parquet"))


@pytest.mark.parametrize("threads", [1, 2])
def test_good_rows_are_written(lake, con, writer, threads):
    """Under the folder of the attempt, with file, row number in it, and time of loading."""
    full_unit(con)
    with start_workers(threads) as workers:
        writer.start("attempt/2", SHARED, workers.writer)
        writer.wait()
    [file] = writer.files
    assert (file.record_count, "/data/attempt/2/" in file.file_path) == (2, True)
    rows = con.execute(
        "SELECT _file_id, _row, _loaded_at, id FROM read_parquet(?) ORDER BY id", [file.file_path]
    )
    assert rows.fetchall() == [("f", 11, TIMES["f"], "a"), ("g", 1, TIMES["g"], "c")]
    assert con.execute("SHOW TABLES").fetchall() == []


def test_data_files_are_deleted_by_owner(lake, con, writer):
    """A raw file that turned out bad takes its own along; those of others stay."""
    for number, owner in enumerate(("f", SHARED, "f")):
        full_unit(con)
        writer.start(f"attempt/{number}", owner, None)
        writer.wait()
    assert len(on_disk(lake)) == len(writer.files) == 3
    writer.discard("f")
    writer.discard("unknown")
    assert [str(path) in writer.files[0].file_path for path in on_disk(lake)] == [True]
    writer.discard_all()
    assert (on_disk(lake), writer.files) == ([], [])


def test_a_unit_that_cannot_be_written_is_no_data_file(con, writer):
    """The error comes to whoever waits, once."""
    writer.start("attempt/1", SHARED, None)  # there are no tables
    with pytest.raises(Exception, match="full_unit"):
        writer.wait()
    writer.wait()
    assert writer.files == []


def test_the_query_of_the_rows():
    """Columns come from the contract, quoted; bad rows are left out."""
    for times in (TIMES, {"f": LOADED_AT}, {"f": LOADED_AT, "g": LOADED_AT}):
        query = full_unit_sql(SOURCE, times)
        assert '"extra", "id", "day" FROM full_unit' in query
        assert query.endswith("WHERE _code IS NULL")
        assert ("unnest" in query) is (times is TIMES)
