"""Each office's people are in one CRM, each order in one shop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lakehouse.sample.company.world.chunk import Chunk
from lakehouse.sample.company.world.scenario import CRMS
from lakehouse.sample.company.world.shopping import APP, SITE, STORE
from lakehouse.sample.company.writers.system_records import is_sold_by, records_of


def test_every_contact_is_in_one_crm(chunk: Chunk) -> None:
    """All CRMs together have all, none twice."""
    rows = np.concatenate([records_of(chunk, crm).row_numbers("contacts") for crm in CRMS])
    assert sorted(rows) == list(range(len(chunk.tables["contacts"])))
    together = records_of(chunk, *CRMS).row_numbers("contacts")
    assert len(together) == len(rows)


def test_an_office_works_with_one_crm(chunk: Chunk) -> None:
    """All people of a city are in the same."""
    cities = [set(records_of(chunk, crm).person_array("contacts", "city")) for crm in CRMS]
    assert sum(map(len, cities)) == len(set.union(*cities)) == 12


def test_a_system_that_no_office_works_with_has_nothing(chunk: Chunk) -> None:
    """It writes no files either."""
    assert records_of(chunk, "siebel").is_empty
    assert not records_of(chunk, "zoho").is_empty


def test_filtered_records_are_those_of_one_table(chunk: Chunk) -> None:
    """Columns follow; other tables stay as they are."""
    records = records_of(chunk, "zoho")
    kind = records.array("activities", "kind")
    calls = records.filtered("activities", kind == 0)
    assert set(calls.array("activities", "kind")) == {0}
    assert len(calls.column("activities", "note")) == (kind == 0).sum()
    assert np.array_equal(calls.row_numbers("deals"), records.row_numbers("deals"))


def test_columns_of_persons_and_users_are_those_behind_the_records(chunk: Chunk) -> None:
    """A row for each record, in their order."""
    records = records_of(chunk, "crm")
    row, owner = records.array("contacts", "row"), records.array("contacts", "owner")
    assert records.person_column("contacts", "phone").equals(chunk.column("persons", "phone", row))
    assert records.user_column("contacts", "name").equals(chunk.column("staff", "name", owner))
    assert np.array_equal(records.person_array("contacts", "city"), chunk.array("persons", "city")[row])


@pytest.mark.parametrize(
    ("shops", "sellers"),
    [
        (("shop",), {STORE: "shop", SITE: "shop", APP: "shop"}),
        (("shop", "shopify"), {STORE: "shop", SITE: "shopify", APP: "shopify"}),
        (("shop", "shopify", "woocommerce"), {STORE: "shop", SITE: "shopify", APP: "woocommerce"}),
    ],
)
def test_each_channel_sells_with_one_shop(
    chunk: Chunk, shops: tuple[str, ...], sellers: dict[int, str]
) -> None:
    """The first has the stores, the second the site, the third the app; the last has what is left."""
    company = dataclasses.replace(chunk, scenario=dataclasses.replace(chunk.scenario, shops=shops))
    channel = chunk.array("orders", "channel")
    for shop in shops:
        own_channels = {number for number, seller in sellers.items() if seller == shop}
        assert set(channel[is_sold_by(company, shop)]) == own_channels
