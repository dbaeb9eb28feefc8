"""`lakehouse.connect()` on a lake that is filled: one connection sees one state."""

from __future__ import annotations

import lakehouse
from tests.support.small_company import SmallCompany


def test_a_connection_sees_the_tables_as_they_stood(company: SmallCompany):
    """What is committed later is seen by later connections: one question has one answer."""
    company.orders("1.csv", "O1,C1,2026-01-05,10.00")
    early = lakehouse.connect()
    company.orders("2.csv", "O2,C1,2026-01-06,5.00")
    late = lakehouse.connect()
    query = "select count(*), sum(amount) from raw.shop_orders"
    assert [con.execute(query).fetchone() for con in (early, late)] == [(1, 10), (2, 15)]
    assert early.execute(query).fetchone() == (1, 10)
    early.close()
    late.close()


def test_people_may_join_their_own_tables(company: SmallCompany):
    """The connection is theirs: it is DuckDB's, in memory."""
    company.orders("1.csv", "O1,C1,2026-01-05,10.00")
    con = lakehouse.connect()
    con.execute("create table mine as select 'C1' as customer_id, 'vip' as tier")
    query = "select tier, amount from raw.shop_orders join mine using (customer_id)"
    assert con.execute(query).fetchall() == [("vip", 10)]
    con.close()
