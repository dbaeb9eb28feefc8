"""The normal form of names: case, marks, abbreviations and the entity's own name do not matter."""

from __future__ import annotations

import pytest

from lakehouse.sources.suggest.similarity import similarity
from lakehouse.sources.suggest.words import (
    Name,
    bracket_text,
    common_prefixes,
    is_custom_field,
    is_narrowed,
    name_of,
    names_of,
    strip_affix,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("E-mail addr", "email address"),
        ("CUST_NM", "Customer Name"),
        ("firstName", "First name"),
        ("Order #", "order number"),
        ("Categories", "category"),
        ("订单号", "订单编号"),
        ("订单ID", "订单编号"),
        ("创建日期", "创建时间"),
        ("最近修改时间", "最后更新时间"),
        ("回款金额（元）", "收款金额"),
        ("Date Created", "created at"),
        ("leadsourcecode", "Lead Source Code"),
        ("Account Name.id", "Account ID"),
        ("No. of Employees", "employee count"),
        ("Loss_Reason__c", "loss reason"),
        ("Contact IDs", "contact id"),
    ],
)
def test_one_name_in_two_spellings(left, right):
    """They are the same once in their normal form, or the same words."""
    assert similarity(name_of(left), name_of(right)) >= 0.97


def test_the_entitys_own_name_says_nothing():
    """In front, and in English behind too."""
    own = (name_of("order"), name_of("订单"))
    assert strip_affix(name_of("Order Status"), own) == name_of("status")
    assert strip_affix(name_of("State of order"), own) == name_of("state")
    assert strip_affix(name_of("订单状态"), own) == name_of("状态")
    assert strip_affix(name_of("order"), own) == name_of("order")


def test_what_many_headers_begin_with():
    """Three of a kind, in words or in two Han."""
    headers = ("Deal - ID", "Deal - Title", "Deal - Value", "Owner", "买家应付", "买家实付", "买家留言")
    assert set(common_prefixes(headers)) == {Name(words=("deal",)), Name(han="买家")}


@pytest.mark.parametrize(
    ("header", "is_so"),
    [
        ("Email (Primary Contact)", True),
        ("Amt (¥)", False),
        ("时长(秒)", False),
        ("Name", False),
        ("Name()", False),
    ],
)
def test_brackets_that_narrow(header, is_so):
    """A unit or a currency leaves the name what it is."""
    assert is_narrowed(header) is is_so


def test_names_that_are_nothing():
    """No letters, no name."""
    assert name_of("***").is_empty
    assert name_of("").is_empty
    assert similarity(name_of(""), name_of("email")) == 0


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Account Name.id", ("account", "id")),
        ("created on", ("create", "time")),
        ("Customer's Email", ("customer", "email")),
        ("Companies", ("company",)),
        ("status", ("status",)),
        ("sales", ("sales",)),
        ("(only brackets)", ("only", "bracket")),
    ],
)
def test_words_in_their_normal_form(header, words):
    """Plurals, possessives, brackets and the words of a moment become one form."""
    assert name_of(header).words == words


def test_names_of_the_vocabulary():
    """Both languages, in their order, each name once, without what is none."""
    tables = {"en": ["E-mail", "email", "***"], "zh": ["邮箱"]}, {"en": ["Email"]}
    assert names_of(*tables) == (Name(words=("email",)), Name(han="邮箱"))


def test_what_a_header_says_beside_its_words():
    """A unit in brackets, and how Salesforce ends the fields that a company added."""
    assert bracket_text("金额（元）") == "元"
    assert bracket_text("Amount") == ""
    assert is_custom_field("Tier__c")
    assert not is_custom_field("Tier_c")
