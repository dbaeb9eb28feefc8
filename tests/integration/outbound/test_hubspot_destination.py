"""Our HubSpot client: every answer is read row by row, by trace id, and nothing personal is in an error."""

from __future__ import annotations

import logging

import pytest
import stamina

from lakehouse.errors import Transient
from lakehouse.local.hubspot.faults import Fault
from lakehouse.outbound.destinations.hubspot import HubSpot
from lakehouse.outbound.destinations.hubspot_api import Account
from lakehouse.outbound.records import Chunk, Row
from tests.support.cloud import TOKEN


def _rows(*addresses, action="upsert", **properties):
    return [
        Row(n, f"c{n}", address, action, properties or {"tier": "gold"})
        for n, address in enumerate(addresses)
    ]


def _chunk(rows):
    return Chunk("news", "00000001", "abc-0001", "hubspot", "contacts", "email", "marketing", "email", rows)


def _send(destination, rows):
    return destination.send(_chunk(rows), rows)


@pytest.fixture
def account(hubspot):
    return HubSpot(Account(hubspot.url, TOKEN, "lakehouse/hubspot"))


def test_a_refused_batch_is_split(account, hubspot):
    """400 too: every good row of 10 is written, once, in at most 2·log2(10)+1 requests."""
    hubspot.faults.add(Fault(status=400, id="p7@x.org", times=99, code="VALIDATION_ERROR"))
    answers = _send(account, _rows(*(f"p{n}@x.org" for n in range(10))))
    assert [n for n, answer in answers.items() if answer.status == "failed"] == [7]
    assert answers[7].code == "VALIDATION_ERROR"
    state = hubspot.state(every_contact=True)
    assert state["writes_by_email"] == {f"p{n}@x.org": 1 for n in range(10) if n != 7}
    assert state["requests"] <= 9


def test_a_rate_limit_is_waited_out(account, hubspot):
    """429 with Retry-After: asked again after that time, and each row is written once."""
    hubspot.faults.add(Fault(status=429, retry_after=1, times=2))
    with stamina.set_testing(True, attempts=5):
        assert _send(account, _rows("a@x.org"))[0].status == "sent"
    assert hubspot.state()["most_writes"] == 1


def test_nobody_there_is_transient(account, hubspot):
    """A refused connection."""
    hubspot.stop()
    with stamina.set_testing(True, attempts=2), pytest.raises(Transient, match="cannot be reached"):
        _send(account, _rows("a@x.org"))


def test_a_chunk_takes_no_longer_than_its_lease(hubspot):
    """A worker that has used up its time gives the chunk back before another may take it."""
    clock = iter([0.0, 89.0, 91.0])
    slow = HubSpot(Account(hubspot.url, TOKEN, "lakehouse/hubspot"), clock=lambda: next(clock))
    rows = _rows("a@x.org", "b@x.org")
    hubspot.faults.add(Fault(status=409))
    with pytest.raises(Transient, match="too slow"):
        _send(slow, rows)


def test_writes_and_removals_travel_together(account, hubspot):
    """One chunk may hold both; a contact that is not there is not made by a removal."""
    _send(account, _rows("a@x.org", "b@x.org", tier="gold"))
    rows = [
        Row(0, "c0", "A@x.org", "remove", {"tier": ""}),
        Row(1, "c1", "gone@x.org", "remove", {"tier": ""}),
        Row(2, "c2", "new@x.org", "upsert", {"tier": "silver"}),
    ]
    answers = _send(account, rows)
    assert {n: (a.status, a.code) for n, a in answers.items()} == {
        0: ("removed", ""),
        1: ("removed", "GONE"),
        2: ("sent", ""),
    }
    assert hubspot.state(every_contact=True)["writes_by_email"] == {
        "a@x.org": 2,
        "b@x.org": 1,
        "new@x.org": 1,
    }


def test_nothing_personal_is_logged(account, hubspot, caplog):
    """Addresses stay out of every logger, retries and refusals included."""
    caplog.set_level(logging.DEBUG)
    hubspot.faults.add(Fault(status=503))
    hubspot.faults.add(Fault(status=409, id="secret.person@x.org", times=9))
    with stamina.set_testing(True, attempts=5):
        _send(account, _rows("secret.person@x.org", "b@x.org"))
    assert "secret.person" not in caplog.text


def _contact(hubspot, address):
    with hubspot._store.batch():
        return hubspot._store.find(address, "email")


def _edit(hubspot, address, **properties):
    """Change a contact by hand."""
    with hubspot._store.batch():
        hubspot._store.update(hubspot._store.find(address, "email"), properties)


def _merge(hubspot, primary, other):
    with hubspot._store.batch():
        store = hubspot._store
        store.merge(store.find(primary, "email"), store.find(other, "email"))


def _remove(account, *rows):
    return {number: (a.status, a.code, a.crm_id) for number, a in _send(account, list(rows)).items()}


def _off(number, address, crm_id="", *, stray=False):
    return Row(number, f"c{number}", address, "remove", {"tier": ""}, crm_id, stray)


def test_a_contact_that_was_renamed_is_cleared_by_its_id(account, hubspot):
    """Reported as out-19: the address leads to nobody any more, the record is known."""
    crm_id = _send(account, _rows("old@x.org"))[0].crm_id
    _edit(hubspot, "old@x.org", email="new@x.org")
    assert _remove(account, _off(0, "old@x.org", crm_id)) == {0: ("removed", "", crm_id)}
    assert "tier" not in _contact(hubspot, "new@x.org").properties


def test_a_secondary_address_leads_to_its_contact(account, hubspot):
    """Reported as out-31: HubSpot answers it by the contact's first address; also among others."""
    _send(account, _rows("first@x.org", "b@x.org"))
    contact = _contact(hubspot, "first@x.org")
    with hubspot._store.batch():
        hubspot._store.add_secondary(contact, "second@x.org")
    assert _remove(account, _off(0, "second@x.org"), _off(1, "b@x.org"), _off(2, "nobody@x.org")) == {
        0: ("removed", "", contact.id),
        1: ("removed", "", _contact(hubspot, "b@x.org").id),
        2: ("removed", "GONE", ""),
    }
    assert "tier" not in _contact(hubspot, "first@x.org").properties


def test_merged_contacts_are_cleared_once_and_named(account, hubspot):
    """Both leave: HubSpot refuses a batch in which one record stands twice."""
    answers = _send(account, _rows("a@x.org", "b@x.org"))
    _merge(hubspot, "a@x.org", "b@x.org")
    kept, gone = answers[0].crm_id, answers[1].crm_id
    rows = (_off(0, "a@x.org", kept), _off(1, "b@x.org", gone))
    assert _remove(account, *rows) == {0: ("removed", "", kept), 1: ("removed", "", kept)}
    assert "tier" not in _contact(hubspot, "a@x.org").properties


def test_an_address_that_leads_to_another_record_clears_both(account, hubspot):
    """Renamed, and the address written again by an attempt whose answer was lost: neither keeps our properties."""
    crm_id = _send(account, _rows("a@x.org"))[0].crm_id
    _edit(hubspot, "a@x.org", email="renamed@x.org")
    other = _send(account, _rows("a@x.org"))[0].crm_id
    assert _remove(account, _off(0, "a@x.org", crm_id)) == {0: ("removed", "", f"{crm_id},{other}")}
    for address in ("a@x.org", "renamed@x.org"):
        assert "tier" not in _contact(hubspot, address).properties


def test_a_stray_record_is_cleared_by_its_id_alone(account, hubspot):
    """Whoever has its address now is left alone, and so is the record that it was merged into."""
    crm_id = _send(account, _rows("a@x.org"))[0].crm_id
    _edit(hubspot, "a@x.org", email="renamed@x.org")
    _send(account, _rows("a@x.org"))
    assert _remove(account, _off(0, "a@x.org", crm_id, stray=True)) == {0: ("removed", "", crm_id)}
    assert "tier" not in _contact(hubspot, "renamed@x.org").properties
    assert _contact(hubspot, "a@x.org").properties["tier"] == "gold"
    _merge(hubspot, "a@x.org", "renamed@x.org")
    assert _remove(account, _off(0, "a@x.org", crm_id, stray=True)) == {0: ("removed", "MERGED", "")}
    assert _contact(hubspot, "a@x.org").properties["tier"] == "gold"


def test_a_contact_that_was_deleted_and_made_anew_is_found_by_its_address(account, hubspot):
    """Its old record is gone; what is there now is cleared."""
    crm_id = _send(account, _rows("a@x.org"))[0].crm_id
    with hubspot._store.batch():
        hubspot._store.forget(hubspot._store.find("a@x.org", "email"))
    other = _send(account, _rows("a@x.org"))[0].crm_id
    assert _remove(account, _off(0, "a@x.org", crm_id)) == {0: ("removed", "", other)}
    assert "tier" not in _contact(hubspot, "a@x.org").properties


def test_two_addresses_of_one_contact_are_both_written(account, hubspot):
    """HubSpot refuses a batch that resolves two inputs to one record; halved, each is written."""
    _send(account, _rows("first@x.org"))
    with hubspot._store.batch():
        hubspot._store.add_secondary(hubspot._store.find("first@x.org", "email"), "second@x.org")
    answers = _send(account, _rows("first@x.org", "second@x.org"))
    assert [answer.status for answer in answers.values()] == ["sent", "sent"]


@pytest.fixture
def refusing(hubspot):
    """A HubSpot that refuses to write by a secondary address, and does not find one where it reads by it."""
    hubspot._store.refuses_secondary = True
    return hubspot


def _with_secondary(account, hubspot, *seconds):
    crm_id = _send(account, _rows("first@x.org"))[0].crm_id
    with hubspot._store.batch():
        for each in seconds:
            hubspot._store.add_secondary(hubspot._store.find("first@x.org", "email"), each)
    return crm_id


@pytest.mark.parametrize("others", [(), ("third@x.org",)], ids=["the only one", "one of two"])
def test_an_address_that_is_refused_as_secondary_is_written_to_its_contact(account, refusing, others):
    """409 "Contact already exists" (pipedream#11236, hubspot-api-nodejs#545): no second contact is made."""
    crm_id = _with_secondary(account, refusing, "second@x.org", *others)
    answers = _send(account, _rows("a@x.org", "Second@x.org", "b@x.org", tier="silver"))
    assert [(answer.status, answer.code) for answer in answers.values()] == [("sent", "")] * 3
    assert answers[1].crm_id == crm_id
    assert _contact(refusing, "first@x.org").properties["tier"] == "silver"
    assert _contact(refusing, "first@x.org").properties["email"] == "first@x.org"
    assert refusing.state()["contacts"] == 3


def test_what_a_person_typed_is_kept_there_too(account, refusing):
    """A blank that is filled by a secondary address is read by the record first."""
    _with_secondary(account, refusing, "second@x.org")
    _edit(refusing, "first@x.org", city="Wuhan")
    row = Row(0, "c0", "second@x.org", "upsert", {"city": "Xi'an", "tier": "new"}, guards={"city": [""]})
    answer = _send(account, [row])[0]
    assert (answer.status, answer.kept) == ("sent", ("city",))
    assert _contact(refusing, "first@x.org").properties["city"] == "Wuhan"
    assert _contact(refusing, "first@x.org").properties["tier"] == "new"


def test_a_conflict_that_names_no_contact_is_a_row_that_fails(account, refusing):
    """Nobody guesses: it is told, and the others are written."""
    _with_secondary(account, refusing, "second@x.org")
    refusing.faults.add(Fault(status=409, id="second@x.org", times=9))
    answers = _send(account, _rows("a@x.org", "second@x.org"))
    assert [(answer.status, answer.code) for answer in answers.values()] == [
        ("sent", ""),
        ("failed", "CONFLICT"),
    ]


def test_an_address_that_the_row_itself_would_take_from_somebody_is_not_written_there(account, refusing):
    """The conflict is about the property then, and the record is another person's."""
    _with_secondary(account, refusing, "second@x.org")
    _edit(refusing, "first@x.org", tier="theirs")
    row = Row(0, "c0", "second@x.org", "upsert", {"tier": "new", "email": "second@x.org"})
    assert _send(account, [row])[0].code == "CONFLICT"
    assert _contact(refusing, "first@x.org").properties["tier"] == "theirs"
