"""The consent projection fails closed: half-written, stale, lost or unreadable, it allows nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, retrying, settings
from lakehouse.errors import Transient
from lakehouse.privacy import consent, projection
from lakehouse.privacy.policy import ProjectionPolicy
from lakehouse.privacy.projection import project
from lakehouse.privacy.projection_table import ProjectionTable
from lakehouse.steady_clock import UNKNOWN, SteadyTime
from tests.support import cloud as clouds
from tests.support.truths import Told, marketing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


class Lake:
    """Versions of the truth, each readable later unless it is forgotten."""

    def __init__(self) -> None:
        self.told: dict[str, dict] = {}

    def project(self, grants, now=NOW, as_of=None, version=None) -> bool:
        version = version or str(len(self.told) + 1)
        earlier = dict(self.told)
        self.told[version] = grants
        truth = Told(grants, version, as_of or now, earlier)
        return project(settings.current(), truth, now, DAY)


@pytest.fixture
def lake():
    return Lake()


def ask(*customers, now=NOW, purpose="marketing", channel="email", address="{}@x.org"):
    recipients = [(customer, address.format(customer)) for customer in customers]
    return consent.grants(settings.current(), recipients, purpose, channel, now)


def allowed(*customers, **more):
    return {who: consent_id for (who, _), consent_id in ask(*customers, **more).consent_ids.items()}


def unanswered(*customers, **more):
    return {who for who, _ in ask(*customers, **more).unanswered}


class _Killed(BaseException):
    """The writer is gone."""


def killed(*_, **__):
    raise _Killed


def items() -> list[dict]:
    found = aws.dynamodb().scan(TableName=settings.current().consent_table)["Items"]
    return [item for item in found if item["pk"]["S"] != "#projection"]


def test_a_grant_allows_and_names_its_statement(lake):
    """Only this purpose by this channel, only this customer, only this address."""
    assert lake.project(marketing("a") | marketing("b", channel="sms"))
    assert allowed("a", "b", "c") == {"a": "consent-of-a"}
    assert allowed("a", "b", channel="sms") == {"b": "consent-of-b"}
    assert allowed("a", purpose="service") == {}
    assert allowed("a", address="other@x.org") == {}
    assert allowed() == {}


def test_no_address_stands_in_the_table(lake):
    """Neither in a key nor in a value."""
    lake.project(marketing("a"))
    assert "x.org" not in str(items())


def test_many_grants_are_written_and_read_in_batches(lake):
    """More than one batch of 25 to write, more than one of 100 to read."""
    everybody = [f"c{n}" for n in range(230)]
    lake.project(marketing(*everybody))
    assert allowed(*everybody, *everybody).keys() == set(everybody)


def test_without_a_projection_nobody_allows():
    """Absent."""
    assert allowed("a") == {}
    assert unanswered("a") == {"a"}
    assert consent.generation(settings.current(), NOW) == "none"


def test_a_stale_projection_allows_nobody(lake):
    """To the second of its end, and not after."""
    lake.project(marketing("a"))
    assert allowed("a", now=NOW + DAY - timedelta(seconds=1))
    assert allowed("a", now=NOW + DAY) == {}
    assert unanswered("a", now=NOW + DAY) == {"a"}
    assert unanswered("a", "b") == set()
    assert consent.generation(settings.current(), NOW + DAY) == "none"


def test_a_table_out_of_reach_allows_nobody(lake, monkeypatch):
    """Unreadable is withheld, not an error."""
    lake.project(marketing("a"))
    monkeypatch.setenv("LAKEHOUSE_CONSENT_TABLE", "no_such_table")
    settings.current.cache_clear()
    assert allowed("a") == {}
    assert unanswered("a") == {"a"}
    assert consent.generation(settings.current(), NOW) == "none"


def test_under_another_key_nothing_is_known_until_all_is_written_anew(lake):
    """Else everybody would seem to have withdrawn."""
    lake.project(marketing("a"))
    clouds.renew_hash_key("another key of more than 32 characters")
    assert unanswered("a") == {"a"}
    assert lake.project(marketing("a"), NOW + MINUTE, version="1")
    assert allowed("a") == {"a": "consent-of-a"}


def test_who_withdrew_is_gone_with_the_next_projection(lake):
    """And only what differs is written."""
    lake.project(marketing("a", "b"))
    before = {item["pk"]["S"]: item for item in items()}
    lake.project(marketing("b", "c"), NOW + MINUTE)
    assert allowed("a", "b", "c") == {"b": "consent-of-b", "c": "consent-of-c"}
    kept = [item for item in items() if item == before.get(item["pk"]["S"])]
    assert (len(items()), len(kept)) == (2, 1)


def test_while_a_difference_is_written_only_the_new_ones_are_unknown(lake, monkeypatch):
    """Who is allowed before and after stays allowed, who is refused is so at once, who is new waits for the header."""
    lake.project(marketing("old", "both"))
    asked = []

    def while_it_is_written(*_):
        asked.append(ask("old", "both", "new"))
        raise _Killed

    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", while_it_is_written)
        with pytest.raises(_Killed):
            lake.project(marketing("both", "new"), NOW + MINUTE)
    (during,) = asked
    assert dict(during.consent_ids) == {("both", "both@x.org"): "consent-of-both"}
    assert during.unanswered == {("new", "new@x.org")}


def test_what_a_dead_writer_left_does_not_count_later(lake, monkeypatch):
    """It had begun to grant `new`, who withdrew before the next writer came."""
    lake.project(marketing("both"))
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            lake.project(marketing("new"), NOW + MINUTE)
    later = NOW + timedelta(minutes=20)
    assert lake.project(marketing("both"), later)
    assert allowed("both", "new", now=later) == {"both": "consent-of-both"}


def test_a_dead_writer_of_everything_leaves_what_stood(lake, monkeypatch):
    """Another epoch is written beside the old one, which counts until its end."""
    lake.project(marketing("a"))
    lake.told.clear()  # what was projected cannot be read any more
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            lake.project(marketing("b"), NOW + MINUTE, version="7")
    assert allowed("a", "b") == {"a": "consent-of-a"}
    later = NOW + timedelta(minutes=20)
    assert lake.project(marketing("b"), later, version="8")
    assert allowed("a", "b", now=later) == {"b": "consent-of-b"}


def test_a_grant_that_leans_on_another_statement_is_never_unknown(lake, monkeypatch):
    """Its item is overwritten, and counts by the old generation."""
    lake.project(marketing("a"))
    newer = dict.fromkeys(marketing("a"), "k_newer")
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            lake.project(newer, NOW + MINUTE)
    assert allowed("a") == {"a": "k_newer"}


def test_nothing_is_written_when_nothing_changed(lake):
    """Another version with the same grants moves the header alone, and no plan."""
    lake.project(marketing("a"))
    name, before = consent.generation(settings.current(), NOW), items()
    assert lake.project(marketing("a"), NOW + MINUTE)
    assert (consent.generation(settings.current(), NOW), items()) == (name, before)


def test_a_reservation_from_the_future_keeps_nobody_out(lake, monkeypatch):
    """Its writer died, and the clock was set back since: the next one need not wait until it has caught up."""
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            lake.project(marketing("a"), NOW + DAY)
    assert lake.project(marketing("a"))
    assert allowed("a") == {"a": "consent-of-a"}


@pytest.mark.parametrize("step", [timedelta(0), -timedelta(minutes=15), -DAY, DAY])
def test_on_one_machine_a_reservation_lasts_for_its_lease(lake, monkeypatch, step):
    """Wherever the wall clock is set to after its writer died; one that was given up keeps nobody out."""
    moment = [1_000.0]
    monkeypatch.setattr(projection, "read_steady", lambda _: SteadyTime("machine", moment[0]))
    lease = ProjectionPolicy.writer_lease.total_seconds()
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            lake.project(marketing("a"))
    moment[0] += lease
    with pytest.raises(Transient, match="another consent projection"):
        lake.project(marketing("a"), NOW + step)
    moment[0] += 1
    assert lake.project(marketing("a"), NOW + step)
    assert allowed("a", now=NOW + step) == {"a": "consent-of-a"}


@pytest.mark.parametrize("writer", [SteadyTime("one", 5.0), SteadyTime("one", 9_000.0), UNKNOWN])
def test_another_machine_goes_by_the_wall_clock(lake, monkeypatch, writer):
    """Whatever the steady clock of the writer's machine said, or if it had none."""
    monkeypatch.setattr(projection, "read_steady", lambda _: writer)
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "publish_generation", killed)
        with pytest.raises(_Killed):
            lake.project(marketing("a"))
    for reader in (SteadyTime("another", 6_000.0), UNKNOWN):
        monkeypatch.setattr(projection, "read_steady", lambda _, reader=reader: reader)
        with pytest.raises(Transient, match="another consent projection"):
            lake.project(marketing("a"), NOW + 15 * MINUTE)
    assert lake.project(marketing("a"), NOW + 17 * MINUTE)


def test_a_projection_from_the_future_grants_nothing(lake):
    """Nobody knows how old it is; it is written anew at the next look."""
    lake.project(marketing("a"), NOW + DAY)
    assert allowed("a", now=NOW) == {}
    assert lake.project(marketing("a"), NOW, as_of=NOW + DAY, version="1")
    assert allowed("a", now=NOW) == {"a": "consent-of-a"}


def test_the_same_version_is_written_once_and_renewed_at_half_its_life(lake):
    """Repeats cost one read; but it does not go stale while somebody looks after it."""
    assert lake.project(marketing("a"), version="1")
    name = consent.generation(settings.current(), NOW)
    assert not lake.project(marketing("a"), NOW + DAY / 3, NOW, version="1")
    assert lake.project(marketing("a"), NOW + DAY / 2, NOW, version="1")
    assert consent.generation(settings.current(), NOW + DAY / 2) == name
    assert allowed("a", now=NOW + DAY)


def test_items_are_written_anew_before_they_expire(lake):
    """They live a day longer than anything that may name them."""
    lake.project(marketing("a"))
    [item] = items()
    assert (
        int(item["expires_at"]["N"])
        == (NOW + ProjectionPolicy.epoch_age + ProjectionPolicy.grace).timestamp()
    )
    late = NOW + ProjectionPolicy.epoch_age - DAY
    assert lake.project(marketing("a"), late, NOW, version="1")
    assert len(items()) == 2
    assert allowed("a", now=late + DAY / 2) == {"a": "consent-of-a"}


def test_an_older_truth_never_undoes_a_newer_withdrawal(lake):
    """A slow writer comes last with what was true first: it writes nothing."""
    lake.project(marketing("b"))
    late = NOW + timedelta(minutes=5)
    assert not lake.project(marketing("a", "b"), late, as_of=NOW - MINUTE)
    assert allowed("a", "b", now=late) == {"b": "consent-of-b"}


def test_one_writer_at_a_time(lake, monkeypatch):
    """A second one is told to come again; after the first was killed, when its reservation is over."""
    with monkeypatch.context() as crash:
        crash.setattr(ProjectionTable, "write_items", killed)
        with pytest.raises(_Killed):
            lake.project(marketing("a"))
    with pytest.raises(Transient, match="being written"):
        lake.project(marketing("a"), NOW + timedelta(minutes=15))
    assert lake.project(marketing("a"), NOW + timedelta(minutes=17))
    assert allowed("a", now=NOW + timedelta(minutes=17))


def test_a_writer_that_fails_lets_the_next_one_in(lake, monkeypatch):
    """An error is no crash: the reservation ends with it."""

    def refused(*_):
        raise Transient("no capacity")

    with monkeypatch.context() as trouble:
        trouble.setattr(ProjectionTable, "write_items", refused)
        with pytest.raises(Transient, match="no capacity"):
            lake.project(marketing("a"))
    assert lake.project(marketing("a"))
    assert allowed("a")


def test_a_writer_that_was_overtaken_names_nothing(lake, monkeypatch):
    """Stalled for longer than its reservation: another has taken over, and its header stands."""
    real = ProjectionTable.write_items

    def stalled(table, *arguments):
        monkeypatch.setattr(ProjectionTable, "write_items", real)
        lake.project(marketing("b"), NOW + timedelta(minutes=20))
        real(table, *arguments)

    monkeypatch.setattr(ProjectionTable, "write_items", stalled)
    with pytest.raises(Transient, match="taken over"):
        lake.project(marketing("a"))
    assert allowed("a", "b", now=NOW + timedelta(minutes=21)) == {"b": "consent-of-b"}


def test_a_writer_stops_when_its_reservation_is_over(lake, monkeypatch):
    """What it wrote from then on might count for the generation of the one that has taken over."""
    monkeypatch.setattr(ProjectionPolicy, "writer_lease", timedelta(0))
    with pytest.raises(Transient, match="took too long"):
        lake.project(marketing("a"))
    assert items() == []


def test_what_dynamodb_leaves_over_is_written_and_read_again(lake, monkeypatch):
    """Unprocessed items and keys are asked for again; what stays unanswered is withheld."""
    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    client = aws.dynamodb()
    real_write, real_read, turn = client.batch_write_item, client.batch_get_item, iter(range(99))

    def write_some(RequestItems):  # noqa: N803
        if next(turn) == 0:
            return {"UnprocessedItems": RequestItems}
        return real_write(RequestItems=RequestItems)

    monkeypatch.setattr(client, "batch_write_item", write_some)
    lake.project(marketing("a", "b"))

    def read_one(RequestItems):  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        first, rest = wanted["Keys"][:1], wanted["Keys"][1:]
        answer = real_read(RequestItems={table: {**wanted, "Keys": first}})
        return {**answer, "UnprocessedKeys": {table: {**wanted, "Keys": rest}} if rest else {}}

    monkeypatch.setattr(client, "batch_get_item", read_one)
    assert allowed("a", "b", "c").keys() == {"a", "b"}

    def silent(RequestItems):  # noqa: N803
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    monkeypatch.setattr(client, "batch_get_item", silent)
    assert allowed("a", "b") == {}
    assert unanswered("a", "b") == {"a", "b"}


def test_other_refusals_are_not_swallowed(lake, monkeypatch):
    """Only a lost condition means another writer."""

    def refused(**_):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateItem")

    monkeypatch.setattr(aws.dynamodb(), "update_item", refused)
    with pytest.raises(ClientError):
        lake.project(marketing("a"))
