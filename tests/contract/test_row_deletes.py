"""Another engine deletes rows from our tables, as people do by hand: they can be replaced all the same."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

import pytest

from lakehouse.engine import duck
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import Terminal
from lakehouse.tables import commit
from lakehouse.tables.appended import differing_files
from lakehouse.tables.catalog import open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.maintenance.merge import merge_manifests
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.rewrite import rewrite
from lakehouse.tables.replace_files import replace_files
from lakehouse.tables.replace_table import replace_all
from tests.support.lakes import Lake, a_contract, each_once, files_sql, rest_settings, write

pytestmark = pytest.mark.stack


@pytest.fixture
def lake(store):
    settings = rest_settings(store)
    return Lake(settings, open_catalog(settings), a_contract())


def by_duckdb(lake, statement):
    """Run a statement on the lake's table in a DuckDB that knows nothing of us, attached as docs/engines.md says."""
    settings, uri = lake.settings, lake.settings.catalog_uri
    with closing(duck.connect(settings)) as con:
        con.execute(
            f"CREATE SECRET rest (TYPE iceberg, CLIENT_ID {literal(settings.access_key)}, "
            f"CLIENT_SECRET {literal(settings.secret_key.get_secret_value())}, "
            f"OAUTH2_SERVER_URI {literal(uri + '/v1/oauth/tokens')})"
        )
        warehouse = urlsplit(settings.warehouse).netloc
        con.execute(
            f"ATTACH {literal(warehouse)} AS attached (TYPE iceberg, ENDPOINT {literal(uri)}, SECRET rest)"
        )
        namespace, name = lake.contract.name.split(".")
        return con.execute(statement.format(f"attached.{namespace}.{identifier(name)}")).fetchall()


def test_a_table_is_replaced_after_a_row_level_delete(lake):
    """The delete file goes with what it was about, and the totals say so; before, every replacement was refused."""
    table = lake.writer()
    base = append(table, write(lake.settings, table, files_sql(["a", "b"])).files).snapshot_id
    by_duckdb(lake, "DELETE FROM {} WHERE n = 2")
    table.refresh()
    assert len(lake.rows) == 8
    assert len(commit.live_entries(table)) == 2
    assert len(live_files(table)) == 1
    assert (
        differing_files(table, base) is None
    )  # the file that both have is not all of the table's rows any more
    base = table.current_snapshot().snapshot_id
    new = write(lake.settings, table, files_sql(["c"]))
    replace_all(table, new.files, computed_from={"in": "1"}, base=base)
    assert lake.rows == each_once(["c"])
    assert by_duckdb(lake, "SELECT count(*) FROM {}") == [(5,)]
    summary = table.refresh().current_snapshot().summary
    assert (summary["total-records"], summary["total-delete-files"]) == ("5", "0")


def test_a_table_of_appends_says_what_to_do(lake):
    """Nothing is rewritten, since the rows would come back; the plan counts the delete files, and appends go on."""
    table = lake.writer()
    for name in ("a", "b", "c", "d", "e", "f"):
        lake.load(table, name)
    by_duckdb(lake, "DELETE FROM {} WHERE n = 2")
    table = lake.catalog.load_table(lake.contract.name)
    with pytest.raises(Terminal, match="rewrite_data_files"):
        replace_files(table, live_files(table)[:1], [], same_rows=False)
    done = rewrite(lake.settings, table, MaintenancePolicy(max_small_manifests=2))
    assert (done.commits, done.plan.delete_files) == (0, 6)  # DuckDB writes one for each data file
    assert merge_manifests(table, MaintenancePolicy(max_small_manifests=2)).manifests == ()
    lake.load(lake.writer(), "g")
    assert len(lake.rows) == 7 * 5 - 6
