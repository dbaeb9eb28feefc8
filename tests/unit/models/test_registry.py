"""Models are found by their place, run in the order of what they read; one that is wrong stops only its readers."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.sources import definition
from lakehouse.tables import contracts
from lakehouse.tables.people import EVIDENCE, IDENTITIES, MATCH_KEYS, MATCHES, OBSERVATIONS
from tests.support.model_cases import own_model

ORDERS = "SELECT * FROM mapped.orders"
MINE = """/*
doc: Mine
grain: one row a customer
key: [customer_id]
columns:
  - {name: customer_id, doc: Customer}
*/
SELECT customer_id FROM marts.rfm
"""


def write(folder, **files: str):
    """Write files of people's own; names have `__` for the slash."""
    for name, text in files.items():
        path = folder / "models" / (name.replace("__", "/") + ".sql")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_all_that_ships_is_right_and_inputs_come_before_those_who_read_them():
    """One pass in this order computes everything, and every table of core and marts has its model."""
    models = registry.load()
    assert models.wrong == {}
    position = {model.table: number for number, model in enumerate(models.in_order)}
    by_resolve = {contract.name for contract in (OBSERVATIONS, EVIDENCE, IDENTITIES, MATCHES, MATCH_KEYS)}
    assert position.keys() >= {contract.name for contract in contracts.CORE} - by_resolve
    assert {name.partition(".")[0] for name in models.contracts} == {"core", "marts", "ops"}
    for model in models.in_order:
        assert all(position[name] < position[model.table] for name in model.inputs if name in position)


def test_a_file_is_a_table(tmp_path):
    """Nothing else has to be said of it anywhere."""
    models = registry.load(write(tmp_path, marts__mine=MINE))
    assert models.wrong == {}
    assert models.by_table["marts.mine"].inputs == ("marts.rfm",)
    assert models.contracts["marts.mine"].key == ("customer_id",)
    order = [model.table for model in models.in_order]
    assert order.index("marts.rfm") < order.index("marts.mine")


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ("SELECT 1 AS x FROM mapped.nonsense", "there is no mapped.nonsense"),
        ("SELECT 1 AS x FROM mapped.order", "did you mean mapped.orders"),
        ("SELECT 1 AS x FROM core.contact", "did you mean core.contacts"),
        ("SELECT 1 AS x FROM raw.typo", "there is no raw.typo"),
    ],
)
def test_an_input_that_nothing_fills_is_named(tmp_path, select, says):
    """It would be waited for without end."""
    own_model(tmp_path, "marts.rfm", _all_columns("marts.rfm", select))
    [(table, reason)] = registry.load(tmp_path).wrong.items()
    assert table == "marts.rfm"
    assert reason.startswith("marts/rfm.sql: ")
    assert says in reason


def _all_columns(table: str, select: str) -> str:
    columns = registry.load().contracts[table].columns
    cells = ", ".join(f"NULL AS {column.name}" for column in columns)
    return select.replace("1 AS x", cells)


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        pytest.param(
            {"core__orders": "SELECT * FROM core.orders"}, {"core.orders"}, id="one that reads itself"
        ),
        pytest.param(
            {"core__orders": "SELECT * FROM core.deals", "core__deals": "SELECT * FROM core.orders"},
            {"core.orders", "core.deals"},
            id="two that read each other",
        ),
        pytest.param(
            {"core__orders": "SELECT * FROM marts.customer_360"},
            {"core.orders"},
            id="shipped ones in a circle that somebody's own closes only wait",
        ),
    ],
)
def test_models_in_a_circle_are_wrong_by_name(tmp_path, files, wrong):
    """There is no order in which they could be run; all others have one."""
    models = registry.load(write(tmp_path, **files))
    assert models.wrong.keys() == wrong
    assert all("in a circle: " in reason for reason in models.wrong.values())
    assert {"core.contacts", "core.customers"} <= models.by_table.keys()
    assert models.stopped() >= {*wrong, "core.order_values", "marts.customer_360", "marts.rfm"}
    assert "core.customers" not in models.stopped()


def test_a_definition_of_ones_own_stands_in_for_the_shipped_one(tmp_path):
    """In the place of that name."""
    mine = registry.load(write(tmp_path, core__orders=ORDERS)).by_table
    shipped = registry.load().by_table
    assert mine["core.orders"].sql == ORDERS
    assert mine["core.orders"].version != shipped["core.orders"].version
    assert {name for name in mine if mine[name] != shipped[name]} == {"core.orders"}


def test_one_that_is_wrong_does_not_bring_the_shipped_one_back(tmp_path):
    """Somebody meant other rows than that gives: those that are there stay."""
    models = registry.load(write(tmp_path, marts__rfm="SELEKT 1", core__orders="SELECT now() AS x"))
    assert models.wrong.keys() == {"marts.rfm", "core.orders"}
    assert models.by_table.keys().isdisjoint(models.wrong)


def test_a_replaced_model_has_the_columns_that_others_read(tmp_path):
    """First, as they are, for a column has its number by its place; others come after them."""
    own_model(tmp_path, "marts.rfm")
    path = tmp_path / "models/marts/rfm.sql"
    text = path.read_text("utf-8")
    more = text.replace("audits:", "  - {name: more, type: long, doc: One more}\naudits:").replace(
        "END AS segment", "END AS segment, 1 AS more"
    )
    path.write_text(more, "utf-8")
    assert registry.load(tmp_path).wrong == {}
    renamed = text.replace("name: rfm,", "name: cell,").replace(" AS rfm,", " AS cell,")
    path.write_text(renamed, "utf-8")
    [reason] = registry.load(tmp_path).wrong.values()
    assert "not there: rfm" in reason
    path.write_text(text.replace("{name: r, type: int", "{name: r, type: long"), "utf-8")
    [reason] = registry.load(tmp_path).wrong.values()
    assert "not there: r" in reason


def test_a_wrong_golden_record_stops_customers_alone(tmp_path):
    """Who has no part in it is computed."""
    (tmp_path / "identity").mkdir()
    (tmp_path / "identity/customers.yaml").write_text("name: customers\nfields: {x: longest}", "utf-8")
    models = registry.load(tmp_path)
    assert models.wrong.keys() == {"core.customers"}
    assert "core.orders" not in models.stopped()


def test_a_definition_that_comes_changes_or_goes_counts_at_once(tmp_path):
    """Nothing has to be restarted."""
    (tmp_path / "models").mkdir()
    shipped = sql_of(tmp_path)
    write(tmp_path, core__orders=ORDERS)
    assert sql_of(tmp_path) == ORDERS
    write(tmp_path, core__orders=ORDERS + " LIMIT 1")
    assert sql_of(tmp_path) == ORDERS + " LIMIT 1"
    (tmp_path / "models/core/orders.sql").unlink()
    assert sql_of(tmp_path) == shipped


def sql_of(folder, table: str = "core.orders") -> str:
    return registry.load(folder).by_table[table].sql


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    """Somebody named it."""
    with pytest.raises(BadDefinition, match="no such folder"):
        registry.load(tmp_path / "nowhere")


@pytest.mark.parametrize("how", ["\ufeff{}", "{};", "{} ;;\n-- the end\n"])
def test_what_editors_put_around_a_file_does_no_harm(tmp_path, how):
    """A mark in front of the text, a semicolon behind the SELECT, which becomes a part of others, line ends."""
    write(tmp_path, marts__mine=how.format(MINE.strip()).replace("\n", "\r\n"))
    found = registry.load(tmp_path)
    assert not found.wrong
    assert ";" not in found.by_table["marts.mine"].sql


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("{marts.rfm: customerid}", "of.marts.rfm: there is no column customerid; did you mean customer_id?"),
        ("{marts.rfm: [customer_id, device]}", "there is no column device"),
        ("{marts.rfm: customer_id, core.orders: {marts.rfm: owner}}", "of.core.orders: there is no column owner"),
        ('{marts.rfm: "(SELECT 1)"}', "not an expression of columns"),
        ('{marts.rfm: "now() || customer_id"}', "gives another answer each time"),
    ],
)  # fmt: skip
def test_a_grain_of_columns_that_are_not_there_is_told_before_the_table_is_large(tmp_path, of, says):
    """Small tables are computed as a whole: nothing else would ask."""
    header = f"columns:\n{'incremental: {by: customer_id, of: OF}'.replace('OF', of)}\ncolumns:"
    text = MINE.replace("columns:", header.removeprefix("columns:\n"), 1)
    write(
        tmp_path, marts__mine=text.replace("FROM marts.rfm", "FROM marts.rfm WHERE EXISTS (FROM core.orders)")
    )
    assert says in registry.load(tmp_path).wrong["marts.mine"]


@pytest.mark.parametrize(
    ("file", "text", "table"),
    [
        ("models/marts/mine.sql", MINE, "marts.mine"),
        (
            "tags/rich.yaml",
            "name: rich\ntitle: Rich\ndoc: Spends much\nwhere: m = 5\n",
            "marts.customer_tags",
        ),
        (
            "identity/customers.yaml",
            "name: customers\ndoc: Mine\nfields: {city: longest}\n",
            "core.customers",
        ),
    ],
)
def test_a_definition_of_any_kind_counts_from_the_next_look_on(tmp_path, file, text, table):
    """Between two changes the models are those of the look before: to put them together takes half a second."""
    before = registry.load(tmp_path)
    assert registry.load(tmp_path) is before
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, "utf-8")
    after = registry.load(tmp_path)
    assert after.wrong == {}
    assert after.by_table[table] != before.by_table.get(table)


def test_a_source_counts_from_the_next_look_on(tmp_path):
    """A model may read the raw table of a source that was defined a moment ago."""
    write(tmp_path, marts__mine=MINE.replace("marts.rfm", "raw.acme_orders"))
    assert set(registry.load(tmp_path).wrong) == {"marts.mine"}
    shipped = next(file for file in definition.load.files() if file.name == "shop_orders.yaml")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/acme_orders.yaml").write_text(
        shipped.text.replace("source: shop", "source: acme"), "utf-8"
    )
    assert registry.load(tmp_path).wrong == {}
