"""What many tests stand on: an object store with its REST catalog, and lakes that are empty at the start."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lakehouse import aws, settings
from lakehouse.local.environment import forget_cached
from lakehouse.local.stack import Stack
from lakehouse.tables import catalog as catalogs
from tests.support import cloud as clouds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.catalog import Catalog

    from lakehouse.local.attachment import StackInfo
    from lakehouse.settings import Settings


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A SeaweedFS (S3 and Iceberg REST catalog) with the template's buckets; the environment stays as it was."""
    before = dict(os.environ)
    with Stack(tmp_path_factory.mktemp("store")) as stack:
        info = stack.start("store")
        os.environ.clear()
        os.environ.update(before)
        forget_cached()
        yield info


@pytest.fixture
def lake(tmp_path, monkeypatch) -> Iterator[Settings]:
    """The settings of an empty lake on an SQLite catalog and a folder; the environment says the same."""
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "scratch").mkdir()
    yield from _settings(
        monkeypatch,
        {
            "LAKEHOUSE_CATALOG": "sql",
            "LAKEHOUSE_CATALOG_URI": f"sqlite:///{tmp_path}/catalog.sqlite",
            "LAKEHOUSE_WAREHOUSE": f"file://{tmp_path}/warehouse",
            "LAKEHOUSE_SCRATCH": str(tmp_path / "scratch"),
        },
    )


@pytest.fixture
def landing(store, lake, monkeypatch) -> Iterator[Settings]:
    """The empty SQLite lake with a real landing and ops bucket, which tests share: give each file its own key."""
    environment = {name: value for name, value in store.env.items() if "CATALOG" not in name}
    environment |= {
        "AWS_ENDPOINT_URL": clouds._server(clouds.moto_server),
        "LAKEHOUSE_SCRATCH": str(lake.scratch),
        "LAKEHOUSE_WAREHOUSE": lake.warehouse,
    }
    monkeypatch.setattr(aws, "_client", _clients(tuple(sorted(environment.items()))))
    yield from _settings(monkeypatch, environment)


def _settings(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Iterator[Settings]:
    """Put an environment in place; what opens a catalog meanwhile is closed at the end."""
    opened: list[Catalog] = []
    load = catalogs.load_catalog

    def load_and_note(*arguments: Any, **named: Any) -> Catalog:
        opened.append(load(*arguments, **named))
        return opened[-1]

    monkeypatch.setattr(catalogs, "load_catalog", load_and_note)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "LAKEHOUSE_AS_OF", "LAKEHOUSE_DEFINITIONS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.current.cache_clear()
    catalogs.open_catalog.cache_clear()
    yield settings.current()
    for catalog in opened:
        catalog.close()
    settings.current.cache_clear()
    catalogs.open_catalog.cache_clear()


@cache
def _clients(environment: tuple[tuple[str, str], ...]) -> Any:
    """Return a maker of clients for this environment; making one takes longer than most tests."""
    env = dict(environment)
    session = boto3.session.Session(
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["AWS_REGION"]
    )

    @cache
    def client(service: str) -> Any:
        url = env["AWS_ENDPOINT_URL_S3" if service == "s3" else "AWS_ENDPOINT_URL"]
        return session.client(service, config=aws._CONFIG, endpoint_url=url)

    return client


# Modules that take longer than half a minute, the longest first. With two workers, what begins last decides when all
# ends; `tests.support.run_all` prints what took longest.
LONGEST = (
    "tests/e2e/test_readme.py",
    "tests/simulation/test_seeds.py",
    "tests/integration/functions/test_runtime.py",
    "tests/cloud/",
    "tests/e2e/test_collect.py",
    "tests/e2e/test_laptop.py",
    "tests/integration/test_loop.py",
    "tests/integration/test_shipped_mappings.py",
    "tests/e2e/test_shop.py",
    "tests/simulation/",
    "tests/unit/ingest/reading/test_pieces.py",
    "tests/unit/models/test_incremental.py",
    "tests/unit/sources/test_suggest_quality.py",
    "tests/integration/functions/test_error_texts.py",
    "tests/contract/test_permissions.py",
    "tests/integration/test_sample_company.py",
    "tests/integration/test_reported_files.py",
    "tests/integration/test_damaged_ids.py",
    "tests/integration/",
    "tests/properties/",
)


# Modules that take a minute of a processor or about, whose promises smaller tests guard piece by piece: `make test`
# leaves them out and names them as skipped, `make test ALL=1` runs them. A module that is named is run.
ONLY_WITH_ALL = (
    "tests/e2e/test_collect.py",
    "tests/e2e/test_laptop.py",
    "tests/e2e/test_readme.py",
    "tests/e2e/test_shop.py",
    "tests/functions/test_collect_schemathesis.py",
    "tests/integration/books/test_rebuild.py",
    "tests/integration/functions/test_runtime.py",
    "tests/integration/test_consent_sequences.py",
    "tests/integration/test_sample_company.py",
    "tests/integration/test_shipped_mappings.py",
    "tests/properties/test_incremental.py",
    "tests/properties/test_incremental_models.py",
    "tests/properties/test_incremental_orders.py",
    "tests/simulation/test_crashes.py",
    "tests/simulation/test_guards.py",
    "tests/simulation/test_seeds.py",
    "tests/unit/ingest/reading/test_rows_alone.py",
    "tests/unit/sources/test_suggest_quality.py",
)
WITHOUT_LONG = "--without-long"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make test` leave out what only `make test ALL=1` runs."""
    parser.addoption(
        WITHOUT_LONG, action="store_true", help="skip the modules that only `make test ALL=1` runs"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Find the tests without looking for garbage, and let what was found be none from then on.

    Fifteen thousand tests and their modules are most of the objects of a process: to look through them again and again
    takes a third of the processor time of finding them, and then some of each test's.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest. Within a module the order stays."""
    if config.getoption(WITHOUT_LONG):
        for item in items:
            if item.path.as_posix().endswith(ONLY_WITH_ALL):
                item.add_marker(pytest.mark.skip(reason="long: `make test ALL=1` runs it"))

    def rank(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((number for number, place in enumerate(LONGEST) if place in path), len(LONGEST))

    items.sort(key=rank)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name what failed when it fails: the summary of a long run comes at its end, or never."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\n{report.when} of {report.nodeid} failed: {_last_line(report)}\n")


def _last_line(report: pytest.TestReport) -> str:
    return (report.longreprtext.strip().splitlines() or [""])[-1]
