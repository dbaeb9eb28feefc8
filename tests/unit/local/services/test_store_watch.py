"""An object store that takes no writes is noticed, told of, and started again once its disk has room."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lakehouse.local.services import store_watch
from lakehouse.local.services.store_watch import DiskRoom, StoreWatch, disk_refusal, store_trouble
from lakehouse.policy import GIB, MIB

FULL, ROOMY = DiskRoom(MIB, GIB), DiskRoom(GIB // 2, GIB)


class Company:
    """A store that works or not, on a disk with room or not."""

    def __init__(self, monkeypatch) -> None:
        self.room = ROOMY
        self.refusal = ""
        self.works = True
        self.mends = True
        self.now = 0.0
        self.tries = self.restarts = 0
        self.told: list[str] = []
        monkeypatch.setattr(store_watch, "disk_room", lambda _: self.room)
        monkeypatch.setattr(store_watch, "disk_refusal", lambda _: self.refusal)
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
    """And not at each look: readers, who are well, lose their connections each time."""
    company.works = company.mends = False
    company.watch.doubt()
    company.pass_time(60)
    assert company.restarts == 3
    company.pass_time(3_600)
    assert company.restarts <= 20
    company.mends = True
    company.pass_time(600)
    assert company.told[-1] == "the object store takes writes again"
    company.works = company.mends = False
    company.watch.doubt()
    company.pass_time(15)
    assert company.told[-1] == "starting the object store again …"


def test_a_disk_with_room_that_takes_no_files_is_waited_for(company):
    """It has no inode left, or was made read-only: to start the store helps once that is over, and not before."""
    company.works, company.refusal = False, "EROFS: Read-only file system"
    company.watch.doubt()
    company.pass_time(60)
    assert company.restarts == 0
    assert "its disk takes no files (EROFS: Read-only" in store_trouble(Path("d/store"), company.write)
    company.refusal = ""
    company.pass_time(10)
    assert company.restarts == 1


@pytest.mark.parametrize(
    ("options", "then", "refusal"),
    [
        ("size=16k", None, "ENOSPC: No space left on device"),
        ("nr_inodes=1", None, "ENOSPC: No space left on device"),
        ("size=1m", "remount,ro", "EROFS: Read-only file system"),
        ("size=1m", None, ""),
    ],
)
def test_a_disk_says_itself_why_it_takes_no_file(tmp_path, options, then, refusal):
    """Without bytes, without inodes, read-only; a folder that is not ours says nothing of its disk."""
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "t", str(tmp_path)], check=False, stderr=-1
    ).returncode:
        pytest.skip("only root may mount a file system")
    try:
        if then:
            subprocess.run(["mount", "-o", then, str(tmp_path)], check=True)
        assert disk_refusal(tmp_path) == refusal
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    assert disk_refusal(tmp_path / "absent") == ""


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
