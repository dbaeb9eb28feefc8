"""The HubSpot simulator is HubSpot as far as HubSpot's own client can tell."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from hubspot import HubSpot
from hubspot.crm.contacts import (
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    PublicGdprDeleteInput,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectId,
)
from urllib3.exceptions import HTTPError

from lakehouse.local.hubspot.server import HubSpotSimulator

TOKEN = "pat-test"


@contextmanager
def _running(folder, **settings):
    simulator = HubSpotSimulator(folder / "hubspot.sqlite", TOKEN, **settings)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()


@pytest.fixture
def simulator(tmp_path):
    with _running(tmp_path) as running:
        yield running


@pytest.fixture
def client(simulator):
    return _client(simulator.url)


def _client(url, token=TOKEN):
    return HubSpot(access_token=token, host=url, retry=False).crm.contacts


def _inputs(*addresses, **properties):
    return BatchInputSimplePublicObjectBatchInputUpsert(
        inputs=[
            SimplePublicObjectBatchInputUpsert(
                id=address, id_property="email", object_write_trace_id=f"row-{n}", properties=dict(properties)
            )
            for n, address in enumerate(addresses)
        ]
    )


def _fault(simulator, *faults):
    request = urllib.request.Request(
        f"{simulator.url}/_simulator/faults", data=json.dumps(faults).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert json.load(answer) == {"queued": len(faults)}


def _state(simulator):
    with urllib.request.urlopen(f"{simulator.url}/_simulator/state?writes=1", timeout=5) as answer:
        return json.load(answer)


def test_an_upsert_creates_and_then_updates(client):
    """200: new contacts say new, known ones do not, and every result carries its trace id."""
    first = client.batch_api.upsert(_inputs("a@x.org", "b@x.org", tier="gold"))
    assert [(r.object_write_trace_id, r.new) for r in first.results] == [("row-0", True), ("row-1", True)]
    second = client.batch_api.upsert(_inputs("A@x.org", tier="silver"))
    assert [(r.id, r.new, r.properties["tier"]) for r in second.results] == [
        (first.results[0].id, False, "silver")
    ]
    assert first.status == "COMPLETE"
    assert client.basic_api.get_by_id("a@x.org", id_property="email").properties["tier"] == "silver"


def test_a_bad_row_costs_only_itself(client, simulator):
    """207: the error names the row's trace id, the others are written."""
    answer, status, _ = client.batch_api.upsert_with_http_info(_inputs("a@x.org", "no-address", "c@x.org"))
    assert status == 207
    assert [r.object_write_trace_id for r in answer.results] == ["row-0", "row-2"]
    assert answer.num_errors == 1
    assert answer.errors[0].context["objectWriteTraceId"] == ["row-1"]
    assert answer.errors[0].errors[0].code == "INVALID_EMAIL"
    assert _state(simulator)["writes_by_email"] == {"a@x.org": 1, "c@x.org": 1}


def test_an_empty_value_clears(client):
    """Writing "" takes the property away."""
    client.batch_api.upsert(_inputs("a@x.org", tier="gold"))
    client.batch_api.upsert(_inputs("a@x.org", tier=""))
    assert "tier" not in client.basic_api.get_by_id("a@x.org", id_property="email").properties


def test_a_batch_with_a_duplicate_is_refused_whole(client, simulator):
    """400: one address twice, and nothing is written."""
    with pytest.raises(ApiException) as caught:
        client.batch_api.upsert(_inputs("a@x.org", "A@X.org"))
    assert caught.value.status == 400
    assert json.loads(caught.value.body)["category"] == "VALIDATION_ERROR"
    assert _state(simulator)["contacts"] == 0


def test_more_than_a_hundred_rows_are_refused(client, simulator):
    """400 above 100 inputs."""
    with pytest.raises(ApiException) as caught:
        client.batch_api.upsert(_inputs(*(f"c{n}@x.org" for n in range(101))))
    assert caught.value.status == 400
    assert _state(simulator)["contacts"] == 0


def test_upserts_need_a_unique_property(client):
    """400 for an id property that is not unique; record ids are for batch/update, without one."""
    body = _inputs("1")
    body.inputs[0].id_property = "hs_object_id"
    with pytest.raises(ApiException) as caught:
        client.batch_api.upsert(body)
    assert caught.value.status == 400


def test_taking_anothers_address_is_a_conflict_that_undoes_the_batch(client):
    """409: the whole batch is refused, also the rows before the conflict."""
    client.batch_api.upsert(_inputs("a@x.org", "b@x.org", tier="gold"))
    body = _inputs("a@x.org", "b@x.org", tier="silver")
    body.inputs[1].properties["email"] = "a@x.org"
    with pytest.raises(ApiException) as caught:
        client.batch_api.upsert(body)
    assert (caught.value.status, json.loads(caught.value.body)["category"]) == (409, "CONFLICT")
    assert client.basic_api.get_by_id("a@x.org", id_property="email").properties["tier"] == "gold"


def test_updates_go_by_record_id(client):
    """batch/update writes existing contacts; an unknown id is an error of its row."""
    (made,) = client.batch_api.upsert(_inputs("a@x.org", tier="gold")).results
    inputs = [
        SimplePublicObjectBatchInput(id=made.id, object_write_trace_id="1", properties={"tier": ""}),
        SimplePublicObjectBatchInput(id="999", object_write_trace_id="2", properties={"tier": ""}),
    ]
    answer = client.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    assert [r.id for r in answer.results] == [made.id]
    assert answer.errors[0].context["objectWriteTraceId"] == ["2"]


def test_reading_says_who_is_missing(client):
    """batch/read by e-mail: 207 and the ids that are not there."""
    client.batch_api.upsert(_inputs("a@x.org", tier="gold"))
    asked = BatchReadInputSimplePublicObjectId(
        id_property="email",
        properties=["email"],
        properties_with_history=[],
        inputs=[SimplePublicObjectId(id="a@x.org"), SimplePublicObjectId(id="gone@x.org")],
    )
    answer = client.batch_api.read(asked)
    assert [r.properties["email"] for r in answer.results] == ["a@x.org"]
    assert answer.errors[0].context["ids"] == ["gone@x.org"]


def test_archived_and_erased_contacts_are_gone(client, simulator):
    """batch/archive and gdpr-delete answer 204; both may be repeated."""
    made = client.batch_api.upsert(_inputs("a@x.org", "b@x.org", "c@x.org")).results
    ids = BatchInputSimplePublicObjectId(inputs=[SimplePublicObjectId(id=made[0].id)])
    for _ in range(2):
        assert client.batch_api.archive_with_http_info(ids)[1] == 204
        erase = PublicGdprDeleteInput(id_property="email", object_id="b@x.org")
        assert client.basic_api.purge_with_http_info(erase)[1] == 204
    assert list(_state(simulator)["writes_by_email"]) == ["c@x.org"]
    with pytest.raises(ApiException) as caught:
        client.basic_api.get_by_id("b@x.org", id_property="email")
    assert caught.value.status == 404


def test_contacts_are_listed_by_pages(simulator):
    """The official client's get_all walks over every page."""
    client = HubSpot(access_token=TOKEN, host=simulator.url).crm.contacts
    for start in (0, 100):
        client.batch_api.upsert(_inputs(*(f"c{n}@x.org" for n in range(start, start + 100))))
    everybody = client.get_all()
    assert len({contact.properties["email"] for contact in everybody}) == 200


def test_a_wrong_token_opens_nothing(simulator):
    """401."""
    with pytest.raises(ApiException) as caught:
        _client(simulator.url, "another").batch_api.upsert(_inputs("a@x.org"))
    assert caught.value.status == 401
    assert _state(simulator)["contacts"] == 0


def test_the_rate_limit_is_real(tmp_path):
    """429 with Retry-After past the limit; the headers count down; after the window requests pass again."""
    with _running(tmp_path, rate_limit=2, rate_seconds=1.0) as simulator:
        client = _client(simulator.url)
        headers = client.batch_api.upsert_with_http_info(_inputs("a@x.org"))[2]
        assert (headers["X-HubSpot-RateLimit-Max"], headers["X-HubSpot-RateLimit-Remaining"]) == ("2", "1")
        client.batch_api.upsert(_inputs("a@x.org"))
        with pytest.raises(ApiException) as caught:
            client.batch_api.upsert(_inputs("a@x.org"))
        assert caught.value.status == 429
        assert caught.value.headers["Retry-After"] == "1"
        assert _state(simulator)["statuses"] == {"200": 2, "429": 1}


def test_faults_happen_on_demand(client, simulator):
    """429, 503, a lost answer and a success that wrote nothing, each as often as asked for."""
    _fault(
        simulator,
        {"status": 429, "retry_after": 1, "times": 2},
        {"status": 503},
        {"drop": True, "where": "after"},
        {"status": 200},
    )
    statuses = []
    for _ in range(3):
        with pytest.raises(ApiException) as caught:
            client.batch_api.upsert(_inputs("a@x.org"))
        statuses.append((caught.value.status, caught.value.headers.get("Retry-After")))
    assert statuses == [(429, "1"), (429, "1"), (503, None)]
    assert _state(simulator)["contacts"] == 0
    with pytest.raises(HTTPError):
        client.batch_api.upsert(_inputs("a@x.org"))
    assert _state(simulator)["writes_by_email"] == {"a@x.org": 1}
    empty = client.batch_api.upsert(_inputs("b@x.org"))
    assert empty.results == []
    assert _state(simulator)["contacts"] == 1
    assert client.batch_api.upsert(_inputs("b@x.org")).results[0].new


def test_a_fault_may_be_for_one_row_only(client, simulator):
    """A fault with an id waits for a batch that holds it."""
    _fault(simulator, {"status": 409, "id": "bad@x.org", "times": 9})
    assert client.batch_api.upsert(_inputs("good@x.org")).results[0].new
    with pytest.raises(ApiException) as caught:
        client.batch_api.upsert(_inputs("good@x.org", "bad@x.org"))
    assert caught.value.status == 409


def test_an_impossible_fault_is_refused(simulator):
    """The control endpoint says what is wrong."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        _fault(simulator, {"sttus": 429})
    with caught.value as answer:
        assert b"sttus" in answer.read()


def test_contacts_outlive_the_process(tmp_path):
    """A second simulator on the same database finds the contacts and their ids."""
    with _running(tmp_path) as simulator:
        (made,) = _client(simulator.url).batch_api.upsert(_inputs("a@x.org", tier="gold")).results
    with _running(tmp_path) as simulator:
        found = _client(simulator.url).basic_api.get_by_id("a@x.org", id_property="email")
        assert (found.id, found.properties["tier"]) == (made.id, "gold")


def test_the_official_client_searches_and_reads_the_account(simulator, client):
    """By when contacts changed, as a pull asks; beyond HubSpot's limits it is refused as there."""
    with simulator._store.batch():
        made = [simulator._store.upsert(f"p{n}@x.org", {"firstname": f"P{n}"})[0] for n in range(3)]

    def search(**body):
        since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}
        asked = {
            "filter_groups": [{"filters": [since]}],
            "sorts": [],
            "properties": ["firstname"],
            "limit": 2,
        }
        return client.search_api.do_search(PublicObjectSearchRequest(**{**asked, **body}))

    found = search(sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}])
    assert (found.total, [one.id for one in found.results]) == (3, [one.id for one in made[:2]])
    assert found.paging.next.after == "2"
    for beyond in ({"limit": 201}, {"limit": 200, "after": "9900"}, {"properties": ["x" * 3000]}):
        with pytest.raises(ApiException) as refused:
            search(**beyond)
        assert refused.value.status == 400
    simulator.api.search.owners["7"] = {"firstName": "Ann", "lastName": "Li", "email": "ann@x.org"}
    account = HubSpot(access_token=TOKEN, host=simulator.url).crm
    assert [one.last_name for one in account.owners.owners_api.get_page().results] == ["Li"]
    labels = {one.name: one.label for one in account.properties.core_api.get_all("contacts").results}
    assert labels["hs_object_id"] == "Record ID"


def test_searches_have_a_rate_of_their_own(simulator):
    """The sixth in a second is refused, whatever is left of the account's other requests."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(
        f"{simulator.url}/crm/v3/objects/contacts/search", data=b"{}", headers=headers, method="POST"
    )
    for _ in range(5):
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 429
    refused.value.close()
