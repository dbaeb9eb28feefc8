"""Services are started again when another process took their port."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Transient
from lakehouse.local.data_folder import DataFolder
from lakehouse.local.services.keys import load_keys
from lakehouse.local.services.processes import EndedWhileStarting
from lakehouse.local.services.start import Services

if TYPE_CHECKING:
    from pathlib import Path


class _Child:
    def __init__(self, number: int) -> None:
        self.name, self.pid, self.create_time = f"cloud {number}", number, 1.0
        self.stopped = False
        self.log = f"cloud{number}.log"

    def alive(self) -> bool:
        return not self.stopped

    def stop(self, _grace: float) -> None:
        self.stopped = True


class _Cloud:
    """A service whose first children fail with these errors; each start makes a new child."""

    url = "http://cloud"

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.children: list[_Child] = []

    def start(self) -> _Child:
        self.children.append(_Child(len(self.children) + 1))
        return self.children[-1]

    def wait(self, child: _Child) -> None:
        assert child is self.children[-1]
        if self.failures:
            raise self.failures.pop(0)


def started(folder: Path, cloud: _Cloud) -> Services:
    data = DataFolder(folder)
    data.make()
    services = Services(data, load_keys(data.keys))
    placed: Any = cloud
    services._cloud = placed
    services.start_cloud()
    return services


def test_a_service_that_ended_while_starting_is_started_again(tmp_path: Path) -> None:
    """Twice at most; the child that runs is the one on record."""
    cloud = _Cloud(EndedWhileStarting("a"), EndedWhileStarting("b"))
    services = started(tmp_path, cloud)
    services.wait("cloud")
    assert [child.stopped for child in cloud.children] == [True, True, False]
    assert services.endpoints == {"aws": "http://cloud"}
    assert [entry["pid"] for entry in json.loads((tmp_path / "children.json").read_text())] == [3]


def test_after_three_starts_the_error_is_raised(tmp_path: Path) -> None:
    """And nothing is started that would be left running."""
    cloud = _Cloud(*(EndedWhileStarting(text) for text in "abc"))
    with pytest.raises(EndedWhileStarting, match="c"):
        started(tmp_path, cloud).wait("cloud")
    assert len(cloud.children) == 3


def test_a_service_that_runs_and_does_not_answer_is_not_started_again(tmp_path: Path) -> None:
    """Another port would not help."""
    cloud = _Cloud(Transient("was not ready after 60 s"))
    with pytest.raises(Transient, match="not ready"):
        started(tmp_path, cloud).wait("cloud")
    assert len(cloud.children) == 1


def test_stopping_ends_every_child_and_their_record(tmp_path: Path) -> None:
    """Stopping twice is fine; one that ended by itself is found before."""
    cloud = _Cloud()
    services = started(tmp_path, cloud)
    assert services.ended() is None
    cloud.children[0].stopped = True
    assert services.ended() is not None
    services.stop(fast=True)
    services.stop(fast=True)
    assert not (tmp_path / "children.json").exists()
