"""Whatever happens to a few people, nobody is written to whom the list of statements, read plainly, forbids."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.privacy import consent
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.resolve import resolve
from tests.support import small_company
from tests.support.plain_reading import Arrived, against_words, plain_reading
from tests.support.small_worlds import (
    FUTURE,
    MOMENTS,
    TOPICS,
    Rounds,
    Row,
    Said,
    address,
    files,
    is_address,
    is_phone,
    own_id,
    worlds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.small_company import SmallCompany

NAMES = ("a", "b", "c", "+1", "+2")
RECORDS = (
    "crm 1",
    "crm 2",
    "crm 3",
    "lead 1",
    "lead 2",
    "shop 1",
    "shop 2",
    "web 1",
    "web 2",
    "web x",
    "web y",
)


@contextmanager
def a_company() -> Iterator[SmallCompany]:
    """An empty lake with all that is around it."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        (Path(folder) / "warehouse").mkdir()
        (Path(folder) / "scratch").mkdir()
        patch.setenv("LAKEHOUSE_CATALOG", "sql")
        patch.setenv("LAKEHOUSE_CATALOG_URI", f"sqlite:///{folder}/catalog.sqlite")
        patch.setenv("LAKEHOUSE_WAREHOUSE", f"file://{folder}/warehouse")
        patch.setenv("LAKEHOUSE_SCRATCH", f"{folder}/scratch")
        small_company.forget()
        with small_company.company(patch, Path(folder)) as made:
            yield made
    small_company.forget()


class Chain:
    """The real chain, and what came to it of each world."""

    def __init__(self, company: SmallCompany) -> None:
        self.company = company
        self.history: dict[int, list[Arrived]] = {}
        self.round = self.place = 0

    def play(self, happened: dict[int, list]) -> None:
        """Load what happens in some worlds, and bring people and consents up to it."""
        self.round += 1
        hasher = address_hasher(self.company.settings)
        for number, file in enumerate(files(self.round, happened, hasher)):
            suffix = "csv" if file.place.split("/")[0] in ("crm", "shop") else "ndjson"
            self.company.load(file.place, f"{self.round}-{number}.{suffix}", file.body)
            at = datetime.now(UTC)
            for world, event in file.events:
                self.place += 1
                self.history.setdefault(world, []).append(Arrived(event, at, self.place))
        resolve(self.company.settings)
        refresh_consents(self.company.settings)

    def owners(self) -> dict[tuple[str, str], str]:
        """Return whose each identifier is."""
        rows = self.company.ask("SELECT identifier_type, identifier_value, customer_id FROM core.identities")
        return {(kind, value): customer for kind, value, customer in rows}

    def sends(self, owners: dict[tuple[str, str], str]) -> dict[int, set[tuple[str, ...]]]:
        """Return what the gate lets through, of any customer at any address of their world."""
        now = datetime.now(UTC)
        customers: dict[int, set[str]] = {}
        for (_, value), customer in owners.items():
            world = value[1:].split("q")[0] if value.startswith("w") else ""
            if world.isdigit():
                customers.setdefault(int(world), set()).add(customer)
        asked = {
            (who, address(world, name)): (world, name)
            for world in self.history for who in customers.get(world, ()) for name in NAMES
        }  # fmt: skip
        found: dict[int, set[tuple[str, ...]]] = {world: set() for world in self.history}
        for purpose, channel in TOPICS:
            granted = consent.grants(self.company.settings, list(asked), purpose, channel, now)
            assert not granted.unanswered
            for who, at in granted.consent_ids:
                world, name = asked[who, at]
                found[world].add((who, name, purpose, channel))
        return found

    def check(self) -> dict[int, str]:
        """Return by world what is wrong there."""
        owners = self.owners()
        wrong: dict[int, str] = {}
        for world, sent in self.sends(owners).items():

            def owner(subject: str, world: int = world) -> str | None:
                if is_address(subject):
                    return owners.get(("phone" if is_phone(subject) else "email", address(world, subject)))
                return owners.get(own_id(world, subject))

            most, least = plain_reading(self.history[world], owner)
            if sent - most:
                wrong[world] = f"forbidden: {sorted(sent - most)}"
            elif least - sent:
                wrong[world] = f"allowed, and withheld: {sorted(least - sent)}"
            elif people := against_words(self.history[world], owner):
                wrong[world] = "; ".join(people)
        return wrong


def play(worlds_of: list[Rounds]) -> dict[int, str]:
    """Return by world what goes wrong, after any round."""
    with a_company() as company:
        chain = Chain(company)
        for number in range(max(map(len, worlds_of), default=0)):
            happened = {w: rounds[number] for w, rounds in enumerate(worlds_of) if number < len(rounds)}
            chain.play(happened)
            if wrong := chain.check():
                return wrong
    return {}


ROBERT = Row("crm", "2", "full", "Robert Meyer", "a", "1", "", "yes", MOMENTS[2], MOMENTS[3], "")

ANN = Row("shop", "1", "full", "Ann Holt", "a", "", "", "yes", MOMENTS[0], MOMENTS[0], "")
LEAD = Row("lead", "1", "full", "Robert Meyer", "a", "", "", "", "", MOMENTS[1], "")


@settings(max_examples=2, deadline=None, database=None)
@given(st.lists(worlds, min_size=12, max_size=12))
@example(  # a record of a system that speaks of e-mail alone allows its phone, or does not, elsewhere
    [
        [[ROBERT, Said("crm 2", "sms", "marketing", "yes", MOMENTS[2], "", own=True)]],
        [
            [ROBERT, Said("crm 2", "all", "all", "no", MOMENTS[3], "", own=False)],
            [ROBERT._replace(phone="2")],
        ],
    ]
)
@example(  # of a source that says nothing of consent, a record refuses what another customer allows at its address
    [
        [[ANN, LEAD, Said("lead 1", "email", "marketing", "no", MOMENTS[2], "", own=True)]],
        # a lead and a contact of one number are two
        [[ROBERT._replace(record="1"), LEAD._replace(email="b", name="Ann Holt")]],
        [[LEAD, Said("lead 1", "email", "marketing", "yes", MOMENTS[1], "", own=True)]],
        [
            [ROBERT._replace(record="1"), LEAD._replace(email="b", name="Ann Holt")],
            [Said("crm 1", "email", "marketing", "no", MOMENTS[3], "", own=True)],
            [Said("lead 1", "email", "marketing", "yes", FUTURE, "", own=True)],
        ],
    ]
)
def test_no_sequence_allows_a_send_that_a_plain_reading_of_statements_forbids(worlds_of):
    """And what it plainly allows is allowed."""
    assert play(worlds_of) == {}
