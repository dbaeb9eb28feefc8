"""Names are compared as people mean them: case, marks, abbreviations and the entity's own name do not matter."""

from __future__ import annotations

import pytest

from lakehouse.sources.mappable_entities import ENTITIES
from lakehouse.sources.suggest.target_columns import candidates, targets
from lakehouse.sources.suggest.words import Name, alike, beginnings, name_of, narrowed, vocabulary, without


@pytest.mark.parametrize(
    ("one", "other"),
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
def test_one_name_in_two_spellings(one, other):
    """They are the same once in their normal form, or the same words."""
    assert alike(name_of(one), name_of(other)) >= 0.97


@pytest.mark.parametrize(
    ("one", "other", "most"),
    [
        ("Status Reason", "status", 0.6),
        ("Product Name", "status", 0.0),
        ("订单", "客户", 0.0),
        ("手机", "phone", 0.0),
        ("状态说明", "状态", 0.5),
        ("Number of Orders", "order number", 0.9),
        ("Step Number", "store number", 0.9),
        ("券码", "券号", 0.5),
    ],
)
def test_other_names_are_not_alike(one, other, most):
    """The noun stands last; what only qualifies it is not it. Languages do not meet."""
    assert alike(name_of(one), name_of(other)) <= most


def test_typing_errors_are_forgiven():
    """In long words, and never as if they were right."""
    assert 0.68 <= alike(name_of("Catagory"), name_of("category")) < 0.93
    assert alike(name_of("Citi"), name_of("city")) == 0


def test_the_entitys_own_name_says_nothing():
    """In front, and in English behind too."""
    own = (name_of("order"), name_of("订单"))
    assert without(name_of("Order Status"), own) == name_of("status")
    assert without(name_of("State of order"), own) == name_of("state")
    assert without(name_of("订单状态"), own) == name_of("状态")
    assert without(name_of("order"), own) == name_of("order")


def test_what_many_headers_begin_with():
    """Three of a kind, in words or in two Han."""
    headers = ("Deal - ID", "Deal - Title", "Deal - Value", "Owner", "买家应付", "买家实付", "买家留言")
    assert set(beginnings(headers)) == {Name(words=("deal",)), Name(han="买家")}


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
    assert narrowed(header) is is_so


def test_names_that_are_nothing():
    """No letters, no name."""
    assert name_of("***").empty
    assert name_of("").empty
    assert alike(name_of(""), name_of("email")) == 0


def test_the_table_of_synonyms_is_of_the_model():
    """Each entity and column in it is one of the canonical model, and each word a text."""
    told = vocabulary()
    columns = {name for found in ENTITIES.values() for name in found}
    assert set(told["columns"]) <= columns
    for entity, listed in told["entities"].items():
        assert set(listed.get("columns", {})) <= set(ENTITIES[entity]), entity
    assert set(told["entities"]) == set(candidates())
    words = [*told["abbreviations"], *told["abbreviations"].values(), *told["fillers"], *told["others"]]
    for listed in (
        *told["columns"].values(),
        *(c for e in told["entities"].values() for c in e["columns"].values()),
    ):
        words += [word for language in listed.values() for word in language]
    assert [word for word in words if not isinstance(word, str)] == []


def test_no_name_means_two_columns_of_an_entity():
    """Of those that are not weak: else neither could be suggested with high confidence."""
    twice = {}
    for entity in candidates():
        seen = {}
        for target in targets(entity):
            for name in target.names:
                if seen.setdefault(name, target.column) != target.column:
                    twice.setdefault(entity, []).append((name.words or name.han, seen[name], target.column))
    assert sum(map(len, twice.values())) <= 60, twice
