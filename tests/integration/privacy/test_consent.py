"""The consent projection fails closed: half-written, stale, lost or unreadable, it allows nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, retrying, settings
from lakehouse.errors import Transient
from lakehouse.privacy import consent
from lakehouse.privacy.projection_table import ProjectionTable
from tests.support import cloud as clouds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def _grants(*customers, purpose="marketing", channel="email"):
    return [(customer, purpose, channel, f"consent-of-{customer}") for customer in customers]


def _allowed(*customers, now=NOW, purpose="marketing", channel="email"):
    return dict(_grants_now(*customers, now=now, purpose=purpose, channel=channel).consent_ids)


def _grants_now(*customers, now=NOW, purpose="marketing", channel="email"):
    return consent.grants(settings.current(), customers, purpose, channel, now)


class _Killed(BaseException):
    """The writer is gone."""


def test_a_grant_allows_and_names_its_row():
    """Only this purpose by this channel, only this customer."""
    assert consent.project(settings.current(), _grants("a") + _grants("b", channel="sms"), "1", NOW, DAY)
    assert _allowed("a", "b", "c") == {"a": "consent-of-a"}
    assert _allowed("a", "b", channel="sms") == {"b": "consent-of-b"}
    assert _allowed("a", purpose="service") == {}
    assert _allowed() == {}


def test_one_customer_may_grant_several():
    """All grants of a customer stand in one item."""
    consent.project(settings.current(), [*_grants("a"), ("a", "service", "sms", "other")], "1", NOW, DAY)
    assert _allowed("a") == {"a": "consent-of-a"}
    assert _allowed("a", purpose="service", channel="sms") == {"a": "other"}


def test_many_customers_are_written_and_read_in_batches():
    """More than one batch of 25 to write, more than one of 100 to read."""
    everybody = [f"c{n}" for n in range(230)]
    consent.project(settings.current(), _grants(*everybody), "1", NOW, DAY)
    assert _allowed(*everybody, *everybody).keys() == set(everybody)


def test_without_a_projection_nobody_allows():
    """Absent."""
    assert _allowed("a") == {}
    assert _grants_now("a").unanswered == {"a"}
    assert consent.generation(settings.current(), NOW) == "none"


def test_a_stale_projection_allows_nobody():
    """To the second of its end, and not after."""
    consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    assert _allowed("a", now=NOW + DAY - timedelta(seconds=1))
    assert _allowed("a", now=NOW + DAY) == {}
    assert _grants_now("a", now=NOW + DAY).unanswered == {"a"}
    assert _grants_now("a", "b").unanswered == set()
    assert consent.generation(settings.current(), NOW + DAY) == "none"


def test_a_table_out_of_reach_allows_nobody(monkeypatch):
    """Unreadable is withheld, not an error."""
    consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    monkeypatch.setenv("LAKEHOUSE_CONSENT_TABLE", "no_such_table")
    settings.current.cache_clear()
    assert _allowed("a") == {}
    assert _grants_now("a").unanswered == {"a"}
    assert consent.generation(settings.current(), NOW) == "none"


def test_who_withdrew_is_gone_with_the_next_projection():
    """The old item stays in the table; its generation is over."""
    consent.project(settings.current(), _grants("a", "b"), "1", NOW, DAY)
    consent.project(settings.current(), _grants("b"), "2", NOW + timedelta(minutes=1), DAY)
    assert _allowed("a", "b", now=NOW + timedelta(minutes=2)) == {"b": "consent-of-b"}


def test_a_half_written_projection_never_allows_more_than_the_truth(monkeypatch):
    """Killed before the header: new grants do not count, old ones only where they were not overwritten yet."""
    consent.project(settings.current(), _grants("old", "both"), "1", NOW, DAY)

    def killed(*_):
        raise _Killed

    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            consent.project(settings.current(), _grants("both", "new"), "2", NOW + timedelta(minutes=1), DAY)
    assert _allowed("old", "both", "new") == {"old": "consent-of-old"}


def test_the_same_version_is_written_once_and_renewed_at_half_its_life():
    """Repeats cost one read; but it does not go stale while somebody looks after it."""
    assert consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    first = consent.generation(settings.current(), NOW)
    assert not consent.project(settings.current(), _grants("a"), "1", NOW + DAY / 3, DAY)
    assert consent.generation(settings.current(), NOW) == first
    assert consent.project(settings.current(), _grants("a"), "1", NOW + DAY / 2, DAY)
    assert consent.generation(settings.current(), NOW) != first
    assert _allowed("a", now=NOW + DAY)


def test_an_older_truth_never_undoes_a_newer_withdrawal():
    """A slow writer comes last with what was true first: it writes nothing."""
    consent.project(settings.current(), _grants("b"), "2", NOW, DAY, as_of=NOW)
    late = NOW + timedelta(minutes=5)
    assert not consent.project(
        settings.current(), _grants("a", "b"), "1", late, DAY, as_of=NOW - timedelta(minutes=1)
    )
    assert _allowed("a", "b", now=late) == {"b": "consent-of-b"}


def test_one_writer_at_a_time(monkeypatch):
    """A second one is told to come again; after the first was killed, when its reservation is over."""

    def killed(*_):
        raise _Killed

    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "write_items", killed)
        with pytest.raises(_Killed):
            consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    with pytest.raises(Transient, match="being written"):
        consent.project(settings.current(), _grants("a"), "1", NOW + timedelta(minutes=15), DAY)
    assert consent.project(settings.current(), _grants("a"), "1", NOW + timedelta(minutes=17), DAY)
    assert _allowed("a")


def test_a_writer_that_fails_lets_the_next_one_in(monkeypatch):
    """An error is no crash: the reservation ends with it."""

    def refused(*_):
        raise Transient("no capacity")

    with monkeypatch.context() as trouble:
        trouble.setattr(ProjectionTable, "write_items", refused)
        with pytest.raises(Transient, match="no capacity"):
            consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    assert consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    assert _allowed("a")


def test_a_writer_that_was_overtaken_names_nothing(monkeypatch):
    """Stalled for longer than its reservation: another has taken over, and its header stands."""
    real = ProjectionTable.write_items

    def stalled(table, items, expires):
        monkeypatch.setattr(ProjectionTable, "write_items", real)
        consent.project(settings.current(), _grants("b"), "2", NOW + timedelta(minutes=20), DAY)
        real(table, items, expires)

    monkeypatch.setattr(ProjectionTable, "write_items", stalled)
    with pytest.raises(Transient, match="taken over"):
        consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    assert _allowed("a", "b", now=NOW + timedelta(minutes=21)) == {"b": "consent-of-b"}


def test_what_dynamodb_leaves_over_is_written_and_read_again(monkeypatch):
    """Unprocessed items and keys are asked for again; what stays unanswered is withheld."""
    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    client = aws.dynamodb()
    real_write, real_read, turn = client.batch_write_item, client.batch_get_item, iter(range(99))

    def write_some(RequestItems):  # noqa: N803
        if next(turn) == 0:
            return {"UnprocessedItems": RequestItems}
        return real_write(RequestItems=RequestItems)

    monkeypatch.setattr(client, "batch_write_item", write_some)
    consent.project(settings.current(), _grants("a", "b"), "1", NOW, DAY)

    def read_one(RequestItems):  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        first, rest = wanted["Keys"][:1], wanted["Keys"][1:]
        answer = real_read(RequestItems={table: {**wanted, "Keys": first}})
        return {**answer, "UnprocessedKeys": {table: {**wanted, "Keys": rest}} if rest else {}}

    monkeypatch.setattr(client, "batch_get_item", read_one)
    assert _allowed("a", "b", "c").keys() == {"a", "b"}

    def silent(RequestItems):  # noqa: N803
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    monkeypatch.setattr(client, "batch_get_item", silent)
    assert _allowed("a", "b") == {}
    assert _grants_now("a", "b").unanswered == {"a", "b"}


def test_items_expire_after_their_header():
    """The table forgets old generations by itself, and none that still counts."""
    consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
    table = settings.current().consent_table
    item = aws.dynamodb().get_item(TableName=table, Key={"pk": {"S": "c#a"}})["Item"]
    assert int(item["expires_at"]["N"]) == (NOW + 2 * DAY).timestamp()


def test_other_refusals_are_not_swallowed(monkeypatch):
    """Only a lost condition means another writer."""

    def refused(**_):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateItem")

    monkeypatch.setattr(aws.dynamodb(), "update_item", refused)
    with pytest.raises(ClientError):
        consent.project(settings.current(), _grants("a"), "1", NOW, DAY)
