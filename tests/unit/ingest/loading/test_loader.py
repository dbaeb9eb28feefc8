"""The loop of a load: files are read to their ends, bad ones leave nothing, and a replay loads its rows only."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError

from lakehouse.errors import BadFile
from lakehouse.ingest.loading import loader as module
from lakehouse.ingest.loading.file_results import RowCounts
from lakehouse.ingest.loading.load_times import LoadTimes
from lakehouse.ingest.loading.loader import FileEnd, FilePiece, Loader, file_pieces
from lakehouse.ingest.policy import LoadingPolicy
from lakehouse.ingest.quarantine.replay_plan import Replay
from lakehouse.ingest.reading.policy import PiecePolicy
from lakehouse.tables.catalog import ensure, open_catalog
from tests.support.lakes import duck_of
from tests.support.units import LOADED_AT, a_raw_file, a_source

SOURCE = a_source(partition=["day(_loaded_at)"])
F, G, H = (a_raw_file(f"{name}.json") for name in "fgh")


def lines(*names):
    return [f'{{"id": "{name}"}}\n'.encode() for name in names]


@pytest.fixture
def bucket(monkeypatch):
    """Bytes by raw file; an exception among them is raised where it stands."""
    bucket = {}

    def chunks(file):
        for chunk in bucket[file]:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    monkeypatch.setattr(module, "chunks", chunks)
    monkeypatch.setattr(PiecePolicy, "max_bytes", 40)
    monkeypatch.setattr(LoadingPolicy, "unit_bytes", 100)
    return bucket


@pytest.fixture(params=[1, 3], ids=["one thread", "threads"])
def load(request, lake, bucket, tmp_path):
    """Return a function that loads files; it gives the loader."""
    settings = lake.model_copy(update={"threads": request.param})
    table = ensure(open_catalog(lake), SOURCE.contract)
    with duck_of(settings) as con:

        def load(files, replays=()):
            (tmp_path / "pieces").mkdir()
            times = LoadTimes(LOADED_AT, {file.file_id: LOADED_AT for file in files})
            loader = Loader(settings, SOURCE, table, con, tmp_path / "pieces", times)
            loader.run(files, "attempt", dict(replays))
            return loader

        yield load


def ids_by_file(loader):
    """Return the ids in the data files by raw file, in the order of their rows."""
    import duckdb

    found = {}
    paths = [file.file_path for file in loader.files]
    if paths:
        query = "SELECT _file_id, list(id ORDER BY _row) FROM read_parquet(?) GROUP BY 1"
        found = dict(duckdb.execute(query, [paths]).fetchall())
    return {name: found.get(file.file_id) for name, file in (("f", F), ("g", G), ("h", H))}


def on_disk(lake):
    return {str(path) for path in Path(lake.warehouse.removeprefix("file://")).rglob("*.parquet")}


NAMES = [f"n{number:02}" for number in range(30)]


def test_files_of_many_units_are_loaded(load, bucket, lake):
    """All rows of all files, each data file on disk named."""
    bucket |= {F: lines(*NAMES), G: lines("a"), H: lines(*NAMES[:20])}
    loader = load([F, G, H])
    assert ids_by_file(loader) == {"f": NAMES, "g": ["a"], "h": NAMES[:20]}
    assert len(loader.files) == len(on_disk(lake)) > 3
    assert loader.results.counts(F.file_id) == RowCounts(received=30)


def test_a_file_that_is_bad_at_its_end_leaves_nothing(load, bucket, lake):
    """Though units of it were written; the files before and after it stay."""
    bucket |= {F: lines("a"), G: [*lines(*NAMES), BadFile("truncated", "why")], H: lines("b")}
    loader = load([F, G, H])
    assert ids_by_file(loader) == {"f": ["a"], "g": None, "h": ["b"]}
    assert loader.results.bad_files[G.file_id].code == "truncated"
    assert loader.results.counts(G.file_id) == RowCounts(received=1, quarantined=1)
    assert on_disk(lake) == {file.file_path.removeprefix("file://") for file in loader.files}


def test_a_file_that_cannot_be_fetched_fails_alone(load, bucket):
    """It is tried again; it is not bad."""
    bucket |= {F: [*lines(*NAMES), ReadTimeoutError(endpoint_url="")], G: lines("a")}
    loader = load([F, G])
    assert (loader.results.failed, loader.results.bad_files) == ({F.file_id}, {})
    assert ids_by_file(loader) == {"f": None, "g": ["a"], "h": None}


def test_a_replay_loads_its_rows(load, bucket):
    """What it asks for and the file does not have is bad."""
    bucket |= {F: lines(*NAMES), G: lines("a")}
    loader = load([F, G], {F.file_id: Replay(1, frozenset({2, 29, 77}))})
    assert ids_by_file(loader) == {"f": [NAMES[1], NAMES[28]], "g": ["a"], "h": None}
    assert loader.results.counts(F.file_id) == RowCounts(received=3, quarantined=1)
    assert [(bad.row, bad.code) for bad in loader.results.bad_rows(F.file_id)] == [(77, "row_gone")]


def test_a_file_can_be_set_aside_once_it_is_written(load, bucket, lake):
    """A full export that would delete too much."""
    bucket |= {F: lines(*NAMES)}
    loader = load([F])
    loader.set_aside(F.file_id, BadFile("would_delete", "why"))
    assert (loader.files, on_disk(lake)) == ([], set())
    assert loader.results.counts(F.file_id) == RowCounts(received=1, quarantined=1)


def test_pieces_come_file_by_file_with_an_end_each(bucket, tmp_path):
    """The end says what went wrong, if anything did."""
    problem = BadFile("truncated", "why")
    bucket |= {F: lines("a"), G: [problem]}
    items = list(file_pieces([F, G], SOURCE, tmp_path))
    assert [type(item) for item in items] == [FilePiece, FileEnd, FileEnd]
    assert items[1:] == [FileEnd(F.file_id, None), FileEnd(G.file_id, problem)]
