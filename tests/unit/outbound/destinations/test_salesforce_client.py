"""A client that others wrote, simple-salesforce, takes the simulator for the real thing, and quotes as we do."""

from __future__ import annotations

import httpx
import pytest
import requests
from simple_salesforce import Salesforce as TheirClient
from simple_salesforce.exceptions import SalesforceExpiredSession
from simple_salesforce.format import format_soql

from lakehouse.outbound.destinations.salesforce import soql_text
from tests.support.salesforce_simulator import SalesforceSimulator


class Adapter(requests.adapters.BaseAdapter):
    """Gives the requests of their client to the simulator."""

    def __init__(self, simulator):
        super().__init__()
        self.simulator = simulator

    def send(self, request, **_):
        answer = self.simulator.answer(
            httpx.Request(
                request.method, request.url, headers=dict(request.headers), content=request.body or b""
            )
        )
        response = requests.Response()
        response.status_code, response._content = answer.status_code, answer.content
        response.headers.update(answer.headers)
        response.url, response.request = request.url, request
        return response

    def close(self):
        """Keep nothing open."""


def _theirs(simulator, token=SalesforceSimulator.token):
    session = requests.Session()
    session.mount("https://", Adapter(simulator))
    return TheirClient(session_id=token, instance="crm.test", session=session, version="62.0")


def test_their_client_takes_the_simulator_for_the_real_one():
    """Collections, a query, a session that has run out; what it wrote is what ours wrote."""
    simulator = SalesforceSimulator()
    client = _theirs(simulator)
    records = [
        {"attributes": {"type": "Contact"}, "Email__c": name, "Tier__c": "gold"}
        for name in ("a@x.org", "o'b@x.org")
    ]
    path = "composite/sobjects/Contact/Email__c"
    answer = client.restful(path, method="PATCH", json={"allOrNone": False, "records": records})
    assert [(part["success"], part["created"]) for part in answer] == [(True, True)] * 2
    twice = client.restful(path, method="PATCH", json={"allOrNone": False, "records": [records[0]] * 2})
    assert [part["errors"][0]["statusCode"] for part in twice] == ["DUPLICATE_VALUE"] * 2
    found = client.query_all(
        format_soql("SELECT Id, Email__c FROM Contact WHERE Email__c IN {names}", names=["o'b@x.org"])
    )
    assert [record["Id"] for record in found["records"]] == [answer[1]["id"]]
    simulator.valid_tokens = set()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id, Email__c FROM Contact WHERE Email__c IN ('a')")


def test_their_client_writes_and_reads_jobs(monkeypatch):
    """Bulk API 2.0, from making a job to what became of each row."""
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda _: None)
    simulator = SalesforceSimulator(rejected="bad@x.org")
    simulator.bulk.polls = 2
    client = _theirs(simulator)
    records = [{"Email__c": name, "Tier__c": "#N/A", "Note__c": "a\nb"} for name in ("a@x.org", "bad@x.org")]
    (result,) = client.bulk2.Contact.upsert(records=records, external_id_field="Email__c")
    assert (result["numberRecordsProcessed"], result["numberRecordsFailed"]) == (2, 1)
    failed = client.bulk2.Contact.get_failed_records(result["job_id"])
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in failed
    assert "a@x.org" in client.bulk2.Contact.get_successful_records(result["job_id"])
    assert simulator.records["a@x.org"]["Note__c"] == "a\nb"


@pytest.mark.parametrize("text", ["plain", "o'brien", "a\\", "\\'", "') OR (Id != '", "a\\'b'"])
def test_texts_are_quoted_as_their_client_quotes_them(text):
    """A name that ends its quotes would ask for other people's records."""
    assert f"'{soql_text(text)}'" == format_soql("{}", text)
