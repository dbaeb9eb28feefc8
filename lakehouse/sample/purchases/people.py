"""The people behind the customer numbers: generated, one for each customer of the shop."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from lakehouse.sample.purchases import names
from lakehouse.sample.purchases.addresses import AddressBook
from lakehouse.sample.purchases.policy import PeoplePolicy

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from lakehouse.sample.purchases.names import Name
    from lakehouse.sample.purchases.shop import Purchase


@dataclass(slots=True)
class Person:
    """One customer. `phone` is E.164; `joined` is the day of the first purchase, `first_order` its id."""

    shop_id: str
    joined: str
    first_order: str
    chinese: bool
    name: Name
    email: str
    other_email: str
    phone: str
    city: str
    in_hubspot: bool
    in_salesforce: bool
    identified: bool
    relative: str | None = None

    @property
    def country(self) -> str:
        """The country's English name, which says how to read a phone without a prefix."""
        return "China" if self.chinese else "United States"


def make_people(rng: random.Random, purchases: Iterable[Purchase]) -> list[Person]:
    """Generate one person a customer, in order of customer id; purchases come sorted by customer and day."""
    book = AddressBook(rng)
    people: list[Person] = []
    for _, purchases_of_customer in groupby(purchases, key=lambda purchase: purchase.customer_id):
        person = _person(rng, book, next(purchases_of_customer))
        previous = people[-1] if people else None
        may_be_relative = previous is not None and previous.relative is None
        if may_be_relative and rng.random() < PeoplePolicy.relative:
            _join_household(person, people[-1], book)
        people.append(person)
    return people


def _person(rng: random.Random, book: AddressBook, first: Purchase) -> Person:
    chinese = rng.random() < PeoplePolicy.chinese
    name = names.chinese_name(rng) if chinese else names.english_name(rng)
    in_hubspot = rng.random() < PeoplePolicy.in_hubspot
    in_salesforce = rng.random() < _share_in_salesforce(in_hubspot=in_hubspot)
    return Person(
        shop_id=first.customer_id,
        joined=first.day,
        first_order=first.order_id,
        chinese=chinese,
        name=name,
        email=book.email(name),
        other_email=book.email(name),
        phone=book.phone(chinese=chinese),
        city=rng.choice(names.CHINESE_CITIES if chinese else names.ENGLISH_CITIES),
        in_hubspot=in_hubspot,
        in_salesforce=in_salesforce,
        identified=rng.random() < PeoplePolicy.identified,
    )


def _share_in_salesforce(*, in_hubspot: bool) -> float:
    """Return how many of those in HubSpot, or of those not in it, are in Salesforce."""
    if in_hubspot:
        return PeoplePolicy.in_salesforce * PeoplePolicy.salesforce_overlap / PeoplePolicy.in_hubspot
    return PeoplePolicy.in_salesforce * (1 - PeoplePolicy.salesforce_overlap) / (1 - PeoplePolicy.in_hubspot)


def _join_household(person: Person, head: Person, book: AddressBook) -> None:
    """Give a person the family name, city and phone of another; both then name each other as relatives."""
    person.chinese, person.city, person.phone = head.chinese, head.city, head.phone
    name = person.name if person.chinese == head.chinese else head.name
    person.name = name._replace(family=head.name.family, latin_family=head.name.latin_family)
    person.email, person.other_email = book.email(person.name), book.email(person.name)
    person.relative, head.relative = head.shop_id, person.shop_id
