"""What changed in a CRM is landed in the words of its export, each version once, whatever breaks off."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import aws, objects, settings
from lakehouse.errors import Terminal
from lakehouse.local.hubspot.server import HubSpotSimulator
from lakehouse.outbound.destinations.hubspot_api import close_clients
from lakehouse.pulls import hubspot as hubspot_pull
from lakehouse.pulls.policy import PullPolicy
from lakehouse.stages import pull as stage
from tests.support import cloud as clouds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def hubspot(tmp_path, monkeypatch):
    with clouds.cloud(monkeypatch):
        simulator = HubSpotSimulator(tmp_path / "hubspot.sqlite", clouds.TOKEN)
        simulator.start()
        simulator.search_limit.limit = 1000
        monkeypatch.setattr(PullPolicy, "hubspot_requests_a_second", 1000.0)
        monkeypatch.setattr(hubspot_pull, "PAGE", 5)
        monkeypatch.setattr(PullPolicy, "file_rows", 4)
        monkeypatch.setenv("LAKEHOUSE_HUBSPOT_URL", simulator.url)
        settings.current.cache_clear()
        yield simulator
        close_clients()
        simulator.stop()


def write(simulator, *numbers, **properties):
    with simulator._store.batch():
        for number in numbers:
            simulator._store.upsert(f"p{number}@x.org", {"firstname": f"P{number}", **properties})


def pull():
    return stage.pull(settings.current(), "hubspot", "contacts", lambda: NOW)


def landed():
    """All rows of all landed files, by key."""
    bucket = settings.current().landing_bucket
    found = {}
    for key in sorted(objects.list_keys(bucket, "hubspot/contacts/")):
        text = objects.get(bucket, f"hubspot/contacts/{key}").decode()
        found[key] = list(csv.DictReader(io.StringIO(text)))
    return found


def names():
    return sorted(row["First Name"] for rows in landed().values() for row in rows)


def test_changes_land_once_and_the_next_pull_goes_on(hubspot):
    """In files of so many rows; a contact that changes lands again, another does not."""
    write(hubspot, *range(11))
    first = pull()
    assert (first.records, len(first.files)) == (11, 3)
    assert names() == sorted(f"P{n}" for n in range(11))
    assert pull().records == 0
    write(hubspot, 3, firstname="Three")
    assert pull().records == 1
    assert "Three" in names()


def test_archived_and_merged_contacts_are_told_as_gone(hubspot):
    """Once each; the other contacts of the account are left as they are."""
    write(hubspot, 1, 2, 3)
    pull()
    with hubspot._store.batch():
        first, second, third = (hubspot._store.find(f"p{n}@x.org", "email") for n in (1, 2, 3))
        hubspot._store.archive(first.id)
        hubspot._store.merge(second, third)
    assert pull().records == 3
    gone = {row["Record ID"]: row["Merged Into"] for rows in landed().values() for row in rows
            if row["Archived"] == "true"}  # fmt: skip
    assert gone == {first.id: "", third.id: second.id}
    assert pull().records == 0


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_a_pull_that_dies_anywhere_loses_nothing(hubspot, monkeypatch, dies_at):
    """Before or after any file or cursor: the next pull lands what is missing, and the same file is the same object."""
    write(hubspot, *range(11))
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
    assert set(names()) == {f"P{n}" for n in range(11)}
    assert len(names()) <= 11 + PullPolicy.file_rows


def test_the_cursor_never_knows_more_than_has_landed(hubspot, monkeypatch):
    """It is written after the file."""
    write(hubspot, 1)
    real, order = aws.s3().put_object, []
    monkeypatch.setattr(
        aws.s3(), "put_object", lambda **asked: (order.append(asked["Key"]), real(**asked))[1]
    )
    pull()
    assert [key.partition("/")[0] for key in order] == ["hubspot", "pulls"]


def test_a_damaged_cursor_is_told_and_deleting_it_pulls_all(hubspot):
    """No change is skipped in silence."""
    write(hubspot, 1)
    pull()
    bucket, key = settings.current().ops_bucket, "pulls/hubspot/contacts/changed.json"
    objects.put(bucket, key, b"{")
    with pytest.raises(Terminal, match=r"changed\.json is damaged .* delete it, and all is pulled again"):
        pull()
    aws.s3().delete_object(Bucket=bucket, Key=key)
    assert pull().records == 1


def test_what_cannot_be_pulled_is_told(hubspot):
    """With the nearest that can."""
    with pytest.raises(Terminal, match="hubspot contact cannot be pulled"):
        stage.pull(settings.current(), "hubspot", "contact", lambda: NOW)
    with pytest.raises(Terminal, match="which Salesforce organisation is not known"):
        stage.pull(settings.current(), "salesforce", "leads", lambda: NOW)


def test_hubspots_own_rate_is_kept():
    """Four searches a second of the five that it takes, whatever a pull asks for."""
    assert timedelta(seconds=1) / PullPolicy.hubspot_requests_a_second > timedelta(seconds=0.2)
