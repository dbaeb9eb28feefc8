"""The CRM exports carry the dirt that was planted, and no address that reaches anybody."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from typing import Any

import phonenumbers
import pytest

from lakehouse.sample.purchases import addresses

RESERVED = {"example.com", "example.org", "example.net"}


def is_moment(text: str) -> bool:
    try:
        return bool(dt.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=dt.UTC))
    except ValueError:
        return False


def test_hubspot_bad_rows_break_as_told(sample: Any) -> None:
    """Six rows are short, three have no date that exists, three have no key; all others have all fields."""
    (file,) = sample.of("hubspot/contacts")
    with file.path.open(encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text)
    found = Counter(
        sample.bad[file.path.name, n] for n in range(1, len(rows) + 1) if (file.path.name, n) in sample.bad
    )
    assert found == {"too_few_fields": 6, "bad_timestamp": 3, "missing_value": 3}
    for number, row in enumerate(rows, start=1):
        code = sample.bad.get((file.path.name, number))
        assert (len(row) < len(header)) == (code == "too_few_fields")
        assert (not row[0]) == (code == "missing_value")
        if len(row) == len(header):
            assert is_moment(row[13]) == (code != "bad_timestamp")
    ids = [row["Record ID"] for row in sample.good("hubspot/contacts")]
    assert len(ids) == len(set(ids))


def test_hubspot_dirt_is_counted_right(sample: Any) -> None:
    """The truth's counts of dirt are those of independent validators."""
    rows, counts = sample.good("hubspot/contacts"), sample.truth["counts"]["hubspot"]
    emails, phones = [r["Email"] for r in rows], [(r["Phone Number"], r["Country/Region"]) for r in rows]
    assert counts["contacts"] == len(rows)
    assert counts["missing_emails"] == emails.count("")
    assert counts["malformed_emails"] == sum(bool(e) and sample.clean_email(e) is None for e in emails)
    assert counts["upper_case_emails"] == sum(e.isupper() for e in emails)
    assert counts["padded_emails"] == sum(e != e.strip() for e in emails)
    assert counts["missing_phones"] == sum(not p for p, _ in phones)
    assert counts["malformed_phones"] == sum(bool(p) and sample.clean_phone(p, c) is None for p, c in phones)
    assert counts["shop_ids"] == sum(bool(r["Shop Customer ID"]) for r in rows)
    assert counts["consent_yes"] == sum(r["Marketing consent"] == "Yes" for r in rows)
    assert all(bool(r["Marketing consent"]) == bool(r["Marketing consent date"]) for r in rows)
    assert all(r["Original Source"] == "Generated sample" for r in rows)
    assert 0 < counts["malformed_phones"] < 0.03 * len(rows)


def test_shares_are_as_designed(sample: Any) -> None:
    """Coverage, overlap, names and duplicates lie near what the demo is meant to show."""
    people, counts = sample.truth["people"], sample.truth["counts"]
    hubspot = sum("hubspot" in p for p in people)
    assert hubspot / len(sample.truth["people"]) == pytest.approx(0.75, abs=0.03)
    assert counts["salesforce"]["contacts"] / len(sample.truth["people"]) == pytest.approx(0.35, abs=0.03)
    assert counts["salesforce"]["also_in_hubspot"] / counts["salesforce"]["contacts"] == pytest.approx(
        0.7, abs=0.04
    )
    twice = sum(len(p.get("hubspot", ())) > 1 for p in people)
    assert counts["hubspot"]["duplicates"] == twice == counts["hubspot"]["contacts"] - hubspot
    assert twice / hubspot == pytest.approx(0.02, abs=0.01)
    rows = sample.good("hubspot/contacts")
    assert sum(not r["Last Name"].isascii() for r in rows) / len(rows) == pytest.approx(0.4, abs=0.04)


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
    (file,) = sample.of("salesforce/contacts")
    assert all(
        line.startswith('"') and line.endswith('"') for line in file.path.read_text("utf-8").splitlines()
    )


def test_only_reserved_domains_and_fictional_american_numbers(sample: Any) -> None:
    """No generated address can reach anybody."""
    rows = [r["Email"] for r in (*sample.good("hubspot/contacts"), *sample.good("salesforce/contacts"))]
    traits = [e["traits"]["email"] for _, e in sample.events() if e["type"] == "identify"]
    truth = [email for p in sample.truth["people"] for email in p.get("emails", ())]
    for address in (*rows, *traits, *truth):
        _, at, domain = address.strip().lower().rpartition("@")
        assert not at or not domain or ".".join(domain.split(".")[-2:]) in RESERVED
    phones = [phone for p in sample.truth["people"] for phone in p.get("phones", ())]
    assert all(phone[5:10] == "55501" for phone in phones if phone.startswith("+1"))


def test_every_number_that_can_be_given_is_valid() -> None:
    """All area codes make valid American numbers, all 13x prefixes valid Chinese mobiles."""
    numbers = [f"+1{area}5550100" for area in addresses.US_AREA_CODES] + [
        f"+8613{n}00000000" for n in range(10)
    ]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    assert len(set(addresses.US_AREA_CODES)) == len(addresses.US_AREA_CODES)


def test_crm_rows_end_with_the_purchases(sample: Any) -> None:
    """No CRM row is created or changed after 1998-06-30, nor before 1997."""
    for row in sample.good("hubspot/contacts"):
        assert "1997" <= row["Create Date"] <= row["Last Modified Date"] <= "1998-06-30 24"
    for row in (*sample.good("salesforce/contacts"), *sample.good("salesforce/opportunities")):
        assert "1997" <= row["CreatedDate"] <= row["LastModifiedDate"] <= "1998-06-30T24"
