"""What the core models say of a few rows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from tests.support.model_cases import answer, column, tied


def at(day: int, hour: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


MONTH_END = at(28)

# ------------------------------------------------------------------ contacts


def contact(number: int, updated: datetime | None, loaded: datetime = MONTH_END, **more):
    return {
        "contact_id": str(number),
        "source": "hubspot",
        "identifier_type": "hubspot_id",
        "identifier_value": str(number),
        "created_at": at(1),
        "updated_at": updated,
        "_loaded_at": loaded,
        "_file_id": "f",
        "_row": 1,
        **more,
    }


def test_a_contact_has_one_row_a_version_each_held_until_the_next():
    """History is kept: valid_from is the CRM's own clock, valid_to the next version's, open for the newest."""
    rows = answer(
        "core.contacts",
        mapped__contacts=[
            contact(1, at(2), city="Rome"),
            contact(1, at(5), city="Oslo"),
            contact(2, at(3), city="Bonn"),
        ],
        core__identities=tied(hubspot_id__1="ann"),
    )
    assert [(r["contact_id"], r["city"], r["valid_from"], r["valid_to"], r["customer_id"]) for r in rows] == [
        ("1", "Rome", at(2), at(5), "ann"),
        ("1", "Oslo", at(5), None, "ann"),
        ("2", "Bonn", at(3), None, None),
    ]


def test_a_version_that_says_nothing_new_is_no_version():
    """Equal versions collapse into the first; a value that comes back is a version again."""
    cities = [(2, "Rome"), (3, "Rome"), (4, "Oslo"), (5, "Rome"), (6, "Rome")]
    rows = answer("core.contacts", mapped__contacts=[contact(1, at(day), city=city) for day, city in cities])
    assert [(r["city"], r["valid_from"], r["valid_to"]) for r in rows] == [
        ("Rome", at(2), at(4)),
        ("Oslo", at(4), at(5)),
        ("Rome", at(5), None),
    ]


def test_an_empty_field_is_not_the_same_as_a_moved_one():
    """Two fields that swap their values are another version, though their texts together are the same."""
    versions = [
        contact(1, at(2), first_name="Ann", last_name=None),
        contact(1, at(3), first_name=None, last_name="Ann"),
    ]
    assert len(answer("core.contacts", mapped__contacts=versions)) == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_history_does_not_depend_on_the_order_of_arrival(order):
    """An export that arrives late takes its place in the past."""
    versions = [
        contact(1, at(2), city="Rome"),
        contact(1, at(4), city="Oslo"),
        contact(1, at(6), city="Bonn"),
    ]
    late = [{**versions[n], "_loaded_at": at(20 + place)} for place, n in enumerate(order)]
    rows = answer("core.contacts", mapped__contacts=late)
    assert column(rows, "city") == ["Rome", "Oslo", "Bonn"]
    assert column(rows, "valid_to") == [at(4), at(6), None]


def test_of_two_versions_of_one_moment_the_later_received_counts():
    """The CRM's clock may be coarse: then what was received last is what it says."""
    twice = [contact(1, at(2), at(20), city="Rome"), contact(1, at(2), at(21), city="Oslo")]
    assert column(answer("core.contacts", mapped__contacts=twice), "city") == ["Oslo"]


def test_without_a_change_date_the_loading_counts():
    """valid_from is never empty: it is part of the key. Creation is the time of the first version alone."""
    versions = [contact(1, None, at(27), city="Rome"), contact(1, None, at(28), city="Oslo")]
    assert column(answer("core.contacts", mapped__contacts=versions), "valid_from") == [at(27), at(28)]


# ------------------------------------------------------------------ orders and deals


def order(number: str, amount: str, loaded: datetime, file: str = "f", row: int = 1, source: str = "shop"):
    return {
        "order_id": number,
        "source": source,
        "identifier_type": "user_id",
        "identifier_value": "C1",
        "ordered_at": at(3),
        "amount": Decimal(amount),
        "_loaded_at": loaded,
        "_file_id": file,
        "_row": row,
    }


def test_of_an_order_received_again_the_newest_version_counts():
    """A corrected export replaces what it corrects; orders of two shops are two orders."""
    rows = answer(
        "core.orders",
        mapped__orders=[
            order("O1", "10.00", at(4)),
            order("O1", "8.50", at(5)),
            order("O2", "1.00", at(5), row=7),
            order("O2", "2.00", at(5), row=8),
            order("O1", "99.00", at(4), source="market"),
        ],
        core__identities=tied(user_id__C1="ann"),
    )
    assert [(r["source"], r["order_id"], r["amount"]) for r in rows] == [
        ("market", "O1", Decimal("99.00")),
        ("shop", "O1", Decimal("8.50")),
        ("shop", "O2", Decimal("2.00")),
    ]
    assert set(column(rows, "customer_id")) == {"ann"}


def test_versions_of_one_batch_are_told_apart_by_file_and_row():
    """Two files loaded at the same moment, the same row in each: the answer is the same in any order."""
    twins = [order("O1", "1.00", at(4), "a"), order("O1", "2.00", at(4), "b")]
    assert answer("core.orders", mapped__orders=twins) == answer(
        "core.orders", mapped__orders=reversed(twins)
    )


def test_an_order_without_a_customer_stays_an_order():
    """Guests buy too."""
    rows = answer("core.orders", mapped__orders=[{**order("O1", "1.00", at(4)), "identifier_value": None}])
    assert column(rows, "customer_id") == [None]


def test_of_a_deal_the_crm_says_which_version_is_newest():
    """The CRM's clock decides, not the order of arrival; only where it is silent, arrival does."""

    def deal(stage: str, updated: datetime | None, loaded: datetime):
        return {
            "deal_id": "D1", "source": "salesforce", "identifier_type": "salesforce_id", "identifier_value": "S1",
            "stage": stage, "updated_at": updated, "_loaded_at": loaded, "_file_id": "f", "_row": 1,
        }  # fmt: skip

    versions = [deal("won", at(9), at(20)), deal("open", at(5), at(22))]
    rows = answer("core.deals", mapped__deals=versions, core__identities=tied(salesforce_id__S1="ann"))
    assert [(r["stage"], r["customer_id"], r["valid_to"]) for r in rows] == [
        ("open", "ann", at(9)),
        ("won", "ann", None),
    ]
    undated = answer("core.deals", mapped__deals=[*versions, deal("reopened", None, at(23))])
    assert column(undated, "stage")[-1] == "reopened"


# ------------------------------------------------------------------ customers


def identity(kind: str, value: str, who: str, first: datetime, last: datetime):
    return {
        "identifier_type": kind,
        "identifier_value": value,
        "customer_id": who,
        "first_seen_at": first,
        "last_seen_at": last,
    }


def version(contact_id: str, valid_from: datetime, valid_to: datetime | None = None, **more):
    return {"contact_id": contact_id, "customer_id": "ann", "source": contact_id.partition(":")[0]} | {
        "valid_from": valid_from, "valid_to": valid_to, **more,
    }  # fmt: skip


def test_the_golden_record_has_of_each_field_the_newest_value_that_any_crm_has():
    """A CRM that knows nothing newer does not erase what another knows."""
    (row,) = answer(
        "core.customers",
        core__identities=[
            identity("email", "old@x.org", "ann", at(1), at(5)),
            identity("email", "new@x.org", "ann", at(3), at(9)),
            identity("phone", "+8613912345678", "ann", at(2), at(2)),
        ],
        core__contacts=[
            version("hubspot:1", at(2), at(4), first_name="Anna", city="Rome"),
            version("hubspot:1", at(4), first_name="Ann", city="Oslo"),
            version("salesforce:7", at(6), last_name="Lee", city=None, country="CN"),
        ],
    )
    names = (
        "first_name",
        "last_name",
        "email",
        "phone",
        "city",
        "country",
        "contacts",
        "sources",
        "identifiers",
    )
    assert [row[name] for name in names] == [
        "Ann", "Lee", "new@x.org", "+8613912345678", "Oslo", "CN", 2, "hubspot,salesforce", 3,
    ]  # fmt: skip
    assert (row["first_seen_at"], row["last_seen_at"]) == (at(1), at(9))


def test_whoever_is_only_a_visitor_is_a_customer_without_contacts():
    """An anonymous id alone makes a row; contacts of nobody make none."""
    rows = answer(
        "core.customers",
        core__identities=[identity("anonymous_id", "a1", "eve", at(1), at(1))],
        core__contacts=[{**version("hubspot:1", at(2)), "customer_id": None}],
    )
    assert [(r["customer_id"], r["contacts"], r["email"]) for r in rows] == [("eve", 0, None)]
