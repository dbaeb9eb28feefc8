"""Planted duplicates of one person in the CRM."""

from __future__ import annotations

from typing import Any

AT_ONE_ADDRESS = """
    SELECT address, list(DISTINCT trim(name) ORDER BY trim(name)) AS names, list(contact_id) AS contacts
    FROM crm_contacts GROUP BY address
    HAVING list_has_all(names, ['张伟', '张炜', '张先生'])
"""


def test_three_spellings_at_one_address_are_one_person(company: Any) -> None:
    """张伟, 张炜 and 张先生 of one address are the same person, as often as the truth says."""
    groups = company.rows(AT_ONE_ADDRESS)
    assert (
        len(groups)
        == company.truth["facts"]["planted_near_duplicate"]
        == company.truth_returned.scenario.customers // 500
    )
    for _, _, contacts in groups:
        persons = company.rows(
            "SELECT DISTINCT person_id FROM truth_person_of_contact WHERE list_contains(?, contact_id)",
            contacts,
        )
        assert len(persons) == 1


def test_no_spelling_is_planted_where_none_was_asked_for(bare: Any) -> None:
    """Without planted identities nobody is found under all three names."""
    assert bare.rows(AT_ONE_ADDRESS) == []
    assert {count for name, count in bare.truth["facts"].items() if name.startswith("planted_")} == {0}
