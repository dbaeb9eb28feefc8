"""The truth is true: an independent reading of the files finds the same people and consents."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def test_emails_and_phones_belong_to_one_person_or_household(sample: Any) -> None:
    """No e-mail is shared; a phone only within the households that the truth names."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for person in sample.truth["people"]:
        for value in (*person.get("emails", ()), *person.get("phones", ())):
            owners[value].add(person["shop"])
    shared = {tuple(sorted(who)): value for value, who in owners.items() if len(who) > 1}
    assert sample.truth["households"]
    assert set(shared) <= {tuple(pair) for pair in sample.truth["households"]}
    assert all(value.startswith("+") for value in shared.values())


def test_linked_is_what_an_independent_reading_of_the_files_finds(sample: Any) -> None:
    """Clean e-mails, phones and shop ids, read by outside validators, tie what the truth says."""
    records = list(identifiers(sample))
    groups = components(records)
    shops = [{n for n in group if n.startswith("shop:")} for group in groups]
    assert sample.truth["counts"]["linked"] == {
        "customers": len(groups),
        "stray": sum(not s for s in shops),
        "merged": sum(len(s) - 1 for s in shops if s),
    }
    assert sample.truth["counts"]["linked"]["merged"]


def identifiers(sample: Any) -> Iterator[list[str]]:
    """Yield for each record the shop id, e-mail and phone it carries, behind its own name."""
    for person in sample.truth["people"]:
        yield [f"shop:{person['shop']}"]
    for row in sample.good("hubspot/contacts"):
        phone = sample.clean_phone(row["Phone Number"], row["Country/Region"])
        email = sample.clean_email(row["Email"])
        yield named(f"hubspot:{row['Record ID']}", row["Shop Customer ID"], email, phone)
    for row in sample.good("salesforce/contacts"):
        phone = sample.clean_phone(row["MobilePhone"] or row["Phone"], row["MailingCountry"])
        yield named(
            f"salesforce:{row['Id']}", row["Loyalty_Number__c"], sample.clean_email(row["Email"]), phone
        )
    for _, event in sample.events():
        if event["type"] == "identify":
            yield named(
                f"web:{event['messageId']}",
                event["userId"],
                event["traits"]["email"],
                event["traits"].get("phone"),
            )


def named(name: str, shop_id: str, email: str | None, phone: str | None) -> list[str]:
    return [name, *([f"shop:{shop_id}"] if shop_id else []), *(x for x in (email, phone) if x)]


def components(records: Iterable[list[str]]) -> list[set[str]]:
    """Return the connected sets, found by walking, not by union-find as the generator does."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        for node in record:
            neighbours[node].update(record)
    groups, left = [], set(neighbours)
    while left:
        group, edge = set(), {left.pop()}
        while edge:
            group |= edge
            edge = set().union(*(neighbours[node] for node in edge)) - group
        left -= group
        groups.append(group)
    return groups


def test_consent_is_what_the_files_say(sample: Any) -> None:
    """The newest yes or no counts; not having opted out in Salesforce is no yes."""
    said: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in sample.good("hubspot/contacts"):
        if row["Marketing consent"]:
            status = {"Yes": "granted", "No": "denied"}[row["Marketing consent"]]
            said[row["Record ID"]].append((row["Marketing consent date"], status))
    defaults = {}
    for row in sample.good("salesforce/contacts"):
        if row["HasOptedOutOfEmail"] == "true":
            said[row["Id"]].append((row["LastModifiedDate"][:10], "denied"))
        else:
            defaults[row["Id"]] = row["LastModifiedDate"][:10]
    consents: Counter[str] = Counter()
    for person in sample.truth["people"]:
        ids = (*person.get("hubspot", ()), *person.get("salesforce", ()))
        newest = max((s for record_id in ids for s in said[record_id]), default=("", "unknown"))
        assert person["consent"] == newest[1]
        if newest[1] == "denied":
            assert all(defaults.get(record_id, "") < newest[0] for record_id in ids)
        consents[person["consent"]] += 1
    assert (
        min(consents["granted"], consents["denied"], consents["unknown"]) > len(sample.truth["people"]) / 20
    )
    assert sample.truth["counts"]["salesforce"]["opted_out_after_yes"]
