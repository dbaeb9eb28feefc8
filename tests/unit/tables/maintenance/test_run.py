"""One table from end to end: what is explained is what is applied, whatever other writers do meanwhile."""

from __future__ import annotations

import datetime as dt

import pytest

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.maintenance import rewrite as rewriting
from lakehouse.tables.maintenance.explain import explain
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.run import MaintenanceContext, look, maintain
from lakehouse.tables.replace_files import replace_files
from tests.support.lakes import a_contract, files_sql, write

LATER = MaintenanceContext(now=dt.datetime.now(dt.UTC) + dt.timedelta(days=4))
POLICY = MaintenancePolicy(min_snapshots_to_keep=3)


@pytest.fixture
def table(lake):
    """A table of six small files, and one file that a killed attempt left."""
    catalog = open_catalog(lake)
    table = catalog.load_table(ensure(catalog, a_contract()).name())
    for number in range(6):
        append(table, write(lake, table, files_sql([f"f{number}"])).files)
    write(lake, table, files_sql(["orphan"]))
    return table


def test_a_dry_run_explains_what_a_run_then_does(lake, table):
    """The same rewrite and the same orphans; the run expires what its own commits freed, too."""
    expected = look(open_catalog(lake), table, POLICY, LATER)
    done = maintain(lake, open_catalog(lake), table, POLICY, LATER)
    assert expected.plan.rewrite.bins == done.plan.rewrite.bins
    assert expected.plan.orphans.paths == done.plan.orphans.paths
    assert (len(expected.plan.expiry.expirable), len(done.plan.expiry.expirable)) == (3, 4)
    assert explain(expected.plan)[0] == explain(done.plan)[0]
    assert done.as_json()["why"] == explain(done.plan)


def test_a_race_that_was_lost_is_not_explained_as_done(lake, table, monkeypatch):
    """Somebody removes one of six files meanwhile: five are rewritten, and five are reported."""
    other = open_catalog(lake).load_table(table.name())
    gone, real = [live_files(other)[0]], rewriting.replace_files

    def replace_late(*arguments, **named):
        while gone:
            replace_files(other, [gone.pop()], [], same_rows=False)
        return real(*arguments, **named)

    monkeypatch.setattr(rewriting, "replace_files", replace_late)
    report = maintain(lake, open_catalog(lake), table, POLICY, LATER).as_json()
    assert report["rewritten"]["files"] == 5
    assert report["why"][0].startswith("5 files under")
    assert not any("lost every race" in reason for reason in report["why"])


def test_rewrites_that_lose_every_race_are_reported(lake, table, monkeypatch):
    """Nothing is said to be rewritten, and why it was not."""
    other = open_catalog(lake).load_table(table.name())
    real = rewriting.replace_files

    def replace_too_late(*arguments, **named):
        other.refresh()
        same = write(lake, other, files_sql(["f0"])).files[0]
        replace_files(other, [live_files(other)[0]], [same], same_rows=True)
        return real(*arguments, **named)

    monkeypatch.setattr(rewriting, "replace_files", replace_too_late)
    report = maintain(lake, open_catalog(lake), table, POLICY, LATER).as_json()
    assert report["rewritten"] == {"files": 0, "into": 0, "bytes": 0, "commits": 0, "lost": 1}
    assert report["why"][0] == "1 rewrites lost every race against other writers; next time"
