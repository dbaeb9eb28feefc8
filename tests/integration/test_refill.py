"""Refill ends where ingest would have begun: had the mapping named the column from the start."""

from __future__ import annotations

import json

import pytest

from lakehouse.errors import Terminal
from lakehouse.stages.refill_source import list_sources, refill_source
from lakehouse.tables.catalog import ensure, open_catalog
from tests.support.raw_files import a_company

pytestmark = pytest.mark.stack
HEAD = """
source: {source}
entity: things
doc: Things
grain: one row a version
format: {format}
columns:
  - {{name: id, from: Id, doc: Id}}
"""
MORE = """
  - {name: n, from: N, type: long, doc: N}
  - {name: price, from: "Price, net", type: "decimal(8,2)", doc: Price}
  - {name: at, from: At, type: timestamptz, doc: At}
  - {name: store, from: Store, doc: Store}
"""
JSON_ONLY = """
  - {name: tags, from: tags, json_type: object, doc: Tags}
"""
CSV = (
    'ID,n,"Price, net",AT,Store,Other\n'
    "1,5, 1.50 ,2026-01-01T00:00:00Z, north ,x\n"
    "2,7.0,1e2,2026-01-01,,\n"
    '3,,,,"say ""hi""",y\n'
)
NDJSON = "\n".join(
    json.dumps(row)
    for row in [
        {
            "Id": "1",
            "N": 5,
            "Price, net": "1.50",
            "At": "2026-01-01T00:00:00Z",
            "Store": "north",
            "Other": [1],
        },
        {"Id": "2", "N": 7.0, "Price, net": 1.5, "At": None, "Store": "", "tags": {"a": {"b": 1}}},
        {"Id": "3", "Store": 12, "tags": None},
        {"Id": 4, "Store": True, "n": 1},
        {"Id": 5, "N": 9007199254740993, "Price, net": 999999.99, "Store": {"a": 'é " \\ 中'}},
    ]
)


def definitions(folder, source, kind, *columns):
    (folder / "sources").mkdir(parents=True)
    text = HEAD.format(source=source, format=kind) + "".join(columns)
    (folder / "sources" / f"{source}.yaml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(("kind", "body"), [("csv", CSV), ("ndjson", NDJSON)])
def test_refill_is_what_ingest_would_have_loaded(landing, tmp_path, kind, body):
    """The same file under the wide mapping at once, and under the narrow one and refilled, gives the same rows."""
    more = (MORE, JSON_ONLY) if kind == "ndjson" else (MORE,)
    with a_company(landing) as company:
        at_once = definitions(tmp_path / "at_once", "direct", kind, *more)
        narrow = definitions(tmp_path / "narrow", "later", kind)
        wide = definitions(tmp_path / "wide", "later", kind, *more)
        company.settings = landing.model_copy(update={"definitions": at_once})
        company.ingest(company.put(f"direct/things/a.{kind}", body.encode()))
        company.settings = landing.model_copy(update={"definitions": narrow})
        company.ingest(company.put(f"later/things/a.{kind}", body.encode()))
        before = company.rows("raw.later_things")
        assert all(row["extra"] for row in before[:2])

        company.settings = landing.model_copy(update={"definitions": wide})
        done = refill_source(company.settings, "later/things")
        after = company.rows("raw.later_things")
        own = ("_file_id", "_loaded_at")
        assert [{name: row[name] for name in row if name not in own} for row in after] == [
            {name: row[name] for name in row if name not in own} for row in company.rows("raw.direct_things")
        ]
        assert [[row[name] for name in own] for row in after] == [
            [row[name] for name in own] for row in before
        ]
        assert done["commits"] == 1
        assert done["moved"]["n"] > 1
        assert refill_source(company.settings, "later/things")["commits"] == 0


def test_a_source_that_nobody_defined(landing):
    """The error names those that there are."""
    with pytest.raises(Terminal, match=r"no source a/b; `lakehouse sources list` shows all"):
        refill_source(landing, "a/b")


def test_what_sources_say_of_themselves(lake):
    """With the field ids of the tables, which a migration that drops a column has to name."""
    found = {(one["source"], one["entity"]): one for one in list_sources(lake)}
    orders = found["shop", "orders"]
    assert (orders["table"], orders["format"]) == ("raw.shop_orders", "csv")
    assert orders["columns"][0] == {"id": 5, "name": "order_id", "type": "string", "from": "order_id"}
    assert {one["table"] for one in found.values()} >= {"raw.events", "raw.shop_orders"}


def test_ids_are_the_tables(lake):
    """What `sources list` shows is what stands in the catalog."""
    from lakehouse.sources.definition import load

    source = load()["shop", "orders"]
    table = ensure(open_catalog(lake), source.contract)
    ids = {field.name: field.field_id for field in table.schema().fields}
    shown = next(one for one in list_sources(lake) if one["table"] == source.table)["columns"]
    assert {column["name"]: column["id"] for column in shown}.items() <= ids.items()
