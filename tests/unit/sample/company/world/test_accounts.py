"""Accounts of the shop."""

from __future__ import annotations

from typing import Any

CLEAN_PHONE = (
    r"""right(regexp_replace(translate(phone, '０１２３４５６７８９', '0123456789'), '\D', '', 'g'), 11)"""
)


def test_one_person_has_eight_accounts(company: Any, bare: Any) -> None:
    """So many phones of the shop have more than four accounts as people were given eight; elsewhere none has."""
    many = f"""SELECT count(*) FROM (SELECT {CLEAN_PHONE} AS number FROM (SELECT DISTINCT * FROM shop_customers)
               WHERE phone NOT LIKE '%E+10' GROUP BY 1 HAVING count(*) > 4)"""
    planted = company.truth["facts"]["planted_eight_accounts"]
    assert planted == company.value(
        """SELECT count(*) FROM (SELECT person_id FROM truth_person_of_account GROUP BY 1 HAVING count(*) = 8)"""
    )
    assert planted - 2 <= company.value(many) <= planted  # some of the eight carry no phone, or another
    assert bare.value(many) == 0


def test_orders_name_accounts_that_existed_by_then(company: Any) -> None:
    """Nobody orders with an account that is registered later."""
    assert (
        company.value(
            """SELECT count(*) FROM shop_orders AS o
           JOIN (SELECT DISTINCT customer_id, created_at FROM shop_customers)
           USING (customer_id) WHERE o.ordered_at < created_at"""
        )
        == 0
    )
    assert company.value("SELECT count(*) FROM shop_orders ANTI JOIN shop_customers USING (customer_id)") == 0
