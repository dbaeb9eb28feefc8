"""Files larger than memory holds: they are cut, read and written in parts, and are one commit all the same."""

from __future__ import annotations

import gzip
import random

import pytest
from botocore.exceptions import ReadTimeoutError

from lakehouse.ingest.batch import ingest
from lakehouse.ingest.loading import loader, unit
from lakehouse.ingest.policy import LoadingPolicy
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.ingest.quarantine.replay_plan import Replay
from lakehouse.ingest.reading.policy import PiecePolicy
from lakehouse.tables import data_files
from tests.support.raw_files import Company, a_company, message, messages, records, shop_csv

pytestmark = pytest.mark.stack


@pytest.fixture
def company(landing, monkeypatch):
    monkeypatch.setattr(PiecePolicy, "max_bytes", 400)
    monkeypatch.setattr(LoadingPolicy, "unit_bytes", 600)
    real = loader.chunks
    monkeypatch.setattr(
        loader,
        "chunks",
        lambda file: (chunk[n : n + 300] for chunk in real(file) for n in range(0, len(chunk), 300)),
    )
    with a_company(landing) as company:
        yield company


def test_parts_are_one_commit(company):
    """Rows, their places and what is twice or bad are the same as Python counts them."""
    chance = random.Random(3)
    seen, expected, files = set(), {}, []
    for size in (1, 60, 3, 3, 3, 40, 2, 0):
        numbers = [chance.randrange(90) for _ in range(size)]
        bad = [chance.random() < 0.1 for _ in numbers]
        lines = [b"{broken\n" if wrong else message(n) for n, wrong in zip(numbers, bad, strict=True)]
        files.append(company.put("web/events/x.json", b"".join(lines) or b"\n"))
        expected[files[-1].file_id] = (numbers, bad)
    outcome = company.ingest(*files)
    counts = {}
    for file in sorted(files, key=lambda file: file.key):
        numbers, bad = expected[file.file_id]
        good = [number for number, wrong in zip(numbers, bad, strict=True) if not wrong]
        fresh = set(good) - seen
        counts[file.file_id] = (len(numbers), len(fresh), len(good) - len(fresh), sum(bad))
        seen |= fresh
        rows = [row for row in company.rows("raw.events") if row["_file_id"] == file.file_id]
        assert all(row["message_id"] == f"m{numbers[row['_row'] - 1]}" for row in rows)
        told = [entry["row"] for entry in company.quarantined(file)]
        assert told == [place for place, wrong in enumerate(bad, start=1) if wrong]
    assert records(outcome) == counts
    assert len(company.rows("raw.events")) == len(seen)


@pytest.mark.parametrize("cut", [8, 4_000])
def test_a_file_that_breaks_off_behind_rows_that_are_written_leaves_none(company, cut):
    """Nor does it make other files' messages look old, which it had too."""
    body = gzip.compress(b"".join(message(n, note=random.Random(n).randbytes(90).hex()) for n in range(200)))
    before = company.put("web/events/x.json", messages(*range(5)))
    broken = company.put("web/events/x.gz", body[:-cut])
    after = company.put("web/events/x.json", messages(*range(3, 9)))
    outcome = company.ingest(before, broken, after)
    assert records(outcome)[broken.file_id] == (1, 0, 0, 1)
    assert [entry["code"] for entry in company.quarantined(broken)] == ["truncated_gzip"]
    assert sorted(row["message_id"] for row in company.rows("raw.events")) == [f"m{n}" for n in range(9)]
    live = {path.name for path in company.data_files()}
    assert len(live) == len({name for name in live if name in _referred(company)})


def test_what_is_in_the_table_is_found_in_every_unit(company):
    """What arrived before is no news in the first unit of a file, nor in one that hashes alone would let pass."""
    company.ingest(company.put("web/events/x.json", messages(0, 90, 179)))
    file = company.put("web/events/x.json", messages(*range(180)))
    assert records(company.ingest(file)) == {file.file_id: (180, 177, 3, 0)}
    assert sorted(row["message_id"] for row in company.rows("raw.events")) == sorted(
        f"m{n}" for n in range(180)
    )


def test_a_unit_is_as_large_as_memory_allows(company):
    """Four times the memory makes units four times as large, and so fewer data files."""
    files = []
    for memory in (1_024, 4_096):
        before = company.data_files()
        company.settings = company.settings.model_copy(update={"function_memory_mb": memory})
        company.ingest(company.put("web/events/x.json", messages(*range(memory, memory + 180))))
        files.append(len(company.data_files() - before))
    assert files[0] > 2 * files[1] > 2


def test_units_of_one_day_stay_small(company):
    """They are one file each whatever their size, and are written while the next is read."""
    files = []
    for memory in (1_024, 4_096):
        before = company.data_files()
        company.settings = company.settings.model_copy(update={"function_memory_mb": memory})
        rows = [f"{memory}{number:04},Lee,2026-01-05T10:00:00Z\n" for number in range(180)]
        company.ingest(
            company.put("salesforce/contacts/x.csv", "".join(["Id,LastName,CreatedDate\n", *rows]).encode())
        )
        files.append(len(company.data_files() - before))
    assert files[0] == files[1] > 3


def test_of_an_attempt_that_fails_while_a_unit_is_written_nothing_is_left(company, monkeypatch):
    """Neither of the unit before, nor of the one on its way."""
    real, calls = data_files.write_partition, []

    def failing(*arguments, **named):
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError("the disk is full")
        return real(*arguments, **named)

    file = company.put("web/events/x.json", messages(*range(180)))
    with monkeypatch.context() as broken:
        broken.setattr(data_files, "write_partition", failing)
        assert ingest(company.settings, [file]).failed == {file.file_id}
    assert len(calls) == 3
    assert company.data_files() == set()
    assert records(company.ingest(file)) == {file.file_id: (180, 180, 0, 0)}


def test_a_unit_of_which_reading_fails_takes_the_one_being_written_along(company, monkeypatch):
    """It is in no data file that somebody would have to find and remove."""
    real, calls = unit.read_piece, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 8:
            raise OSError("the disk is full")
        real(*arguments)

    file = company.put("web/events/x.json", messages(*range(180)))
    with monkeypatch.context() as broken:
        broken.setattr(unit, "read_piece", failing)
        assert ingest(company.settings, [file]).failed == {file.file_id}
    assert company.data_files() == set()


def test_a_file_whose_bytes_stop_coming_is_tried_again_alone(company, monkeypatch):
    """The others of its batch are in meanwhile."""
    good = company.put("shop/orders/x.csv", shop_csv(*range(30)))
    slow = company.put("shop/orders/y.csv", shop_csv(*range(100, 160)))
    real = loader.chunks

    def stopping(file):
        for number, chunk in enumerate(real(file)):
            yield chunk[:2_000]
            if file.file_id == slow.file_id and number == 0:
                raise ReadTimeoutError(endpoint_url="")

    with monkeypatch.context() as broken:
        broken.setattr(loader, "chunks", stopping)
        outcome = ingest(company.settings, [good, slow])
    assert outcome.failed == {slow.file_id}
    assert records(outcome) == {good.file_id: (30, 30, 0, 0)}
    assert records(company.ingest(good, slow)) == {slow.file_id: (60, 60, 0, 0)}


def test_a_replay_loads_the_rows_it_names_and_no_others(landing):
    """Each is counted: loaded, twice, still bad, or not to be found any more."""
    company = Company(landing)  # whose books do not balance: the first generation is missing
    body = b"".join([message(1), b"{broken\n", *(message(n) for n in range(2, 40)), message(2), b"\n"])
    file = company.put("web/events/x.json", body)
    replay = Replay(1, frozenset({2, 3, 30, 41, 42, 900}))
    outcome = ingest(company.settings, [file], replays={file.file_id: replay})
    assert records(outcome) == {file.file_id: (6, 2, 1, 3)}
    (record,) = outcome.records
    assert (record.replay, record.id) == (1, f"{file.file_id}/1")
    assert sorted(row["_row"] for row in company.rows("raw.events")) == [3, 30]
    left = bad_rows.read(company.settings.ops_bucket, record)
    assert [bad["code"] == "row_gone" for bad in left] == [False, True, True]
    assert ingest(company.settings, [file], replays={file.file_id: replay}).known == 1


def test_files_of_several_sources_are_replayed_at_once(landing):
    """Each batch looks for the rows of its own files alone."""
    company = Company(landing)
    event = company.put("web/events/x.json", messages(1, 2))
    order = company.put("shop/orders/x.csv", shop_csv(1, 2, 3))
    replays = {event.file_id: Replay(1, frozenset({2})), order.file_id: Replay(1, frozenset({1, 3}))}
    outcome = ingest(company.settings, [event, order], replays=replays)
    assert outcome.failed == set()
    assert records(outcome) == {event.file_id: (1, 1, 0, 0), order.file_id: (2, 2, 0, 0)}


def _referred(company):
    from lakehouse.tables.catalog import open_catalog
    from lakehouse.tables.commit import live_files

    table = open_catalog(company.settings).load_table("raw.events")
    return {file.file_path.rsplit("/", 1)[-1] for file in live_files(table)}
