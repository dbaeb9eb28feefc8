"""A disk that is full, with the real object store on a small file system: told, survived, and mended."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from botocore.config import Config

from lakehouse import aws, settings
from lakehouse.landing.probe import try_writes
from lakehouse.local.policy import StoreWatchPolicy
from lakehouse.local.services.store_watch import disk_room, store_trouble
from lakehouse.local.stack import Stack
from lakehouse.policy import MIB
from tests.support.small_stack import LANDING, OPS, a_wiring, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.stack


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 MiB; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * MIB)


def test_a_full_disk_is_told_survived_and_mended(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes fail and say why; schedules run on; with room again the store is started again, and takes all writes."""
    monkeypatch.setattr(StoreWatchPolicy, "try_seconds", 0.0)
    once = Config(retries={"total_max_attempts": 1})  # a store that refuses does so the first time
    monkeypatch.setattr(aws, "_CONFIG", aws._CONFIG.merge(once))
    heard: list[str] = []
    data = small_disk / "data"

    def trouble() -> str:
        return store_trouble(data / "store", lambda: try_writes(LANDING, OPS))

    with Stack(data, wiring=a_wiring()) as stack:
        stack.start()
        stack.run(tell=heard.append)
        watch = stack._watch
        assert watch is not None
        assert trouble() == ""
        fill(small_disk / "filler")
        assert "its disk is full" in until(trouble)
        for _ in range(50):  # a store whose disk is full still takes the odd write
            watch.look()
            if heard:
                break
        assert heard == [
            f"the object store takes no writes; {disk_room(data)} on the disk of {data / 'store'}"
        ]
        assert aws.s3().list_buckets()["Buckets"]  # reading goes on
        (small_disk / "filler").unlink()
        watch.look()
        assert heard[1:] == ["starting the object store again …"]
        until(lambda: not trouble(), seconds=30)
        aws.s3().put_object(Bucket=settings.current().landing_bucket, Key="a/b", Body=b"1" * MIB)
        assert any(thread.name == "schedules" for thread in threading.enumerate())
    for line in (data / "logs" / "functions.log").read_text("utf-8").splitlines():
        json.loads(line)
