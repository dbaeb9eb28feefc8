"""The maintain stage: all steps on every table, with counts before and after; a dry run changes nothing."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from lakehouse.errors import Terminal
from lakehouse.stages.maintain import maintain
from lakehouse.tables import commit
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.maintenance import expire, run
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_table import replace_all
from tests.support.lakes import a_contract, each_once, files_sql, load_files, rows_of, write

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=4)
SMALL = MaintenancePolicy(min_snapshots_to_keep=3, max_small_manifests=2)


@pytest.fixture
def table(lake):
    """A table of six small files, whose ids nobody needs, and an orphan."""
    table = ensure(open_catalog(lake), a_contract("raw.web_events"))
    for number in range(6):
        append(table, write(lake, table, files_sql([f"f{number}"])).files)
    write(lake, table, files_sql(["orphan"]))
    return table


def on_disk(lake):
    """Return every file of the lake with its content's size."""
    root = Path(lake.warehouse.removeprefix("file://"))
    return {str(path): path.stat().st_size for path in root.rglob("*") if path.is_file()}


def test_everything_is_done_and_reported(lake, table):
    """Files, small files, manifests, snapshots, bytes and orphans before and after, with the reasons."""
    head, heard = commit.head(table), []  # the second manifest says which files went
    found = maintain(lake, policy=SMALL, now=LATER, progress=lambda *progress: heard.append(progress))[
        "raw.web_events"
    ]
    before, after = found["before"], found["after"]
    assert (before["files"], before["small_files"], before["snapshots"], before["orphans"]) == (6, 6, 6, 1)
    assert (after["files"], after["manifests"], after["snapshots"], after["orphans"]) == (1, 2, 3, 0)
    assert found["rewritten"]["files"] == 6
    assert found["expired"]["snapshots"] == 4
    assert found["removed"]["files"] == 1
    assert [reason.split(":")[-1].strip() for reason in found["why"]] == [
        "rewrite into 1",
        "expire",
        "delete",
    ]
    assert heard[0][0] == heard[-1][0] == "raw.web_events"
    assert heard[-1][1] == heard[-1][2] > 0
    assert rows_of(table) == each_once([f"f{number}" for number in range(6)])
    assert commit.head(table) == head
    assert json.dumps(found)


def test_a_dry_run_changes_nothing(lake, table):
    """Not a byte; what it expects is what happens then."""
    before, version = on_disk(lake), table.metadata_location
    expected = maintain(lake, dry_run=True, policy=SMALL, now=LATER)["raw.web_events"]
    assert on_disk(lake) == before
    assert table.refresh().metadata_location == version
    done = maintain(lake, policy=SMALL, now=LATER)["raw.web_events"]
    assert expected["before"] == done["before"]
    assert expected["why"][0] == done["why"][0]
    for count in ("files", "small_files", "orphans"):
        assert expected["after"][count] == done["after"][count]


def test_many_manifests_are_merged(lake, table):
    """Too few files for a rewrite, too many manifests."""
    few = MaintenancePolicy(min_files_to_rewrite=99, max_small_manifests=5)
    found = maintain(lake, policy=few)["raw.web_events"]
    assert (found["before"]["manifests"], found["after"]["manifests"], found["manifests"]) == (6, 1, 6)
    assert maintain(lake, policy=few)["raw.web_events"]["manifests"] == 0
    assert rows_of(table) == each_once([f"f{number}" for number in range(6)])


def test_a_reader_holds_what_it_has_not_seen(lake, table):
    """The watermark stands in the reader's own snapshot; the report says who holds what."""
    reader = ensure(open_catalog(lake), a_contract("marts.m"))
    seen = str(table.metadata.snapshots[0].snapshot_id)
    files = write(lake, reader, files_sql(["x"])).files
    replace_all(reader, files, computed_from={"raw.web_events": seen}, base=None)
    found = maintain(lake, policy=SMALL, now=LATER)["raw.web_events"]
    assert found["expired"]["snapshots"] == 0
    assert any("stay for marts.m" in reason for reason in found["why"])


def test_snapshots_that_wait_for_the_ledger_are_reported(lake, table):
    """Why old snapshots stay."""
    for number in range(4):
        load_files(lake, table, f"g{number}")
    found = maintain(lake, policy=SMALL, now=LATER)["raw.web_events"]
    assert any("until `books` has copied" in reason for reason in found["why"])
    assert {
        record.file_id for s in table.refresh().metadata.snapshots for record in commit.file_records(s)
    } == {f"g{number}" for number in range(4)}


def test_a_table_that_fails_does_not_stop_the_others(lake, table, monkeypatch):
    """It is reported: our own messages in full, of others only the kind, since they may quote rows."""
    other = ensure(open_catalog(lake), a_contract("raw.a_first"))
    append(other, write(lake, other, files_sql(["a"])).files)
    real = expire.expire_planned

    def broken(catalog, found, *arguments, **named):
        if found.name()[-1] == "a_first":
            raise OSError("customer 7 is away")
        return real(catalog, found, *arguments, **named)

    monkeypatch.setattr(run.expire, "expire_planned", broken)
    found = maintain(lake, policy=SMALL, now=LATER)
    assert found["raw.a_first"] == {"failed": "OSError"}
    assert found["raw.web_events"]["expired"]["snapshots"] == 4


def test_one_table_may_be_named(lake, table):
    """Only that one is maintained; a name that does not exist is refused with those that do."""
    other = ensure(open_catalog(lake), a_contract("raw.other"))
    append(other, write(lake, other, files_sql(["a"])).files)
    assert list(maintain(lake, only="raw.other")) == ["raw.other"]
    assert len(table.refresh().metadata.snapshots) == 6
    with pytest.raises(Terminal, match=r"no table raw\.none; there are raw\.other, raw\.web_events"):
        maintain(lake, only="raw.none")


def test_a_lake_without_tables_has_nothing_to_do(lake):
    """No table, no error."""
    assert maintain(lake) == {}
