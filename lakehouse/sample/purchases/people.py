"""The people behind the customer numbers: generated, one for each customer of the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.sample.purchases import names
from lakehouse.sample.purchases.addresses import AddressBook

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from lakehouse.sample.purchases.names import Name
    from lakehouse.sample.purchases.shop import Purchase

CHINESE = 0.40
RELATIVE = 0.001  # starts a household with the person before: two people, one phone
IN_HUBSPOT = 0.75
# 35 % of all people are in Salesforce, and 70 % of those are in HubSpot too
IN_SALESFORCE_TOO = 0.35 * 0.70 / IN_HUBSPOT
IN_SALESFORCE_ONLY = 0.35 * 0.30 / (1 - IN_HUBSPOT)
IDENTIFIED = 0.50


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


def people(rng: random.Random, bought: Iterable[Purchase]) -> list[Person]:
    """Generate one person a customer, in order of customer id; purchases come sorted by customer and day."""
    book = AddressBook(rng)
    found: list[Person] = []
    for purchase in bought:
        if found and found[-1].shop_id == purchase.customer_id:
            continue
        person = _person(rng, book, purchase)
        if found and found[-1].relative is None and rng.random() < RELATIVE:
            _join_household(person, found[-1], book)
        found.append(person)
    return found


def _person(rng: random.Random, book: AddressBook, first: Purchase) -> Person:
    chinese = rng.random() < CHINESE
    name = names.chinese_name(rng) if chinese else names.english_name(rng)
    in_hubspot = rng.random() < IN_HUBSPOT
    in_salesforce = rng.random() < (IN_SALESFORCE_TOO if in_hubspot else IN_SALESFORCE_ONLY)
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
        identified=rng.random() < IDENTIFIED,
    )


def _join_household(person: Person, head: Person, book: AddressBook) -> None:
    person.chinese, person.city, person.phone = head.chinese, head.city, head.phone
    given = person.name if person.chinese == head.chinese else head.name
    person.name = given._replace(family=head.name.family, latin_family=head.name.latin_family)
    person.email, person.other_email = book.email(person.name), book.email(person.name)
    person.relative, head.relative = head.shop_id, person.shop_id
