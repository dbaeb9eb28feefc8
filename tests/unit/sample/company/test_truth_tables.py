"""The truth knows who is behind every record."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("record", ["account", "contact", "lead"])
def test_every_record_has_its_person(company: Any, record: str) -> None:
    """The truth names one person for every account, contact and lead of the files, and for no other."""
    table, key = {
        "account": ("shop_customers", "customer_id"),
        "contact": ("crm_contacts", "contact_id"),
        "lead": ("crm_leads", "lead_id"),
    }[record]
    exported = set(company.rows(f"SELECT {key} FROM {table}"))
    condition = "" if record == "account" else "WHERE source = 'crm'"
    in_truth = company.rows(f"SELECT {key} FROM truth_person_of_{record} {condition}")
    assert len(in_truth) == len(set(in_truth))
    assert set(in_truth) == exported
