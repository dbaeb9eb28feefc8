"""What systems write alike: names as records spell them, states of leads, deals and tickets."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.sample.company.policy import LOSS_REASONS
from lakehouse.sample.company.world.chunk import Chunk
from lakehouse.sample.company.world.contacts import AS_WRITTEN, HOMOPHONE, NONE, TITLE
from lakehouse.sample.company.world.scenario import CRMS
from lakehouse.sample.company.world.selling import LOST, OPEN, STAGES
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.system_records import SystemRecords, records_of


@pytest.fixture(scope="module")
def records(chunk: Chunk) -> SystemRecords:
    """The records of all offices."""
    return records_of(chunk, *CRMS)


def _of(texts: pa.Array, flags: object) -> list[str]:
    return texts.filter(pa.array(flags)).to_pylist()


def test_a_record_spells_a_name_right_by_ear_or_not_at_all(records: SystemRecords) -> None:
    """The family name stays; by ear another character, or a title instead of the given name."""
    spelling = records.array("contacts", "spelling")
    spelt, true = shared.spelt_names(records), shared.full_names(records, "contacts")
    assert _of(spelt, spelling == AS_WRITTEN) == _of(true, spelling == AS_WRITTEN)
    for by_ear, name in zip(_of(spelt, spelling == HOMOPHONE), _of(true, spelling == HOMOPHONE), strict=True):
        assert by_ear != name
        assert len(by_ear) == len(name)
    assert {name[-2:] for name in _of(spelt, spelling == TITLE)} == {"女士", "先生"}


def test_phones_and_emails_are_there_as_the_record_has_them(records: SystemRecords) -> None:
    """Null where it has none."""
    phones, emails = shared.phones(records), shared.emails(records)
    assert (
        phones.is_null().to_numpy(zero_copy_only=False).tolist()
        == (records.array("contacts", "phone") == NONE).tolist()
    )
    assert emails.null_count == (~records.array("contacts", "email")).sum() > 0


def test_a_person_s_first_contact_is_the_first(chunk: Chunk) -> None:
    """NO_CONTACT for people whom no CRM knows."""
    everybody = np.arange(len(chunk.tables["persons"]))
    contact = shared.first_contacts(chunk, everybody)
    row, first = np.unique(chunk.array("contacts", "row"), return_index=True)
    assert np.array_equal(contact[row], first)
    assert (np.delete(contact, row) == shared.NO_CONTACT).all()


def test_converted_leads_name_a_contact(records: SystemRecords) -> None:
    """The person's, if there is one; other leads name none."""
    contact, is_converted = shared.converted_contacts(records), shared.is_converted(records)
    assert (contact[~is_converted] == shared.NO_CONTACT).all()
    known = is_converted & (contact != shared.NO_CONTACT)
    person = records.chunk.array("contacts", "person")[contact[known]]
    assert np.array_equal(person, records.array("leads", "person")[known])
    assert known.sum() > 0.6 * is_converted.sum()


def test_only_lost_deals_have_a_reason(records: SystemRecords) -> None:
    """Under the system's own labels where it has some."""
    is_lost = records.array("deals", "outcome") == LOST
    labels = [reason.upper() for reason in LOSS_REASONS]
    reasons = shared.loss_reasons(records, labels)
    assert reasons.is_valid().to_numpy(zero_copy_only=False).tolist() == is_lost.tolist()
    assert set(_of(reasons, is_lost)) == set(labels)


def test_the_last_stage_is_the_latest_that_was_entered(records: SystemRecords) -> None:
    """Deals that are not open end in won or lost."""
    entered, last = shared.stage_moments(records, len(STAGES) + 2), shared.last_stages(records)
    rows = np.arange(len(last))
    assert np.array_equal(entered[rows, last], entered.max(axis=1))
    is_open = records.array("deals", "outcome") == OPEN
    assert np.array_equal(is_open, last < len(STAGES))


@pytest.mark.parametrize(("table", "closed"), [("deals", "closed_at"), ("tickets", "resolved_at")])
def test_what_is_open_was_last_changed_when_it_was_made(
    records: SystemRecords, table: str, closed: str
) -> None:
    """What is closed, when it was."""
    is_open = records.array(table, "open") if table == "tickets" else records.array(table, "outcome") == OPEN
    updated = (shared.tickets_updated if table == "tickets" else shared.deals_updated)(records)
    assert np.array_equal(updated[is_open], records.array(table, "created_at")[is_open])
    assert np.array_equal(updated[~is_open], records.array(table, closed)[~is_open])


def test_satisfaction_is_a_number_or_nothing(records: SystemRecords) -> None:
    """1 to 5; complaints and questions are the kinds of tickets."""
    assert set(shared.satisfaction(records).to_pylist()) == {None, "1", "2", "3", "4", "5"}
    assert set(shared.ticket_kinds(records).to_pylist()) == {"question", "complaint"}


def test_deals_are_called_by_product_and_number(chunk: Chunk) -> None:
    """All deals, or those of some rows."""
    titles = shared.deal_titles(chunk).to_pylist()
    assert len(set(titles)) == len(titles)
    assert shared.deal_titles(chunk, np.array([1])).to_pylist() == titles[1:2]


def test_cities_and_provinces_belong_together(records: SystemRecords) -> None:
    """A city lies in one province."""
    places = zip(
        shared.city_names(records, "contacts").to_pylist(),
        shared.province_names(records, "contacts").to_pylist(),
        shared.province_codes(records, "contacts").to_pylist(),
        strict=True,
    )
    assert len(set(places)) == 12
    assert shared.refuses_marketing(records).sum() > 0
