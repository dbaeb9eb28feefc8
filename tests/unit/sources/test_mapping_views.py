"""What a mapping may say of which rows it speaks."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

import duckdb
import pytest

from lakehouse.engine import normal_forms, sql_functions
from lakehouse.errors import BadDefinition
from lakehouse.sources.definition import parse
from lakehouse.sources.mapping_views import entity_sql, version

HEAD = """
source: shopify
entity: orders
doc: Orders
grain: one row a line
format: csv
key: [name]
columns:
  - {name: name, from: Name, doc: "Order"}
  - {name: total, from: Total, type: "decimal(12,2)", doc: "Total, in the order's first row"}
  - {name: sku, from: SKU, doc: "SKU"}
  - {name: items, from: items, doc: "Items as JSON"}
  - {name: changed, from: changed, type: timestamptz, doc: "Changed"}
core:
"""


def source(core: str):
    return parse(HEAD + core, "shopify_orders.yaml")


@pytest.fixture
def con():
    with duckdb.connect() as found:
        columns = ", ".join(
            f'"{c.name}" {c.duck_type}' for c in source("  orders: {order_id: name}").contract.columns
        )
        sql_functions.create(found)
        found.execute(f"SET TimeZone = 'UTC'; CREATE SCHEMA raw; CREATE TABLE raw.shopify_orders ({columns})")
        yield found


def row(con, file: str, number: int, **cells):
    names = ", ".join(["_file_id", "_row", "_loaded_at", *cells])
    marks = ", ".join("?" * (len(cells) + 3))
    con.execute(
        f"INSERT INTO raw.shopify_orders ({names}) VALUES ({marks})",
        [file, number, f"2026-01-0{file}", *cells.values()],
    )


def mapped(con, entity: str, core: str, *columns: str):
    return con.execute(
        f"SELECT {', '.join(columns)} FROM ({entity_sql(entity, [source(core)])}) ORDER BY ALL"
    ).fetchall()


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("China", "CN"),
        (" 中国 ", "CN"),
        ("cn", "CN"),
        ("USA", "US"),
        ("United States", "US"),
        ("Ruritania", "Ruritania"),
        ("", ""),
        (None, None),
    ],
)
def test_a_country_has_one_name_in_core(con, written, country):
    """Its ISO code, in whichever language it is written; what is no country anybody knows stays as it came."""
    sql_functions.create(con)
    row(con, "1", 1, name="A", sku=written)
    assert mapped(
        con, "orders", "  orders: {order_id: name, country: sku, city: sku}", "country", "city"
    ) == [(country, written)]


def test_a_mapping_without_a_country_needs_no_function(con):
    """Nor is it computed anew when the list of countries changes."""
    row(con, "1", 1, name="A")
    assert mapped(con, "orders", "  orders: {order_id: name}", "country") == [(None,)]
    assert "country_region" not in entity_sql("orders", [source("  orders: {order_id: name}")])


def test_rows_that_a_condition_leaves_out_are_none_of_the_entity(con):
    """Only an order's first row has its total."""
    row(con, "1", 1, name="#1", total="9.50", sku="a")
    row(con, "1", 2, name="#1", sku="b")
    core = "  orders: {order_id: name, amount: total, where: total IS NOT NULL}"
    assert mapped(con, "orders", core, "order_id", "CAST(amount AS VARCHAR)") == [("#1", "9.50")]


def test_a_list_in_a_row_is_an_entity_an_element(con):
    """Other rows, with an empty list or none, have no element."""
    row(con, "1", 1, name="1", items='[{"id": 7, "sku": "a"}, {"id": 8, "sku": "b"}]')
    row(con, "1", 2, name="2", items="[]")
    row(con, "1", 3, name="3")
    core = "  order_items: {order_id: name, line_id: each->>'id', product_id: each->>'sku', each: items}"
    assert mapped(con, "order_items", core, "order_id", "line_id", "product_id") == [
        ("1", "7", "a"),
        ("1", "8", "b"),
    ]


def test_of_what_is_sent_whole_only_the_newest_version_has_items(con):
    """An item that an edited order no longer has is gone; it is the order's clock that says which is newest."""
    row(con, "1", 1, name="1", items='[{"id": 7}, {"id": 8}]', changed="2026-01-05")
    row(con, "2", 1, name="1", items='[{"id": 8}, {"id": 9}]', changed="2026-01-06")
    row(con, "3", 1, name="1", items='[{"id": 7}]', changed="2026-01-04")
    core = (
        "  order_items: {order_id: name, line_id: each->>'id', updated_at: changed, each: items, "
        "together: 'source, order_id'}"
    )
    assert mapped(con, "order_items", core, "line_id") == [("8",), ("9",)]


def test_a_whole_of_which_no_item_is_left_has_none(con):
    """Its newest version says so by an empty list, or by none; an item of an older one is no item of it."""
    core = (
        "  order_items: {order_id: name, line_id: each->>'id', updated_at: changed, each: items, "
        "together: 'source, order_id'}"
    )
    row(con, "1", 1, name="1", items='[{"id": 7}]', changed="2026-01-05")
    row(con, "2", 1, name="1", items="[]", changed="2026-01-06")
    row(con, "2", 2, name="2", items='[{"id": 7}]', changed="2026-01-06")
    assert mapped(con, "order_items", core, "order_id", "line_id") == [("2", "7")]
    row(con, "3", 1, name="2", changed="2026-01-07")
    assert mapped(con, "order_items", core, "order_id", "line_id") == []


def test_of_two_versions_of_a_whole_in_one_file_and_instant_the_one_further_down_counts(con):
    """Not the items of both."""
    core = "  order_items: {order_id: name, line_id: each->>'id', updated_at: changed, each: items, together: order_id}"
    row(con, "1", 1, name="1", items='[{"id": 7}, {"id": 8}]', changed="2026-01-05")
    row(con, "1", 2, name="1", items='[{"id": 8}]', changed="2026-01-05")
    assert mapped(con, "order_items", core, "line_id") == [("8",)]


def test_a_value_that_is_none_of_its_columns_type_stops_no_other(con):
    """It is null, and the list that is none has no element; all other rows say what they say."""
    row(con, "1", 1, name="1", items='[{"id": 7, "q": "many"}, {"id": 8, "q": "2"}]')
    row(con, "1", 2, name="2", items="none")
    core = "  order_items: {order_id: name, line_id: each->>'id', quantity: each->>'q', each: items}"
    found = mapped(con, "order_items", core, "line_id", "CAST(quantity AS VARCHAR)")
    assert found == [("7", None), ("8", "2.000")]


def test_a_source_may_map_to_an_entity_several_times(con):
    """A row with two facts is two rows of the entity."""
    row(con, "1", 1, name="ann", sku="red", items="oak")
    core = """
  customer_attributes:
    - {record_id: name, attribute: "'colour'", value: sku}
    - {record_id: name, attribute: "'wood'", value: items}
"""
    found = mapped(con, "customer_attributes", core, "attribute", "value", "source")
    assert found == [("colour", "red", "shopify"), ("wood", "oak", "shopify")]


@pytest.mark.parametrize("zone", ["Asia/Peking", "Asia", "../etc/passwd", "+08:00", ""])
def test_a_zone_that_is_none_is_refused(zone):
    """Times would be read as if they were somewhere else."""
    with pytest.raises(BadDefinition, match="none of IANA's, such as Asia/Shanghai"):
        parse(HEAD.replace("format: csv", f"format: csv\ntime_zone: '{zone}'") + "  {}", "a.yaml")


def test_without_a_list_of_zones_any_may_be_one(monkeypatch):
    """As in Lambda's image: DuckDB, which reads the times, has a list of its own."""
    monkeypatch.setattr("lakehouse.sources.zones.TZPATH", ("/nowhere",))

    def none(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("lakehouse.sources.zones.ZoneInfo", none)
    for zone in ("UTC", "Asia/Shanghai"):
        text = HEAD.replace("format: csv", f"format: csv\ntime_zone: {zone}") + "  {}"
        assert parse(text, "a.yaml").time_zone == zone


def test_a_mapping_has_another_version_when_a_function_that_it_calls_gives_other_results(monkeypatch):
    """Otherwise who is who would stay as the countries were known before."""
    plain = source("  orders: {order_id: name, city: sku}")
    calling = source("  orders: {order_id: name, city: country_region(sku)}")
    before = version("orders", [plain]), version("orders", [calling])
    monkeypatch.setattr(sql_functions, "version", lambda: "another")
    assert version("orders", [plain]) == before[0]
    assert version("orders", [calling]) != before[1]


def linked(con, core: str, region: str = "NULL") -> list[tuple[str | None, ...]]:
    """Return order and identifier_value of mapped orders; what a row's item says is its country."""
    definition = parse(HEAD.replace("format: csv", f'format: csv\nregion: "{region}"') + core, "a.yaml")
    sql = entity_sql("orders", [definition])
    normal_forms.create_for(con, sql)
    return con.execute(f"SELECT order_id, identifier_value FROM ({sql}) ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    ("kind", "typed", "country", "known_by"),
    [
        ("phone", "138 2234 5678", None, "+8613822345678"),
        ("phone", "\u00a0138-2234-5678\u200b", "cn", "+8613822345678"),
        ("phone", "(415) 555-2671", None, "+14155552671"),
        ("phone", "020 7946 0958", " gb", "+442079460958"),
        ("phone", "+442079460958", "CN", "+442079460958"),
        ("phone", "n/a", None, None),
        ("phone", "  ", None, None),
        ("phone", None, "CN", None),
        ("email", " Ann.Lee@Example.COM", "CN", "ann.lee@example.com"),
        ("email", "ann＠example.com", None, "ann@example.com"),
        ("email", "nobody", None, "nobody"),
        ("user_id", " A1@X.COM ", None, "A1@X.COM"),
        ("user_id", "4711.0", None, "4711"),
        ("user_id", "{{user_id}}", None, None),
        ("salesforce_id", "0035e00000AbCdE", None, "0035e00000AbCdEAAV"),
    ],
)
def test_a_customer_is_looked_up_by_the_spelling_that_identities_have(con, kind, typed, country, known_by):
    """Whatever a row's own says; an address that is none stays as it came, and a placeholder is nobody's."""
    row(con, "1", 1, name="1", sku=typed, items=country)
    constant = f"""  orders: {{order_id: name, identifier_type: "'{kind}'", identifier_value: sku}}"""
    assert linked(con, constant, "items") == [("1", known_by)]
    computed = constant.replace(f"'{kind}'", f"CASE WHEN name = '1' THEN '{kind}' END")
    assert linked(con, computed, "items") == [("1", known_by)]


def test_libraries_are_asked_for_unusual_spellings_alone_and_once_for_each(con, monkeypatch):
    """A million plain e-mails cost no call of Python."""
    asked = []

    def ask(kind: str, value: str, region: str) -> None:
        asked.append((kind, value, region))

    monkeypatch.setattr(normal_forms, "normal_form", ask)
    for number, phone in enumerate(["13822345678", "+86 138 2234 5678", "4155552671", "4155552671", None]):
        row(con, "1", number, name=str(number), sku=phone)
    linked(con, """  orders: {order_id: name, identifier_type: "'phone'", identifier_value: sku}""", "'CN'")
    assert asked == [("phone", "4155552671", "CN")]


def test_other_types_of_identifiers_cost_nothing():
    """Their mapping is what it was, and so is what was computed from it."""
    core = """  orders: {order_id: name, identifier_type: "'user_id'", identifier_value: sku}"""
    assert "identifier_form" not in entity_sql("orders", [source(core)])
    assert "identifier_form" in entity_sql("orders", [source(core.replace("user_id", "phone"))])


def test_what_is_sent_whole_is_looked_up_too(con):
    """The newest version's rows, whoever sent them."""
    row(con, "1", 1, name="1", sku="138 2234 5678", changed="2026-01-05")
    row(con, "2", 1, name="1", sku="139 2234 5678", changed="2026-01-06")
    core = (
        "  orders: {order_id: name, updated_at: changed, together: order_id, "
        """identifier_type: "'phone'", identifier_value: sku}"""
    )
    assert linked(con, core) == [("1", "+8613922345678")]
