"""Salesforce's ids check, and its deals have contacts."""

from __future__ import annotations

from typing import Any


def test_salesforce_ids_check_and_deals_have_contacts(sample: Any) -> None:
    """Ids are 18 characters whose last three encode the case of the others; a deal names a known contact."""
    contacts, deals = sample.good("salesforce/contacts"), sample.good("salesforce/opportunities")
    accounts = {contact["Id"]: contact["AccountId"] for contact in contacts}
    assert len(accounts) == len(contacts)
    for record_id in (*accounts, *accounts.values(), *(deal["Id"] for deal in deals)):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
        for part in range(3):
            chunk = record_id[5 * part : 5 * part + 5]
            assert record_id[15 + part] == alphabet[sum(c.isupper() << i for i, c in enumerate(chunk))]
        assert len(record_id) == 18
    assert deals
    assert all(accounts[deal["ContactId"]] == deal["AccountId"] for deal in deals)
    assert {row["LeadSource"] for row in (*contacts, *deals)} == {"Generated sample"}
    (file,) = sample.files_of("salesforce/contacts")
    assert all(
        line.startswith('"') and line.endswith('"') for line in file.path.read_text("utf-8").splitlines()
    )


def test_every_account_and_owner_that_a_record_names_is_exported(sample: Any) -> None:
    """Once each; salespeople take turns, and their addresses are reserved ones."""
    contacts, deals = sample.good("salesforce/contacts"), sample.good("salesforce/opportunities")
    accounts, users = sample.good("salesforce/accounts"), sample.good("salesforce/users")
    account_ids, user_ids = ([row["Id"] for row in rows] for rows in (accounts, users))
    assert len(set(account_ids)) == len(account_ids)
    assert len(set(user_ids)) == len(user_ids)
    assert {row["AccountId"] for row in (*contacts, *deals)} == set(account_ids)
    assert {row["OwnerId"] for row in (*accounts, *deals)} <= set(user_ids)
    assert (
        {row["AccountSource"] for row in accounts} == {row["Title"] for row in users} == {"Generated sample"}
    )
    assert all(row["Email"].endswith(".example") for row in users)
    assert all(len(record_id) == 18 for record_id in (*account_ids, *user_ids))
