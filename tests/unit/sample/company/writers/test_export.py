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


def _matching(company_files: Any, entity: str, column: str, pattern: str) -> int:
    table = entity.replace("/", "_")
    return company_files.value(f"SELECT count(*) FROM {table} WHERE regexp_matches({column}, ?)", pattern)


@pytest.mark.parametrize(("entity", "column"), PHONES)
def test_phones_are_spoilt_as_often_as_the_truth_says(company: Any, entity: str, column: str) -> None:
    """Every phone is of one known form, and each form is as frequent as told; near the rate that was asked for."""
    table, rates = entity.replace("/", "_"), company.plants.dirt
    counts = {form: _matching(company, entity, column, pattern) for form, pattern in WRITTEN.items()}
    phones = company.value(f"SELECT count({column}) FROM {table}")
    assert sum(counts.values()) == phones
    for form, count in counts.items():
        if form != "plain":
            assert count == company.truth["dirt"][f"{entity}.{column}.{form}"]
            rate = getattr(rates, form)
            assert count / phones == pytest.approx(rate, abs=4 * (rate / phones) ** 0.5)


def test_phones_are_mobile_numbers_of_china(company: Any) -> None:
    """What is not spoilt by a spreadsheet is a valid number."""
    numbers = company.rows("SELECT phone FROM crm_contacts WHERE NOT phone LIKE '%E+10' LIMIT 300")
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(text, "CN")) for (text,) in numbers)


@pytest.mark.parametrize(("entity", "column"), SPACED)
def test_spaces_stand_behind_as_many_values_as_the_truth_says(company: Any, entity: str, column: str) -> None:
    """A value with a space behind is one of those that the truth counts."""
    count = _matching(company, entity, column, " $")
    assert count == company.truth["dirt"][f"{entity}.{column}.trailing_space"] > 0


def test_mails_are_missing_as_often_as_the_truth_says(company: Any) -> None:
    """A contact without an e-mail either never had one or lost it; the second is counted."""
    missing = company.value("SELECT count(*) FROM crm_contacts WHERE email IS NULL")
    lost = company.truth["dirt"]["crm/contacts.email.missing_email"]
    share = company.plants.dirt.missing_email
    assert 0 < lost <= missing
    assert lost / (company.value("SELECT count(email) FROM crm_contacts") + lost) == pytest.approx(
        share, abs=0.03
    )


@pytest.mark.parametrize(("entity", "column"), DATES)
def test_one_file_mixes_three_ways_to_write_a_moment(company: Any, entity: str, column: str) -> None:
    """2026/1/5 13:04 and 2026年1月5日 13:04 stand among 2026-01-05 13:04:09, each as often as told."""
    slash = _matching(company, entity, column, r"^\d{4}/\d{1,2}/\d{1,2} \d\d:\d\d$")
    chinese = _matching(company, entity, column, r"^\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d$")
    usual = _matching(company, entity, column, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
    assert slash + chinese + usual == company.truth["rows"][entity]
    assert slash == company.truth["dirt"][f"{entity}.{column}.slash_date"] > 0
    assert chinese == company.truth["dirt"][f"{entity}.{column}.chinese_date"] > 0


@pytest.mark.parametrize("entity", DUPLICATED)
def test_rows_come_twice_as_often_as_the_truth_says(company: Any, entity: str) -> None:
    """A row that is there twice is there twice alike."""
    table = entity.replace("/", "_")
    again = company.value(
        f"SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM {table})) FROM {table}"
    )
    assert again == company.truth["dirt"][f"{entity}.rows.duplicate_row"]
    assert again > 0 or company.truth["rows"][entity] < 1_000


def test_messages_come_twice_as_often_as_the_truth_says(company: Any) -> None:
    """A message that is sent again has the id of the first."""
    messages, ids = company.row("SELECT count(*), count(DISTINCT json ->> '$.messageId') FROM web_events")
    assert messages - ids == company.truth["dirt"]["web/events.rows.duplicate_row"] > 0


@pytest.mark.parametrize("entity", ["crm/contacts", "shop/orders"])
def test_empty_strings_differ_from_empty_fields(company: Any, entity: str) -> None:
    """A remark is an empty field, or quoted and empty, as often as told."""
    empty = company.value(f"SELECT count(*) FROM {entity.replace('/', '_')} WHERE remark = ''")
    assert empty == company.truth["dirt"][f"{entity}.remark.empty_string"] > 0


def test_every_fault_that_is_counted_is_looked_for(company: Any) -> None:
    """No count of the truth is beyond these tests."""
    looked_for = {
        f"{entity}.{column}.{form}" for entity, column in PHONES for form in WRITTEN if form != "plain"
    }
    looked_for |= {f"{entity}.{column}.trailing_space" for entity, column in SPACED}
    looked_for |= {
        f"{entity}.{column}.{form}_date" for entity, column in DATES for form in ("slash", "chinese")
    }
    looked_for |= {f"{entity}.rows.duplicate_row" for entity in (*DUPLICATED, "web/events")}
    looked_for |= {f"{entity}.remark.empty_string" for entity in ("crm/contacts", "shop/orders")}
    assert company.truth["dirt"].keys() == looked_for | {"crm/contacts.email.missing_email"}


def test_a_clean_company_has_no_faults(bare: Any) -> None:
    """With every rate at zero nothing is spoilt, and the truth says so."""
    assert set(bare.truth["dirt"].values()) == {0}
    for entity, column in PHONES:
        assert _matching(bare, entity, column, WRITTEN["plain"]) == bare.value(
            f"SELECT count({column}) FROM {entity.replace('/', '_')}"
        )
    assert all(_matching(bare, entity, column, " $") == 0 for entity, column in SPACED)
    for entity in DUPLICATED:
        table = entity.replace("/", "_")
        assert (
            bare.value(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {table})") == bare.truth["rows"][entity]
        )
