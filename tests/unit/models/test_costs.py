"""What the last runs took says what the next one takes, and whether some rows are computed or all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.models.costs import Costs
from lakehouse.models.policy import IncrementalPolicy

KNOWN = Costs(all_seconds=2.0, all_rows=100_000, some_seconds=0.5, some_share=0.1)


def test_notes_are_read_as_they_were_written() -> None:
    """In the order of the names: the same note is the same text."""
    noted = KNOWN.after_some(0.41234, 0.2).as_text()
    assert noted == (
        '{"all_rows": 100000, "all_seconds": 2.0, "idle": 0.1, "looking_seconds": 0.0, '
        '"some_seconds": 0.412, "some_share": 0.2}'
    )


@pytest.mark.parametrize(
    ("costs", "rows", "seconds"),
    [(KNOWN, 100_000, 2.0), (KNOWN, 150_000, 3.0), (Costs(), 2 * IncrementalPolicy.rows_a_second, 2.0)],
)
def test_all_rows_take_what_they_took_and_more_as_they_grow(costs, rows, seconds) -> None:
    """Nothing is known before the first time: then so many rows a second."""
    assert costs.of_all(rows) == pytest.approx(seconds)


def test_more_rows_take_more_and_fewer_less() -> None:
    """From the last time on, by the share of the rows."""
    less, same, more = (KNOWN.of_some(100_000, share, 3) for share in (0.05, 0.1, 0.3))
    assert less < same == 0.5 < more


def test_without_a_last_time_each_input_costs() -> None:
    """A model of ten inputs plans ten scans before it reads a row."""
    assert Costs().of_some(1000, 0.01, 10) > Costs().of_some(1000, 0.01, 1) > IncrementalPolicy.fixed_seconds


@pytest.mark.parametrize(
    ("costs", "compared", "moved", "worth"),
    [
        pytest.param(KNOWN, 0, 1, True, id="what differs is known"),
        pytest.param(KNOWN, 10_000_000, 1, False, id="more has to be compared than all rows cost"),
        pytest.param(KNOWN.after_some(2.5, 0.0), 500_000, 1, False, id="some took longer than all"),
        pytest.param(KNOWN.after_some(2.5, 0.0).after_none().after_none(), 500_000, 1, True, id="mostly none follows"),
        pytest.param(replace(KNOWN, idle=0.99), 1_000_000, 1, False, id="to look is more than a fifth of all"),
        pytest.param(Costs(0.01, 100_000).after_none(), 0, 9, False, id="all is done before nine inputs are looked at"),
    ],
)  # fmt: skip
def test_nobody_looks_where_all_rows_are_cheaper(costs, compared, moved, worth) -> None:
    """To look, and to compute all after it, is slower than all."""
    assert costs.is_worth_looking(100_000, compared, moved, 9) is worth


def test_what_some_rows_took_once_is_tried_again_one_day() -> None:
    """The machine was busy, perhaps: after some runs of all rows, some are expected to take less."""
    costs = KNOWN.after_some(3.0, 0.0)
    tried = []
    for _ in range(20):
        looks = costs.is_worth_looking(100_000, 0, 1, 1)
        tried.append(looks and costs.of_some(100_000, 0, 1) <= costs.of_all(100_000))
        costs = costs.after_all(2.0, 100_000)
    assert not tried[0]
    assert tried[-1]
