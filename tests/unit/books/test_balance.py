"""Whether the books balance is decided by counts alone: the records of files, and the rows of tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.books import balance
from lakehouse.books.balance import Ingested
from lakehouse.tables import commit


def record(
    replay: int, received: int, loaded: int, quarantined: int, duplicates: int = 0
) -> commit.FileRecord:
    counts = (received, loaded, duplicates, quarantined)
    return commit.FileRecord("f", "b", "k", "v", 1, *counts, "2026-01-01T00:00:00Z", replay)


@pytest.mark.parametrize(
    ("generations", "right"),
    [
        ([(0, 5, 3, 2)], True),
        ([(0, 5, 3, 1)], False),  # a row went missing
        ([(0, 5, 3, 2), (1, 2, 1, 1), (2, 1, 1, 0)], True),
        ([(0, 5, 3, 2), (1, 2, 1, 0, 1)], True),
        ([(0, 5, 3, 2), (1, 1, 1, 0)], False),  # a replay tried less than there was
        ([(0, 5, 3, 2), (1, 3, 3, 0)], False),  # or more
        ([(0, 1, 0, 1), (1, 9, 8, 1)], True),  # the file was bad as a whole
        ([(0, 5, 3, 2), (2, 2, 2, 0)], False),  # a generation is missing
        ([(1, 2, 2, 0)], False),
        ([(0, 5, 3, 2), (1, 2, 2, 0), (1, 2, 2, 0)], False),  # one is there twice
    ],
)
def test_generations_of_a_file_add_up(generations, right):
    """Each by itself, and each with the one before."""
    assert balance.adds_up([record(*one) for one in generations]) is right


def of_file(name: str, *generations: tuple) -> list[tuple[str, commit.FileRecord]]:
    """Return what is known of a file whose rows went to one table."""
    return [("raw.t", replace(record(*counts), file_id=name)) for counts in generations]


def test_rows_of_a_replayed_file_are_counted_once():
    """What a generation left in quarantine is what the next one received; the newest one's remainder is there yet."""
    known = of_file("f", (0, 5, 3, 2), (1, 2, 1, 1))
    assert balance.count({"f"}, known, {"raw.t": 4}) == Ingested(1, 5, 4, 0, 1, 0, ())
    assert balance.count({"f"}, known[::-1], {"raw.t": 4}) == Ingested(1, 5, 4, 0, 1, 0, ())


@pytest.mark.parametrize(
    ("landed", "known", "raw_rows", "counts"),
    [
        (set(), [], {}, Ingested(0, 0, 0, 0, 0, 0, ())),
        ({"f"}, [], {}, Ingested(1, 0, 0, 0, 0, 1, ())),  # it waits
        (set(), of_file("f", (0, 5, 5, 0)), {"raw.t": 5}, Ingested(1, 5, 5, 0, 0, 0, ())),  # it has expired
        ({"f"}, of_file("f", (0, 5, 5, 0)), {"raw.t": 4}, Ingested(1, 5, 5, 0, 0, 0, ("raw.t",))),
        ({"f"}, of_file("f", (0, 5, 5, 0)), {"raw.t": 6}, Ingested(1, 5, 5, 0, 0, 0, ("raw.t",))),
        ({"f"}, of_file("f", (0, 5, 3, 1)), {"raw.t": 3}, Ingested(1, 5, 3, 0, 1, 0, ("f",))),
        ({"f"}, of_file("f", (0, 5, 4, 0, 1)), {"raw.t": 4}, Ingested(1, 5, 4, 1, 0, 0, ())),
        (set(), [], {"raw.t": 1, "raw.s": 0}, Ingested(0, 0, 0, 0, 0, 0, ("raw.t",))),  # rows of no file
        ({"f"}, [("", record(0, 1, 0, 1))], {}, Ingested(1, 1, 0, 0, 1, 0, ())),  # of a source nobody knows
    ],
)
def test_what_is_counted_and_what_does_not_add_up(landed, known, raw_rows, counts):
    """Tables and files whose numbers contradict each other are named."""
    assert balance.count(landed, known, raw_rows) == counts


def test_the_counts_have_the_names_of_status():
    """`balanced` stands for the names of what does not add up."""
    assert Ingested(1, 5, 4, 0, 1, 0, ()).as_json() == {
        "files": 1, "received": 5, "loaded": 4, "duplicates": 0, "quarantined": 1, "in_flight": 0, "balanced": True,
    }  # fmt: skip
    assert Ingested(1, 5, 4, 0, 1, 0, ("f",)).as_json()["balanced"] is False
