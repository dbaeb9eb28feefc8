"""Who is who: planted duplicates, namesakes and accounts, and households, found by SQL in the exports."""

from __future__ import annotations

from typing import Any

import pytest

AT_ONE_ADDRESS = """
    SELECT address, list(DISTINCT trim(name) ORDER BY trim(name)) AS names, list(contact_id) AS contacts
    FROM crm_contacts GROUP BY address
    HAVING list_has_all(names, ['张伟', '张炜', '张先生'])
"""
CLEAN_PHONE = (
    r"""right(regexp_replace(translate(phone, '０１２３４５６７８９', '0123456789'), '\D', '', 'g'), 11)"""
)


def test_three_spellings_at_one_address_are_one_person(company: Any) -> None:
    """张伟, 张炜 and 张先生 of one address are the same person, as often as the truth says."""
    found = company.rows(AT_ONE_ADDRESS)
    assert (
        len(found)
        == company.truth["facts"]["planted_near_duplicate"]
        == company.returned.scenario.customers // 500
    )
    for _, _, contacts in found:
        persons = company.rows(
            "SELECT DISTINCT person_id FROM truth_person_of_contact WHERE list_contains(?, contact_id)",
            contacts,
        )
        assert len(persons) == 1


def test_no_spelling_is_planted_where_none_was_asked_for(bare: Any) -> None:
    """Without planted identities nobody is found under all three names."""
    assert bare.rows(AT_ONE_ADDRESS) == []
    assert {count for name, count in bare.truth["facts"].items() if name.startswith("planted_")} == {0}


def test_namesakes_differ_in_phone_address_and_birth_year(company: Any) -> None:
    """Two people who stand side by side are both 张伟, and nothing else of them is the same."""
    people = company.rows(
        """SELECT DISTINCT person_id, trim(c.name), c.address, c.birth_year, p.phone
           FROM crm_contacts AS c JOIN truth_person_of_contact USING (contact_id)
           JOIN truth_persons AS p USING (person_id)
           WHERE p.planted = 'namesake' ORDER BY person_id"""
    )
    assert len(people) == company.truth["facts"]["planted_namesake"] > 0
    for (one, *first), (other, *second) in zip(people[::2], people[1::2], strict=True):
        assert other == one + 1
        assert first[0] == second[0] == "张伟"
        assert all(mine != theirs for mine, theirs in zip(first[1:], second[1:], strict=True))


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


@pytest.mark.parametrize("record", ["account", "contact", "lead"])
def test_every_record_has_its_person(company: Any, record: str) -> None:
    """The truth names one person for every account, contact and lead of the files, and for no other."""
    table, key = {
        "account": ("shop_customers", "customer_id"),
        "contact": ("crm_contacts", "contact_id"),
        "lead": ("crm_leads", "lead_id"),
    }[record]
    exported = set(company.rows(f"SELECT {key} FROM {table}"))
    ours = "" if record == "account" else "WHERE source = 'crm'"
    told = company.rows(f"SELECT {key} FROM truth_person_of_{record} {ours}")
    assert len(told) == len(set(told))
    assert set(told) == exported


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


def test_who_shares_a_household_shares_the_address(company: Any) -> None:
    """Households have one address each and now and then several people; their head heads them."""
    households, people, addresses = company.row(
        """SELECT count(DISTINCT household_id), count(*), count(DISTINCT (household_id, address))
           FROM truth_household_of_person JOIN truth_persons USING (person_id)"""
    )
    assert households == addresses == company.truth["facts"]["households"]
    assert people == company.truth["customers"] > 1.2 * households


def test_devices_belong_to_the_people_who_order_with_them(company: Any) -> None:
    """The device of an order made on the site is its customer's."""
    wrong, right = company.row(
        """SELECT count(*) FILTER (d.person_id <> a.person_id), count(*) FILTER (d.person_id = a.person_id)
           FROM web_events JOIN truth_person_of_device AS d ON json ->> '$.anonymousId' = d.anonymous_id
           JOIN truth_person_of_account AS a ON json ->> '$.userId' = a.customer_id"""
    )
    assert wrong == 0
    assert right > 10_000


def test_the_site_tells_every_order_made_there_once(company: Any) -> None:
    """Each order of the site and the app is a message, with its value; orders of the shops are none."""
    told = company.rows(
        """SELECT DISTINCT json ->> '$.properties.order_id', (json ->> '$.properties.revenue')::DECIMAL(12, 2),
                  json ->> '$.userId'
           FROM web_events WHERE json ->> '$.event' = 'Order Completed'"""
    )
    made = company.rows(
        """SELECT DISTINCT order_id, amount::DECIMAL(12, 2), customer_id FROM shop_orders WHERE channel <> 'store'"""
    )
    assert set(told) == set(made)
    assert len(told) == len(made) > 10_000
