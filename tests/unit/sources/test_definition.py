"""Source definitions: the shipped ones hold, wrong ones say where, a folder of people's own overrides them."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.engine import normal_forms
from lakehouse.engine.escape import identifier
from lakehouse.errors import BadDefinition
from lakehouse.ingest.reading.typed_rows import create_unit
from lakehouse.sources.definition import declared_references, find_own, load, parse
from lakehouse.sources.evidence_views import observations_sql, people_sql
from lakehouse.sources.mappable_entities import ENTITIES
from lakehouse.sources.mapping_views import entity_sql, tables_of
from tests.support.lakes import duck_of

SHIPPED = sorted(load())
GOOD = {
    "source": "erp",
    "entity": "invoices",
    "doc": "Invoices",
    "grain": "one row an invoice",
    "format": "csv",
    "key": ["id"],
    "columns": [
        {"name": "id", "from": "Id", "required": True, "doc": "Id"},
        {"name": "total", "from": "Total", "type": "decimal(12,2)", "doc": "Total"},
    ],
}


def text_of(**changes):
    return yaml.safe_dump(GOOD | changes, allow_unicode=True)


def with_column(**changes):
    return {"columns": [*GOOD["columns"], {"name": "more", "from": "More", "doc": "More"} | changes]}


@pytest.fixture
def con(lake):
    """Return a connection with every raw table, empty."""
    with duck_of(lake) as con:
        con.execute("CREATE SCHEMA raw")
        for source in load().values():
            columns = (f"{identifier(column.name)} {column.duck_type}" for column in source.contract.columns)
            con.execute(f"CREATE TABLE {source.table} ({', '.join(columns)})")
        normal_forms.create(con)
        yield con


def test_what_is_shipped():
    """The sources that the project promises."""
    promised = {
        "hubspot": "contacts",
        "salesforce": "contacts",
        "shop": "orders",
        "web": "events",
        "zoho": "contacts",
    }
    assert promised.items() <= set(SHIPPED)
    assert load()["web", "events"].table == "raw.events"
    assert load()["shop", "orders"].table == "raw.shop_orders"


def test_who_is_looked_up_by_a_phone_has_a_country():
    """Who is who knows numbers in one form only, which of a national one its country makes."""
    found = [
        "/".join(place)
        for place, source in load().items()
        for entity in source.core
        for mapping in source.mappings(entity)
        if "'phone'" in mapping.get("identifier_type", "") and source.region == "NULL"
    ]
    assert found == []


def test_countries_become_regions_in_one_way():
    """A list of countries in a definition would know fewer than `country_region` does."""
    lists = ["/".join(key) for key, source in load().items() if "'China'" in source.region]
    assert lists == []
    assert sum("country_region(country)" in source.region for source in load().values()) == 9


def test_records_are_people():
    """An e-mail in many records of a source counts as a shared mailbox: no order is a record, its customer is."""
    assert {place for place, source in load().items() if "order:" in (source.record or "")} == set()


@pytest.mark.parametrize("place", SHIPPED)
def test_a_raw_table_begins_with_where_its_rows_came_from(place):
    """File, row and time come first, at field ids that no mapping can move; then what the mapping leaves over."""
    ids = load()[place].contract.field_ids()
    assert [ids[name] for name in ("_file_id", "_row", "_loaded_at", "extra")] == [1, 2, 3, 4]


@pytest.mark.parametrize("place", SHIPPED)
def test_shipped_sql_runs(place, con):
    """Checks and mappings are SQL that people write: each runs on its table."""
    source = load()[place]
    create_unit(con, source)
    for check in source.checks:
        assert con.execute(f"SELECT count(*) FROM unit WHERE {check.when}").fetchone() == (0,)
    for entity in source.core:
        assert con.execute(entity_sql(entity, [source])).fetchall() == []
    assert con.execute(observations_sql([source])).fetchall() == []
    assert con.execute(people_sql(f"({observations_sql([source])})")).fetchall() == []


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_every_entity_has_its_columns(entity, con):
    """Over all sources, over those that map something else, and over none."""
    sources = list(load().values())
    expected = [*ENTITIES[entity], "_loaded_at", "_file_id", "_row"]
    for some in (sources, [s for s in sources if entity not in s.core], []):
        assert [column[0] for column in con.execute(entity_sql(entity, some)).description] == expected
    assert tables_of(entity, sources) == {s.table for s in sources if entity in s.core}


def test_an_order_means_the_same_in_every_shop(con):
    """A mapped row says what the raw one says, in the company's words."""
    con.execute(
        "INSERT INTO raw.shop_orders (_file_id, _row, _loaded_at, order_id, customer_id, ordered_at, quantity, amount) "
        "VALUES ('f', 1, '2026-01-01', 'o1', '42', '1997-01-01', 2, 11.77)"
    )
    answer = con.execute(f"SELECT * FROM ({entity_sql('orders', load().values())})")
    (order,) = answer.to_arrow_table().to_pylist()
    assert (order["order_id"], order["identifier_type"], order["identifier_value"]) == ("o1", "user_id", "42")
    assert (str(order["amount"]), order["currency"], order["source"]) == ("11.77", "USD", "shop")
    found = con.execute(
        f"SELECT record, source, type, value FROM ({observations_sql(load().values())})"
    ).fetchall()
    assert found == [("shop:customer:42", "shop:orders", "user_id", "42")]


def test_silence_is_no_consent(con):
    """Only a plain yes or no of HubSpot counts; Salesforce's flag can take consent away and never give it."""
    con.execute(
        "INSERT INTO raw.hubspot_contacts (record_id, marketing_consent) "
        "SELECT unnest(['1', '2', '3', '4']), unnest(['Yes', 'no', 'perhaps', NULL])"
    )
    con.execute(
        "INSERT INTO raw.salesforce_contacts (id, opted_out_of_email) "
        "SELECT unnest(['5', '6', '7']), unnest([true, false, NULL])"
    )
    rows = con.execute(
        f"SELECT record, bool_and(granted) FROM ({entity_sql('consents', load().values())}) "
        "GROUP BY record ORDER BY record"
    )
    assert rows.fetchall() == [
        ("1", True), ("2", False), ("3", None), ("4", None), ("5", False), ("6", None), ("7", None),
    ]  # fmt: skip


BAD = {
    "not yaml": ("a: [", "not YAML"),
    "empty": ("", "the whole file"),
    "a list": ("- a", "the whole file"),
    "unknown field": (text_of(colour="red"), "colour"),
    "no format": (yaml.safe_dump({k: v for k, v in GOOD.items() if k != "format"}), "format"),
    "wrong format": (text_of(format="xml"), "format"),
    "hostile source": (text_of(source='a"; DROP'), "source"),
    "no columns": (yaml.safe_dump({k: v for k, v in GOOD.items() if k != "columns"}), "columns"),
    "hostile column": (text_of(**with_column(name="a b")), r"columns\.2\.name"),
    "system column": (text_of(**with_column(name="extra")), "share a name"),
    "twice": (text_of(**with_column(name="id")), "share a name"),
    "column without from": (text_of(columns=[{"name": "a", "doc": "A"}]), r"columns\.a\.from"),
    "unknown type": (text_of(**with_column(type="money")), "money"),
    "too wide": (text_of(**with_column(type="decimal(39,2)")), r"decimal\(39,2\)"),
    "impossible scale": (text_of(**with_column(type="decimal(2,3)")), r"decimal\(2,3\)"),
    "half a decimal": (text_of(**with_column(type="decimal(12")), "decimal"),
    "key of nothing": (text_of(key=["nothing"]), "nothing"),
    "sort of nothing": (text_of(sort=["nothing"]), "nothing"),
    "unknown transform": (text_of(partition=["hour(id)"]), r"hour\(id\)"),
    "partition of nothing": (text_of(partition=["day(nothing)"]), "nothing"),
    "dedupe of nothing": (text_of(dedupe={"column": "nothing", "days": 7}), "nothing"),
    "dedupe by what is not said": (
        text_of(dedupe={"column": "id", "days": 7, "content": ["totel"]}),
        r"dedupe\.content: there is no column totel; did you mean total\?",
    ),
    "dedupe of no days": (text_of(dedupe={"column": "id", "days": 0}), r"dedupe\.days"),
    "identifiers of nobody": (text_of(identifiers=[{"type": "email", "value": "id"}]), "record"),
    "unknown entity": (text_of(core={"orderz": {"order_id": "id"}}), "orderz"),
    "reference to no entity": (text_of(references={"product": "shop"}), "did you mean products"),
    "reference to what nobody names": (text_of(references={"weather": "shop"}), r"references\.weather"),
    "unknown core column": (text_of(core={"orders": {"order_idd": "id"}}), "order_idd"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_wrong_definition_says_where(name):
    """File and field, so that whoever wrote it can put it right."""
    text, field = BAD[name]
    with pytest.raises(BadDefinition, match=field) as caught:
        parse(text, "erp_invoices.yaml")
    assert str(caught.value).startswith("erp_invoices.yaml: ")


def test_the_good_one_is_good():
    """What the wrong ones differ from."""
    assert parse(text_of(), "x.yaml").contract.field_ids()["total"] == 6


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes people's own definitions, and the folder they are in."""
    (tmp_path / "mine" / "sources").mkdir(parents=True)

    def write(name, text):
        (tmp_path / "mine" / "sources" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "mine"

    return write


def test_own_definitions_come_on_top(folder):
    """A new source is added; one that is shipped is replaced, whatever the file is called."""
    folder("erp.yaml", text_of())
    mine = folder("a.yaml", text_of(source="shop", entity="orders", doc="Mine"))
    found = load(mine)
    assert found.keys() == load().keys() | {("erp", "invoices")}
    assert found["shop", "orders"].doc == "Mine"
    assert load()["shop", "orders"].doc != "Mine"


def test_a_folder_without_sources_changes_nothing(tmp_path):
    """It may hold segments or models alone."""
    assert load(tmp_path) == load()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    """A typing error in LAKEHOUSE_DEFINITIONS must not pass for the shipped definitions."""
    with pytest.raises(BadDefinition, match="LAKEHOUSE_DEFINITIONS"):
        load(tmp_path / "missing")


def test_two_definitions_of_one_source_are_refused(folder):
    """Nobody could say which one holds."""
    folder("a.yaml", text_of())
    with pytest.raises(BadDefinition, match=r"b\.yaml: erp/invoices is defined by a\.yaml too"):
        load(folder("b.yaml", text_of()))


def test_references_that_contradict_each_other_are_refused(folder):
    """One source uses one source's ids of an entity, whichever of its definitions says so."""
    folder("a.yaml", text_of(references={"products": "shop", "places": "places"}))
    mine = folder("b.yaml", text_of(entity="credits", references={"products": "shop"}))
    declared = declared_references(load(mine).values())
    assert {names: whose for names, whose in declared.items() if names[0] == "erp"} == {
        ("erp", "products"): "shop",
        ("erp", "places"): "places",
    }
    load.cache_clear()
    folder("b.yaml", text_of(entity="credits", references={"products": "pim"}))
    with pytest.raises(BadDefinition, match=r"erp .* products are those of shop and of pim"):
        load(mine)


def test_two_sources_of_one_table_are_refused(folder):
    """`a_b/c` and `a/b_c` would both be raw.a_b_c."""
    folder("a.yaml", text_of(source="a_b", entity="c"))
    with pytest.raises(BadDefinition, match=r"raw\.a_b_c"):
        load(folder("b.yaml", text_of(source="a", entity="b_c")))


@pytest.mark.parametrize("text", ["a: [", b"\xff\xfe", text_of(format="xml")])
def test_a_wrong_file_in_the_folder_is_named(folder, text):
    """Whatever is wrong with it."""
    with pytest.raises(BadDefinition, match=r"^mine\.yaml: "):
        load(folder("mine.yaml", text))


def test_a_definition_that_came_is_read(tmp_path):
    """Without a restart: one that is new, changed or gone counts from the next look on; else nothing is read again."""
    (tmp_path / "sources").mkdir()
    before = load(tmp_path)
    assert load(tmp_path) is before
    file = tmp_path / "sources" / "bills.yaml"
    file.write_text(text_of(entity="bills"), "utf-8")
    assert load(tmp_path)["erp", "bills"].doc == "Invoices"
    file.write_text(text_of(entity="bills", doc="Bills, and more"), "utf-8")
    assert load(tmp_path)["erp", "bills"].doc == "Bills, and more"
    file.unlink()
    assert ("erp", "bills") not in load(tmp_path)


def test_both_endings_of_yaml_count(folder):
    """And the file that defines a source is found whatever it is called, in a folder too."""
    mine = folder("bills.yml", text_of())
    assert load(mine)["erp", "invoices"].doc == "Invoices"
    found = find_own(mine, ("erp", "invoices"))
    assert found is not None
    assert (found[0].source_key, found[1]) == (("erp", "invoices"), mine / "sources" / "bills.yml")
    assert find_own(mine, ("shop", "orders")) is None
