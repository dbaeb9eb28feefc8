"""Who is who: namesakes and households, found by SQL in the exports."""

from __future__ import annotations

from typing import Any


def test_namesakes_differ_in_phone_address_and_birth_year(company: Any) -> None:
    """Two people who stand side by side are both 张伟, and nothing else of them is the same."""
    people = company.rows(
        """SELECT DISTINCT person_id, trim(c.name), c.address, c.birth_year, p.phone
           FROM crm_contacts AS c JOIN truth_person_of_contact USING (contact_id)
           JOIN truth_persons AS p USING (person_id)
           WHERE p.planted = 'namesake' ORDER BY person_id"""
    )
    assert len(people) == company.truth["facts"]["planted_namesake"] > 0
    for (person, *first), (neighbour, *second) in zip(people[::2], people[1::2], strict=True):
        assert neighbour == person + 1
        assert first[0] == second[0] == "张伟"
        assert all(value != other_value for value, other_value in zip(first[1:], second[1:], strict=True))


def test_who_shares_a_household_shares_the_address(company: Any) -> None:
    """Households have one address each and now and then several people; their head heads them."""
    households, people, addresses = company.row(
        """SELECT count(DISTINCT household_id), count(*), count(DISTINCT (household_id, address))
           FROM truth_household_of_person JOIN truth_persons USING (person_id)"""
    )
    assert households == addresses == company.truth["facts"]["households"]
    assert people == company.truth["customers"] > 1.2 * households
