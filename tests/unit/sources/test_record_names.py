"""How a statement from elsewhere names another source's record."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.sources.definition import load
from lakehouse.sources.record_names import RecordNames, whole_id_sql

SHIPPED = RecordNames.of(load().values())


@pytest.mark.parametrize(
    ("system", "kind", "named"),
    [
        ("crm", "crm_id", "7"),
        ("crm", "crm_lead", "crm_lead:7"),
        ("shop", "user_id", "7"),
        ("meta", "meta_lead", "7"),
        ("meta", "meta_id", "7"),
        ("wechat", "wechat_lead", "wechat_lead:7"),
        ("wechat", "wechat_id", "7"),
        ("shopify", "shopify_customer", "7"),
        ("nobody", "crm_lead", "7"),
    ],
)
def test_an_id_alone_names_the_record_of_one_type(system, kind, named):
    """A lead's number may be a contact's; a source of one type of records has no other."""
    sql = SHIPPED.record_sql("source", "kind", "record")
    asked = duckdb.execute(
        f"SELECT {sql} FROM (SELECT $1 AS source, $2 AS kind, '7' AS record)", [system, kind]
    )
    assert asked.fetchone() == (named,)


@pytest.mark.parametrize(
    ("kind", "value", "whole"),
    [
        ("salesforce_id", "0035e00000AbCdE", "0035e00000AbCdEAAV"),
        ("crm_id", "0035e00000AbCdE", "0035e00000AbCdE"),
        (None, "0035e00000AbCdE", "0035e00000AbCdE"),
    ],
)
def test_both_spellings_of_salesforce_are_one(kind, value, whole):
    """Whoever copies an id from a page has 15 characters of it, tables have 18."""
    asked = duckdb.execute(
        f"SELECT {whole_id_sql('kind', 'value')} FROM (SELECT $1::VARCHAR AS kind, $2 AS value)",
        [kind, value],
    )
    assert asked.fetchone() == (whole,)
