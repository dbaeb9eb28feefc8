"""An object store that takes no writes is noticed, told of, and started again once its disk has room."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.local.services import store_watch
from lakehouse.local.services.store_watch import DiskRoom, StoreWatch, store_trouble
from lakehouse.policy import GIB, MIB

FULL, ROOMY = DiskRoom(MIB, GIB), DiskRoom(GIB // 2, GIB)


class Company:
    """A store that works or not, on a disk with room or not."""

    def __init__(self, monkeypatch) -> None:
        self.room = ROOMY
        self.works = True
        self.mends = True
        self.now = 0.0
        self.tries = self.restarts = 0
        self.told: list[str] = []
        monkeypatch.setattr(store_watch, "disk_room", lambda _: self.room)
        self.watch = StoreWatch(Path("store"), self.write, self.restart, self.told.append, lambda: self.now)

    def write(self) -> None:
        self.tries += 1
        if not self.works:
            raise OSError(28, "No space left on device")

    def restart(self) -> None:
        self.restarts += 1
        self.works = self.mends

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.now += 0.5
            self.watch.look()


@pytest.fixture
def company(monkeypatch):
    return Company(monkeypatch)


def test_a_store_that_nobody_doubts_is_left_alone(company):
    """No write is tried; after a call that failed one is, and that is all."""
    company.pass_time(60)
    assert company.tries == 0
    company.watch.doubt()
    company.pass_time(60)
    assert (company.tries, company.restarts, company.told) == (1, 0, [])


def test_after_a_full_disk_has_room_again_the_store_is_started_again(company):
    """Not before, as that would help nothing; a person hears of it once, and when it is over."""
    company.room, company.works = FULL, False
    company.pass_time(60)
    company.works = True  # some of its volumes take writes, others do not
    company.pass_time(60)
    assert company.restarts == 0
    assert company.told == ["the object store takes no writes; 1 of 1,024 MiB are free on the disk of store"]
    company.room = ROOMY
    company.pass_time(60)
    assert company.restarts == 1
    assert company.told[1:] == ["starting the object store again …", "the object store takes writes again"]
    tries = company.tries
    company.pass_time(60)
    assert company.tries == tries


def test_a_call_that_failed_while_the_disk_was_full_counts(company):
    """The tables' bucket may refuse what the others take."""
    company.room = FULL
    company.watch.doubt()
    company.pass_time(30)
    company.room = ROOMY
    company.pass_time(30)
    assert (company.restarts, company.told) == (
        1,
        ["starting the object store again …", "the object store takes writes again"],
    )


def test_a_disk_that_is_full_and_harms_nobody_costs_no_start(company):
    """Nothing failed: the store is left alone."""
    company.room = FULL
    company.pass_time(30)
    company.room = ROOMY
    company.pass_time(30)
    assert (company.restarts, company.told) == (0, [])


def test_a_store_that_a_start_does_not_mend_is_started_now_and_then(company):
    """And not at each look."""
    company.works = company.mends = False
    company.watch.doubt()
    company.pass_time(60)
    assert 2 <= company.restarts <= 12


def test_why_a_store_takes_no_writes_is_said_with_what_to_do(company):
    """That its disk is full, with the figures; or that it is not."""
    assert store_trouble(Path("d/store"), company.write) == ""
    company.works = False
    assert "log" in store_trouble(Path("d/store"), company.write)
    company.room = FULL
    trouble = store_trouble(Path("d/store"), company.write)
    assert "its disk is full (1 of 1,024 MiB are free on the disk of d/store): make room" in trouble


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [(63 * MIB, GIB, True), (65 * MIB, GIB, False), (4 * GIB, 500 * GIB, True), (6 * GIB, 500 * GIB, False)],
)
def test_a_disk_is_low_where_the_store_gives_up(free, total, low):
    """SeaweedFS takes no writes below a hundredth of the disk."""
    assert DiskRoom(free, total).low is low
