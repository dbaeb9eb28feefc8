"""`lakehouse sources`: what there is, and what older rows keep for columns that came later."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from lakehouse import cli, settings
from lakehouse.local import session as sessions
from lakehouse.stages import refill_source as stage
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from tests.support.lakes import write

YAML = """
source: a
entity: b
doc: B
grain: one row a version
format: csv
columns:
  - {name: id, from: Id, doc: Id}
  - {name: n, from: N, type: long, doc: N}
"""


@pytest.fixture
def lakehouse(lake, tmp_path, monkeypatch, capsys):
    """Run a command on a lake whose table holds one value that fits and one that does not; return what it printed."""
    (tmp_path / "definitions" / "sources").mkdir(parents=True)
    (tmp_path / "definitions" / "sources" / "a.yaml").write_text(YAML)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    settings = lake.model_copy(update={"definitions": tmp_path / "definitions"})
    hints = []

    @contextmanager
    def session(*_, **__):
        yield settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(stage.signals, "table_committed", lambda *hint: hints.append(hint))
    source = stage.definition.load(settings.definitions)["a", "b"]
    table = ensure(open_catalog(lake), source.contract)
    rows = '(1, \'{"N": "12"}\'), (2, \'{"N": "twelve"}\')'
    query = (
        "SELECT 'f' AS _file_id, r AS _row, now() AS _loaded_at, e AS extra, 'i' AS id, NULL AS n "
        f"FROM (VALUES {rows}) AS v(r, e)"
    )
    append(table, write(lake, table, query).files)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["lakehouse", "sources", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    run.hints = hints
    return run


def test_refill_counts_first_and_then_does_it(lakehouse):
    """A dry run says the same and announces nothing; afterwards there is nothing left to do."""
    found = {"files": 1, "rows": 1, "moved": {"n": 1}, "kept": {"n": 1}}
    code, out, _ = lakehouse("refill", "a/b", "--dry-run", "--json")
    assert (code, json.loads(out)) == (0, found | {"commits": 0})
    assert lakehouse.hints == []
    code, out, _ = lakehouse("refill", "a/b")
    assert code == 0
    assert "1 row in 1 file changed" in out
    assert [table for _, table, _ in lakehouse.hints] == ["raw.a_b"]
    code, out, _ = lakehouse("refill", "a/b", "--json")
    assert json.loads(out) == {"files": 0, "rows": 0, "commits": 0, "moved": {}, "kept": {"n": 1}}


def test_refill_of_what_nobody_defined(lakehouse):
    """One line that says where to look."""
    code, _, err = lakehouse("refill", "a/c")
    assert code == 1
    assert "no source a/c; did you mean a/b? `lakehouse sources list` shows all" in err


def test_list(lakehouse, monkeypatch):
    """For people and for machines."""
    code, out, _ = lakehouse("list", "--json")
    assert code == 0
    orders = next(one for one in json.loads(out) if one["table"] == "raw.shop_orders")
    assert (orders["source"], orders["entity"], orders["format"]) == ("shop", "orders", "csv")
    assert {"id": 9, "name": "amount", "type": "decimal(12,2)", "from": "amount"} in orders["columns"]
    assert "shop/orders" in lakehouse("list")[1]


def test_list_shows_the_data_folders_own(lakehouse, monkeypatch, tmp_path):
    """Those that a stack on it reads."""
    (tmp_path / "d" / "definitions" / "sources").mkdir(parents=True)
    (tmp_path / "d" / "definitions" / "sources" / "till.yaml").write_text(
        "source: till\nentity: sales\ndoc: Sales\ngrain: one row a sale\nformat: csv\ncolumns: []\n"
    )
    monkeypatch.delenv("LAKEHOUSE_DEFINITIONS", raising=False)
    settings.current.cache_clear()
    assert "till/sales" not in lakehouse("list", "--json")[1]
    assert "sales" in lakehouse("list", "--json", "--data", str(tmp_path / "d"))[1]
