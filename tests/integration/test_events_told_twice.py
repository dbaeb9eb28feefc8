"""A message that is sent again is one row; one that shares its id and says something else is another."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
import yaml

from lakehouse.landing.collected import Collected
from tests.support.raw_files import a_company

pytestmark = pytest.mark.stack
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = {
    "type": "track", "event": "Order Completed", "userId": "u", "messageId": "m", "timestamp": "2026-03-01T11:00:00Z",
    "properties": {"total": 1}, "context": {"direct": True},
}  # fmt: skip


@pytest.fixture
def company(landing):
    with a_company(landing) as company:
        yield company


def sent(*events, at=NOW, ip="", source="web"):
    """Return a request of events as `collect` stores it; `at` is also when it was sent."""
    body = json.dumps({"batch": list(events), "sentAt": at.isoformat()})
    return Collected(f"r{at:%M%S}", at, source, "batch", body, ip).line() + "\n"


def loaded(company, *requests):
    """Load requests of one raw file; return how many events are new, and how many are not."""
    (record,) = company.ingest(company.put("web/events/x.json", "".join(requests).encode())).records
    return record.loaded, record.duplicates


def test_sent_again_it_is_the_same_however_late_and_from_wherever(company):
    """An SDK that got no answer tries for hours, and a telephone has another address by then."""
    assert loaded(company, sent(EVENT, ip="203.0.113.9")) == (1, 0)
    later = [sent(EVENT, at=NOW + timedelta(minutes=minute), ip=f"198.51.100.{minute}") for minute in (1, 50)]
    assert loaded(company, *later) == (0, 2)
    (row,) = company.rows("raw.events")
    assert row["received_at"] == NOW


@pytest.mark.parametrize(
    "other",
    [
        {"properties": {"total": 2}},
        {"event": "Order Refunded"},
        {"userId": "v"},
        {"timestamp": "2026-03-01T11:00:01Z"},
        {"type": "page", "name": "Order Completed"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_two_things_under_one_id_are_two(company, other):
    """In one file and in two; none is lost, and each is there once."""
    changed = EVENT | other
    assert loaded(company, sent(EVENT, changed, EVENT)) == (2, 1)
    assert loaded(company, sent(changed, EVENT, at=NOW + timedelta(minutes=1))) == (0, 2)
    assert loaded(company, sent(EVENT | {"properties": {"total": 3}}, changed)) == (1, 1)
    assert [row["message_id"] for row in company.rows("raw.events")] == ["m"] * 3


def test_an_address_is_kept_as_its_network_where_a_definition_says_so(company, tmp_path):
    """A column of its own beside a context without it: neither `raw.events` nor quarantine has the address."""
    text = yaml.safe_load((files("lakehouse.sources") / "definitions/web_events.yaml").read_text("utf-8"))
    (context,) = (column for column in text["columns"] if column["name"] == "context")
    context["collect"] = {"without": ["ip"]}
    network = {
        "name": "network",
        "from": "context.ip",
        "pii": True,
        "doc": "Network",
        "collect": {"truncate": "network"},
    }
    text["columns"].append(network)
    text["strict"] = True  # else other spellings of its key would be kept in `extra`
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/web_events.yaml").write_text(yaml.safe_dump(text), "utf-8")
    company.settings = company.settings.model_copy(update={"definitions": tmp_path})
    file = company.put("web/events/x.json", sent(EVENT, EVENT | {"event": 7}, ip="203.0.113.9").encode())
    company.ingest(file)
    (row,) = company.rows("raw.events")
    assert (row["network"], json.loads(row["context"])) == ("203.0.113.0/24", {"direct": True})
    assert "203.0.113.9" not in str(row) + str(company.quarantined(file))
