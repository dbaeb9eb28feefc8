"""A definition is put to work for the files to come, those that waited for it, and older rows that lack a column."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.errors import BadDefinition, Terminal, Transient
from lakehouse.sources import definition
from lakehouse.stages import add_source, tick
from lakehouse.stages.add_source import carry_out, plan
from lakehouse.stages.status import status

GOOD = {
    "source": "till",
    "entity": "sales",
    "doc": "Sales",
    "grain": "one row a sale",
    "format": "csv",
    "columns": [
        {"name": "id", "from": "Id", "required": True, "doc": "Id"},
        {"name": "total", "from": "Total", "type": "decimal(12,2)", "doc": "Total"},
    ],
    "core": {"orders": {"order_id": "id", "amount": "total"}},
}
MORE = {"columns": [*GOOD["columns"], {"name": "clerk", "from": "Clerk", "doc": "Clerk"}]}
CSV = "Id,Total,Clerk\n1,1.50,ann\n2,x,bob\n"


def text_of(**changes):
    return yaml.safe_dump(GOOD | changes, sort_keys=False)


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """A company with a folder of definitions, empty at first."""
    folder = tmp_path / "definitions"
    folder.mkdir()
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder))
    from lakehouse.settings import current

    current.cache_clear()
    company.folder = folder
    yield company
    definition.load.cache_clear()


def counts(shop):
    ingest = status(shop.settings)["ingest"]
    assert ingest["balanced"]
    return ingest["files"], ingest["received"], ingest["loaded"], ingest["quarantined"]


def test_files_that_waited_are_loaded(shop):
    """They were refused as unknown; a dry run says so and changes nothing; after it they are in, and once only."""
    shop.load("till/sales", "1.csv", CSV)
    shop.load("till/sales", "2.csv", CSV.replace("1,1.50", "3,9.00"))
    shop.load("till/other", "1.csv", CSV)
    assert counts(shop) == (3, 3, 0, 3)
    planned = plan(shop.settings, text_of(), "a.yaml", shop.folder)
    assert (planned.state, planned.waiting, planned.set_aside, planned.rows_loaded) == ("new", 2, 0, False)
    assert counts(shop) == (3, 3, 0, 3)
    assert not list(shop.folder.rglob("*.yaml"))

    done = carry_out(shop.settings, planned)
    assert done.written
    assert (done.replay["loaded"], done.replay["still_bad"]) == (2, 2)
    assert counts(shop) == (3, 5, 2, 3)
    assert [row[0] for row in shop.ask("SELECT id FROM raw.till_sales ORDER BY id")] == ["1", "3"]

    again = plan(shop.settings, text_of(), "a.yaml", shop.folder)
    assert (again.state, again.waiting, again.set_aside) == ("same", 0, 2)
    assert not carry_out(shop.settings, again).written
    assert counts(shop) == (3, 5, 2, 3)


def test_older_rows_get_a_column_that_is_added(shop):
    """What they keep in `extra` moves; what is in quarantine for another reason is counted, and stays."""
    carry_out(shop.settings, plan(shop.settings, text_of(), "a.yaml", shop.folder))
    shop.load("till/sales", "1.csv", CSV)
    planned = plan(shop.settings, text_of(**MORE), "a.yaml", shop.folder)
    assert (planned.state, planned.columns, planned.set_aside) == ("changed", ("clerk",), 1)
    assert planned.refill["moved"] == {"clerk": 1}
    assert [row[0] for row in shop.ask("SELECT extra FROM raw.till_sales")] == ['{"Clerk":"ann"}']
    done = carry_out(shop.settings, planned)
    assert (done.refill["rows"], done.replay) == (1, {})
    assert shop.ask("SELECT id, clerk, extra FROM raw.till_sales") == [("1", "ann", None)]
    again = plan(shop.settings, text_of(**MORE), "a.yaml", shop.folder)
    assert (again.state, again.refill["rows"]) == ("same", 0)
    assert carry_out(shop.settings, again).refill["rows"] == 0


def test_core_is_computed_without_waiting_for_tick(shop):
    """A mapping alone moves no table that would tell anybody: the stages are told, after all else is done."""
    carry_out(shop.settings, plan(shop.settings, text_of(core={}), "a.yaml", shop.folder))
    shop.load("till/sales", "1.csv", CSV)
    shop.hints("resolve"), shop.hints("aggregate")
    planned = plan(shop.settings, text_of(), "a.yaml", shop.folder)
    assert (shop.hints("resolve"), shop.hints("aggregate")) == ([], [])
    carry_out(shop.settings, planned)
    assert (len(shop.hints("resolve")), len(shop.hints("aggregate"))) == (1, 1)
    assert tick.pending(shop.settings) == ["aggregate"]


def test_a_hint_that_cannot_be_sent_is_no_error(shop, monkeypatch):
    """Tick finds what there is to do."""

    def refuse(*_):
        raise Transient("the queue is gone")

    monkeypatch.setattr(add_source, "hint", refuse)
    assert carry_out(shop.settings, plan(shop.settings, text_of(), "a.yaml", shop.folder)).written


def test_new_files_meet_it_at_once(shop):
    """Whoever has read the definitions already sees the one that was added: a stack that runs needs no restart."""
    assert ("till", "sales") not in definition.load(shop.settings.definitions)
    carry_out(shop.settings, plan(shop.settings, text_of(), "a.yaml", shop.folder, lake=False), lake=False)
    shop.load("till/sales", "1.csv", CSV)
    assert counts(shop) == (1, 2, 1, 1)


def test_a_table_that_cannot_follow(shop):
    """Another type, or columns that changed places: refused before anything is written."""
    carry_out(shop.settings, plan(shop.settings, text_of(), "a.yaml", shop.folder))
    shop.load("till/sales", "1.csv", CSV)
    swapped = text_of(columns=GOOD["columns"][::-1])
    with pytest.raises(Terminal, match="field id 5 is id string in the catalog and total"):
        plan(shop.settings, swapped, "a.yaml", shop.folder)
    assert definition.load(shop.settings.definitions)["till", "sales"].columns[0].name == "id"


def test_where_it_is_written(shop):
    """A source's definition is replaced in its file, whatever that is called; a shipped one is overridden."""
    (shop.folder / "sources").mkdir()
    mine = shop.folder / "sources" / "mine.yaml"
    mine.write_text(text_of())
    assert plan(shop.settings, text_of(**MORE), "a.yaml", shop.folder, lake=False).target == mine
    mine.unlink()
    shipped = text_of(source="shop", entity="orders")
    planned = plan(shop.settings, shipped, "a.yaml", shop.folder, lake=False)
    assert (planned.state, planned.target.name) == ("instead of the shipped one", "shop_orders.yaml")


def test_what_is_not_added(shop):
    """One with errors, one whose table is another's, one whose file is another's, a folder that cannot be written."""
    with pytest.raises(BadDefinition, match=r"a.yaml: core.orders.order_id: missing.*nothing was added"):
        plan(shop.settings, text_of(core={"orders": {"amount": "total"}}), "a.yaml", shop.folder, lake=False)
    two = text_of(core={"orders": {"amont": "total", "oder_id": "id"}})
    with pytest.raises(BadDefinition, match=r"and 1 more: `lakehouse sources check a.yaml`"):
        plan(shop.settings, two, "a.yaml", shop.folder, lake=False)
    other = text_of(source="shop_orders", entity="x")
    carry_out(shop.settings, plan(shop.settings, other, "a", shop.folder, lake=False), lake=False)
    with pytest.raises(BadDefinition, match=r"share raw.shop_orders_x"):
        plan(shop.settings, text_of(source="shop", entity="orders_x"), "a", shop.folder, lake=False)
    (shop.folder / "sources" / "till_sales.yaml").write_text(text_of(entity="else"))
    with pytest.raises(BadDefinition, match="defines another source"):
        plan(shop.settings, text_of(), "a.yaml", shop.folder, lake=False)
    (shop.folder / "sources" / "till_sales.yaml").unlink()
    file = shop.folder / "file"
    file.write_text("")
    planned = plan(shop.settings, text_of(), "a.yaml", file, lake=False)
    with pytest.raises(Terminal, match="cannot be written"):
        carry_out(shop.settings, planned, lake=False)
