"""Faults are as many as the truth says, and of the kind it says; found by SQL in the files."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytest

PHONES = (
    ("crm/contacts", "phone"),
    ("crm/leads", "phone"),
    ("douyin/leads", "电话"),
    ("wechat/leads", "电话"),
    ("shop/customers", "phone"),
    ("shop/orders", "receiver_phone"),
)
WRITTEN = {
    "excel_phone": r"^1\.\d\dE\+10$",
    "full_width_digits": r"^[０-９]{11}$",
    "dashed_phone": r"^1\d\d-\d{4}-\d{4}$",
    "prefixed_phone": r"^\+86 1\d\d \d{4} \d{4}$",
    "plain": r"^1\d{10}$",
}
SPACED = (
    ("crm/contacts", "name"),
    ("crm/contacts", "city"),
    ("crm/leads", "name"),
    ("shop/customers", "name"),
    ("shop/orders", "receiver_name"),
)
DATES = (("douyin/leads", "线索创建时间"), ("wechat/leads", "线索提交时间"))
DUPLICATED = (
    "crm/contacts",
    "crm/leads",
    "crm/tickets",
    "shop/customers",
    "shop/orders",
    "shop/payments",
    "douyin/leads",
    "wechat/leads",
    "google/leads",
)


def _matching(written: Any, place: str, column: str, pattern: str) -> int:
    table = place.replace("/", "_")
    return written.value(f"SELECT count(*) FROM {table} WHERE regexp_matches({column}, ?)", pattern)


@pytest.mark.parametrize(("place", "column"), PHONES)
def test_phones_are_spoilt_as_often_as_the_truth_says(company: Any, place: str, column: str) -> None:
    """Every phone is of one known form, and each form is as frequent as told; near the rate that was asked for."""
    table, rates = place.replace("/", "_"), company.plants.dirt
    found = {form: _matching(company, place, column, pattern) for form, pattern in WRITTEN.items()}
    phones = company.value(f"SELECT count({column}) FROM {table}")
    assert sum(found.values()) == phones
    for form, count in found.items():
        if form != "plain":
            assert count == company.truth["dirt"][f"{place}.{column}.{form}"]
            rate = getattr(rates, form)
            assert count / phones == pytest.approx(rate, abs=4 * (rate / phones) ** 0.5)


def test_phones_are_mobile_numbers_of_china(company: Any) -> None:
    """What is not spoilt by a spreadsheet is a valid number."""
    numbers = company.rows("SELECT phone FROM crm_contacts WHERE NOT phone LIKE '%E+10' LIMIT 300")
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(text, "CN")) for (text,) in numbers)


@pytest.mark.parametrize(("place", "column"), SPACED)
def test_spaces_stand_behind_as_many_values_as_told(company: Any, place: str, column: str) -> None:
    """A value with a space behind is one of those that the truth counts."""
    count = _matching(company, place, column, " $")
    assert count == company.truth["dirt"][f"{place}.{column}.trailing_space"] > 0


def test_mails_are_missing_as_often_as_told(company: Any) -> None:
    """A contact without an e-mail either never had one or lost it; the second is counted."""
    missing = company.value("SELECT count(*) FROM crm_contacts WHERE email IS NULL")
    lost = company.truth["dirt"]["crm/contacts.email.missing_email"]
    share = company.plants.dirt.missing_email
    assert 0 < lost <= missing
    assert lost / (company.value("SELECT count(email) FROM crm_contacts") + lost) == pytest.approx(
        share, abs=0.03
    )


@pytest.mark.parametrize(("place", "column"), DATES)
def test_one_file_mixes_three_ways_to_write_a_moment(company: Any, place: str, column: str) -> None:
    """2026/1/5 13:04 and 2026年1月5日 13:04 stand among 2026-01-05 13:04:09, each as often as told."""
    slash = _matching(company, place, column, r"^\d{4}/\d{1,2}/\d{1,2} \d\d:\d\d$")
    chinese = _matching(company, place, column, r"^\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d$")
    usual = _matching(company, place, column, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
    assert slash + chinese + usual == company.truth["rows"][place]
    assert slash == company.truth["dirt"][f"{place}.{column}.slash_date"] > 0
    assert chinese == company.truth["dirt"][f"{place}.{column}.chinese_date"] > 0


@pytest.mark.parametrize("place", DUPLICATED)
def test_rows_come_twice_as_often_as_told(company: Any, place: str) -> None:
    """A row that is there twice is there twice alike."""
    table = place.replace("/", "_")
    again = company.value(
        f"SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM {table})) FROM {table}"
    )
    assert again == company.truth["dirt"][f"{place}.rows.duplicate_row"]
    assert again > 0 or company.truth["rows"][place] < 1_000


def test_messages_come_twice_as_often_as_told(company: Any) -> None:
    """A message that is sent again has the id of the first."""
    messages, ids = company.row("SELECT count(*), count(DISTINCT json ->> '$.messageId') FROM web_events")
    assert messages - ids == company.truth["dirt"]["web/events.rows.duplicate_row"] > 0


@pytest.mark.parametrize("place", ["crm/contacts", "shop/orders"])
def test_empty_strings_differ_from_empty_fields(company: Any, place: str) -> None:
    """A remark is an empty field, or quoted and empty, as often as told."""
    empty = company.value(f"SELECT count(*) FROM {place.replace('/', '_')} WHERE remark = ''")
    assert empty == company.truth["dirt"][f"{place}.remark.empty_string"] > 0


def test_every_fault_that_is_counted_is_looked_for(company: Any) -> None:
    """No count of the truth is beyond these tests."""
    looked_for = {
        f"{place}.{column}.{form}" for place, column in PHONES for form in WRITTEN if form != "plain"
    }
    looked_for |= {f"{place}.{column}.trailing_space" for place, column in SPACED}
    looked_for |= {
        f"{place}.{column}.{form}_date" for place, column in DATES for form in ("slash", "chinese")
    }
    looked_for |= {f"{place}.rows.duplicate_row" for place in (*DUPLICATED, "web/events")}
    looked_for |= {f"{place}.remark.empty_string" for place in ("crm/contacts", "shop/orders")}
    assert company.truth["dirt"].keys() == looked_for | {"crm/contacts.email.missing_email"}


def test_a_clean_company_has_no_faults(bare: Any) -> None:
    """With every rate at zero nothing is spoilt, and the truth says so."""
    assert set(bare.truth["dirt"].values()) == {0}
    for place, column in PHONES:
        assert _matching(bare, place, column, WRITTEN["plain"]) == bare.value(
            f"SELECT count({column}) FROM {place.replace('/', '_')}"
        )
    assert all(_matching(bare, place, column, " $") == 0 for place, column in SPACED)
    for place in DUPLICATED:
        table = place.replace("/", "_")
        assert (
            bare.value(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {table})") == bare.truth["rows"][place]
        )
