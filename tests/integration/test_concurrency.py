"""Many ingest processes and maintenance on one table, killed at random: every row is there, and once.

Small here; `python -m tests.support.writers` runs it in full size.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lakehouse import aws, settings
from lakehouse.local.environment import forget_cached
from lakehouse.local.stack import Stack
from lakehouse.tables import catalog as catalogs
from tests.support import cloud as clouds
from tests.support.writers import Size, lake_environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.local.attachment import StackInfo

pytestmark = pytest.mark.stack

SMALL = Size(processes=3, events=1_500, files=20, batch=6, kills=4)


@pytest.fixture(scope="module")
def own_store(tmp_path_factory) -> Iterator[StackInfo]:
    """A store of its own: the books are of all raw tables in its catalog."""
    before = dict(os.environ)
    with Stack(tmp_path_factory.mktemp("writers")) as stack:
        info = stack.start("store")
        os.environ.clear()
        os.environ.update(before)
        forget_cached()
        yield info


@pytest.fixture(params=["rest", "sql"])
def environment(request, own_store, tmp_path, monkeypatch) -> Iterator[dict[str, str]]:
    """An empty lake in the environment of this process, and of those that it starts."""
    for name in [name for name in os.environ if name.startswith(("LAKEHOUSE_", "AWS_"))]:
        monkeypatch.delenv(name)
    buckets = {f"LAKEHOUSE_{kind.upper()}_BUCKET": f"{request.param}-{kind}" for kind in ("landing", "ops")}
    cloud = clouds._server(clouds.moto_server)
    environment = lake_environment({**own_store.env, **buckets}, request.param, tmp_path, cloud)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _anew()
    for bucket in buckets.values():
        aws.s3().create_bucket(Bucket=bucket)
    yield environment
    catalogs.open_catalog(settings.current()).close()
    _anew()


def _anew() -> None:
    settings.current.cache_clear()
    catalogs.open_catalog.cache_clear()
    aws.forget_clients()


def test_killed_writers_and_maintenance_lose_nothing_and_double_nothing(environment):
    """Each file comes one to five times in any order, a fifth of the messages in two files.

    count(*) = distinct (_file_id, _row) = distinct messages = what was sent, and the books balance.
    """
    ended = run(environment, SMALL)
    assert ended.holds, ended
    assert (ended.killed, ended.books["in_flight"], ended.books["files"]) == (SMALL.kills, 0, SMALL.files)
    assert ended.maintained > 0
    assert ended.books["duplicates"] == ended.books["received"] - SMALL.events > 0
