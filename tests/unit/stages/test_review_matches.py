"""What a person is asked: of two customers once, the heaviest first, with what both say."""

from __future__ import annotations

import json

import duckdb
import pytest

from lakehouse.stages.review_matches import pairs
from lakehouse.tables import views
from lakehouse.tables.people import EVIDENCE, IDENTITIES, MATCHES, OBSERVATIONS

WHY = json.dumps([{"bits": 7.04, "comparison": "chinese_name", "level": "same sound"}])


@pytest.fixture
def con():
    """Four contacts: 1 and 2 are one customer; each may be 3, and 4 contradicts them."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA core")
    for contract in (EVIDENCE, IDENTITIES, MATCHES, OBSERVATIONS):
        con.execute(f"CREATE TABLE {contract.name} AS {views.nothing_sql(contract)}")
    for number, customer in (("1", "c_a"), ("2", "c_a"), ("3", "c_b"), ("4", "c_d")):
        record = f"crm:contact:{number}"
        con.execute(
            "INSERT INTO core.evidence (source, record, slot, identifier_type, identifier_value, own, standing, since) "
            "VALUES ('crm:contacts', $1, 'crm_id', 'crm_id', $2, true, 'ties', now()), "
            "('crm:contacts', $1, 'phone', 'phone', '+86' || $2, false, 'ties', now())",
            [record, number],
        )
        con.execute(
            "INSERT INTO core.identities (identifier_type, identifier_value, customer_id) VALUES ('crm_id', $1, $2)",
            [number, customer],
        )
        con.execute(
            "INSERT INTO core.observations (source, record, slot, type, value, loaded_at, row) "
            "VALUES ('crm:contacts', $1, 'person', 'person', $2, now(), 1)",
            [record, json.dumps({"name": f"Zhang {number}", "city": None}, indent=None)],
        )
    for left, right, bits, standing in (
        ("1", "3", 2.0, "review"),
        ("2", "3", 4.0, "review"),
        ("1", "4", 9.0, "denied"),
    ):
        con.execute(
            "INSERT INTO core.matches (left_source, left_record, right_source, right_record, weight_bits, standing, "
            "explanation) VALUES "
            "('crm:contacts', 'crm:contact:' || $1, 'crm:contacts', 'crm:contact:' || $2, $3, $4, $5)",
            [left, right, bits, standing, WHY],
        )
    yield con
    con.close()


def test_of_two_customers_the_heaviest_pair_is_asked(con):
    """One word decides for both."""
    (pair,) = pairs(con, "review", 10)
    assert (pair.left.name, pair.right.name, pair.weight_bits) == ("crm_id:2", "crm_id:3", 4.0)
    assert (pair.left.customer_id, pair.right.customer_id) == ("c_a", "c_b")
    assert pair.left.says == {"name": "Zhang 2", "phone": "+862"}
    assert [(reason.comparison, reason.level, reason.bits) for reason in pair.reasons] == [
        ("chinese_name", "same sound", 7.0)
    ]
    assert json.loads(json.dumps(pair.as_json()))["right"]["says"] == {"name": "Zhang 3", "phone": "+863"}


def test_each_standing_by_itself(con):
    assert [pair.right.name for pair in pairs(con, "denied", 10)] == ["crm_id:4"]
    assert pairs(con, "apart", 10) == []
    assert pairs(con, "review", 0) == []
