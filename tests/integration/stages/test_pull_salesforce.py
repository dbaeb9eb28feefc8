"""Salesforce's changes from its server to `core.contacts`: tokens, queries, pages, files, cursors and the source."""

from __future__ import annotations

import csv
import io
import json

import pytest
import stamina

from lakehouse import aws, objects, settings
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import salesforce as salesforce_destination
from lakehouse.outbound.destinations.client import close_clients
from lakehouse.pulls import salesforce as salesforce_pull
from lakehouse.pulls.policy import PullPolicy
from lakehouse.stages import pull as stage
from tests.integration.stages.test_pull import NOW
from tests.support import cloud as clouds
from tests.support.filled_lake import filled_lake
from tests.support.salesforce_server import salesforce_server

FIELDS = {"LastName", "FirstName", "Email", "MobilePhone", "MailingStreet", "Internal_Note__c"}
FIRST, SECOND = "2026-02-01T10:00:00.000+0000", "2026-02-03T08:30:00.250+0000"
APP = {"client_id": "app", "client_secret": "app-secret"}


@pytest.fixture
def org(tmp_path, monkeypatch):
    """An organisation behind a server, a definition that names it, and its credentials in the secret."""
    (tmp_path / "definitions" / "destinations").mkdir(parents=True)
    with clouds.cloud(monkeypatch), salesforce_server() as server:
        definition = f"name: org\nkind: salesforce\nurl: {server.url}\n"
        (tmp_path / "definitions" / "destinations" / "org.yaml").write_text(definition, "utf-8")
        monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
        monkeypatch.setenv("LAKEHOUSE_INWARD_HOSTS", "127.0.0.1")
        settings.current.cache_clear()
        name = settings.current().destinations_secret
        aws.secrets().create_secret(Name=name, SecretString=json.dumps({"org": APP}))
        monkeypatch.setattr(salesforce_pull, "PAGE", 4)
        monkeypatch.setattr(PullPolicy, "file_rows", 3)
        server.simulator.fields = frozenset(FIELDS)
        server.simulator.page = 2
        salesforce_destination.forget_tokens()
        with stamina.set_testing(True, attempts=3):
            yield server
        close_clients()
        salesforce_destination.forget_tokens()


def change(server, *numbers, stamp=FIRST, **values):
    for number in numbers:
        record = server.simulator.records.setdefault(f"p{number}", {"Id": f"003{number:012d}AAA"})
        record |= {
            "LastName": f"Person {number}", "Email": f"p{number}@x.org", "IsDeleted": False, "CreatedDate": FIRST,
            "LastModifiedDate": stamp, "SystemModstamp": stamp, **values,
        }  # fmt: skip


def pull(entity="contacts"):
    return stage.pull(settings.current(), "salesforce", entity, lambda: NOW)


def bodies():
    bucket = settings.current().landing_bucket
    return [objects.get(bucket, f"salesforce/contacts/{key}") for key in
            sorted(objects.list_keys(bucket, "salesforce/contacts/"))]  # fmt: skip


def rows():
    return [row for body in bodies() for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]


def test_changes_land_once_and_the_next_pull_goes_on(org):
    """Seven who share a moment, in pages of two and queries of four; then one change, and a deletion."""
    change(org, *range(7))
    first = pull()
    assert (first.records, len(first.files)) == (7, 3)
    assert sorted(row["LastName"] for row in rows()) == sorted(f"Person {n}" for n in range(7))
    assert pull().records == 0
    change(org, 3, stamp=SECOND, LastName="Renamed")
    change(org, 4, stamp=SECOND, IsDeleted=True)
    assert pull().records == 2
    told = {row["LastName"]: row["IsDeleted"] for row in rows() if row["SystemModstamp"] == SECOND}
    assert told == {"Renamed": "false", "Person 4": "true"}


def test_nothing_is_asked_for_that_no_source_reads(org):
    """A field of one's own that is in no definition stays where it is."""
    change(org, 1, Internal_Note__c="between us")
    pull()
    assert "Internal_Note__c" not in rows()[0]
    assert b"between us" not in b"".join(bodies())


def test_what_was_pulled_is_what_the_contact_is(org, tmp_path_factory):
    """Its files are loaded by the source that reads exports; who lies in the recycle bin is gone."""
    change(org, 1, 2, MailingStreet='Nanjing Rd 1,\n"Building" 2', MobilePhone="+8613800138001")
    pull()
    change(org, 1, stamp=SECOND, LastName="Renamed")
    change(org, 2, stamp=SECOND, IsDeleted=True)
    pull()
    folder = tmp_path_factory.mktemp("pulled")
    steps = []
    for number, body in enumerate(bodies()):
        (folder / f"{number}.csv").write_bytes(body)
        steps.append({("salesforce", "contacts", str(number)): folder / f"{number}.csv"})
    (folder / "lake").mkdir()
    with filled_lake(folder / "lake", *steps) as lake:
        assert not lake.set_aside
        held = lake.ask("select contact_id, last_name, address from core.contacts where valid_to is null")
    assert held == [("003000000000001AAA", "Renamed", 'Nanjing Rd 1,\n"Building" 2')]


def test_a_session_that_runs_out_in_the_middle_is_renewed(org):
    """One new token, and the same question again."""
    change(org, *range(7))
    org.statuses = [0, 0, 401]  # token, description, first query
    assert pull().records == 7
    assert org.simulator.tokens_given == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again_and_for_good_told(org, status):
    """Nothing landed is lost, and the next pull goes on."""
    change(org, *range(7))
    org.statuses = [0, 0, status]
    assert pull().records == 7
    change(org, 1, stamp=SECOND)
    org.statuses = [status] * 50
    with pytest.raises(Transient):
        pull()
    org.statuses = []
    assert pull().records == 1


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_a_pull_that_dies_anywhere_loses_nothing(org, monkeypatch, dies_at):
    """Before or after any file or cursor."""
    change(org, *range(7))
    real, calls = aws.s3().put_object, []

    def put_object(**request):
        calls.append(request["Key"])
        if len(calls) == dies_at:
            raise SystemExit
        return real(**request)

    with monkeypatch.context() as patch:
        patch.setattr(aws.s3(), "put_object", put_object)
        with pytest.raises(SystemExit):
            pull()
    pull()
    assert {row["LastName"] for row in rows()} == {f"Person {n}" for n in range(7)}
    assert len(rows()) <= 7 + PullPolicy.file_rows


def test_an_app_that_is_refused_names_the_secret_and_not_what_is_in_it(org):
    """A person must act."""
    name = settings.current().destinations_secret
    wrong = json.dumps({"org": {"client_id": "app", "client_secret": "not-the-secret"}})
    aws.secrets().put_secret_value(SecretId=name, SecretString=wrong)
    with pytest.raises(Terminal, match="gives no token") as caught:
        pull()
    assert "not-the-secret" not in str(caught.value)
