"""The small parts that everything is made of: permutations, draws, texts without a loop, the calendar."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import choose, position_in_group, scramble, stream
from lakehouse.sample.company.world.days import History, holiday, is_workday
from lakehouse.sample.company.world.waves import WAVES, wave_of, wave_start

EVENING = 1_782_853_509  # 2026-06-30 21:05:09, local time


@pytest.mark.parametrize("multiplier", [387_420_489, 179_424_673, 122_949_823, 86_028_121, 15_485_863])
def test_scrambled_ids_never_meet(multiplier: int) -> None:
    """A permutation: all of 0..9999 come once, and in no order of their own."""
    found = scramble(np.arange(10_000), multiplier, 10_000)
    assert sorted(found) == list(range(10_000))
    assert len(set(scramble(np.arange(100_000), multiplier, 10**9))) == 100_000


def test_streams_of_parts_and_chunks_are_apart() -> None:
    """The same part of the same chunk draws the same; any other draws something else."""
    draws = {
        (seed, part, n): stream(seed, part, n).random() for seed in (1, 2) for part in "ab" for n in (0, 1)
    }
    assert len(set(draws.values())) == 8
    assert stream(1, "a").random() == draws[1, "a", 0]


def test_choices_follow_their_weights() -> None:
    """A draw falls into the part of [0, 1) that belongs to its choice."""
    assert choose(np.array([0.0, 0.19, 0.2, 0.69, 0.7, 0.999]), (2, 5, 3)).tolist() == [0, 0, 1, 1, 2, 2]


def test_rows_are_counted_within_their_group() -> None:
    """Counting starts anew with each group, also where there are none."""
    assert position_in_group(np.array([3, 3, 5, 5, 5, 9])).tolist() == [0, 1, 0, 1, 2, 0]
    assert position_in_group(np.array([], np.int64)).tolist() == []


def test_texts_are_written_as_systems_write_them() -> None:
    """Money has two decimals and its sign; moments come in local time, with a zone, or as UTC."""
    moment = np.array([EVENING])
    assert text_columns.money(np.array([0, 5, -1005, 123456])).to_pylist() == [
        "0.00",
        "0.05",
        "-10.05",
        "1234.56",
    ]
    assert text_columns.digits(np.array([7, 12345]), 5).to_pylist() == ["00007", "12345"]
    assert text_columns.local(moment).to_pylist() == ["2026-06-30 21:05:09"]
    assert text_columns.local_iso(moment).to_pylist() == ["2026-06-30T21:05:09+08:00"]
    assert text_columns.utc_iso(moment).to_pylist() == ["2026-06-30T13:05:09Z"]
    assert text_columns.timestamps(moment).cast(pa.string()).to_pylist() == ["2026-06-30 21:05:09"]
    assert text_columns.local(np.array([], np.int64)).to_pylist() == []


def test_random_bytes_look_like_ids() -> None:
    """UUIDs say their version and variant, whatever the bytes."""
    ids = text_columns.uuids(np.array([[0] * 16, [255] * 16], np.uint8)).to_pylist()
    assert ids == ["00000000-0000-4000-a000-000000000000", "ffffffff-ffff-4fff-afff-ffffffffffff"]
    assert text_columns.url_tokens("o", np.array([[0, 63, 64]], np.uint8)).to_pylist() == ["oA_A"]


def test_some_texts_are_replaced_and_some_are_gone() -> None:
    """Rows that are not named stay as they are."""
    words = pa.array(["a", "b", None])
    assert text_columns.replaced_where(
        words, np.array([True, False, False]), lambda t: text_columns.joined(t, "!")
    ).to_pylist() == [*("a!", "b", None)]
    assert text_columns.null_where(words, np.array([False, True, False])).to_pylist() == ["a", None, None]


def test_history_is_two_years_of_weeks_from_monday() -> None:
    """The first day is a Monday; the last is the one named, even in the middle of a week."""
    history = History.ending(dt.date(2026, 6, 30))
    assert (history.start, history.days, history.weeks) == (dt.date(2024, 7, 1), 730, 105)
    other = History.ending(dt.date(2025, 12, 31))
    assert other.start.weekday() == 0
    assert 730 <= other.days <= 736
    assert other.date(other.days - 1) == dt.date(2025, 12, 31)


def test_waves_are_two_weeks_in_four() -> None:
    """Every wave has two weeks of its own, within history."""
    of = [wave_of(week) for week in range(105)]
    assert [of.count(wave) for wave in range(WAVES)] == [2] * WAVES
    assert all(of[wave_start(wave) // 7] == wave for wave in range(WAVES))


@pytest.mark.parametrize(
    ("day", "name", "works"),
    [
        ("2025-01-28", "春节", False),
        ("2025-01-26", None, True),  # a Sunday worked for it
        ("2025-10-08", "国庆节、中秋节", False),
        ("2026-06-27", None, False),  # a Saturday
        ("2026-06-30", None, True),
    ],
)
def test_the_calendar_knows_holidays_and_days_worked_for_them(
    day: str, name: str | None, works: bool
) -> None:
    """As the State Council announced them."""
    assert (holiday(dt.date.fromisoformat(day)), is_workday(dt.date.fromisoformat(day))) == (name, works)
