"""The outbound log, over two stores that both keep the promise of a conditional write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, objects, settings
from lakehouse.errors import Transient
from lakehouse.outbound import log
from lakehouse.outbound.records import Chunk, Outcome, Result, Row, Run
from tests.integration.outbound.conftest import NOW
from tests.support import cloud as clouds

LEASE = timedelta(minutes=2)


@pytest.fixture(params=["moto", "seaweedfs"])
def store(request, monkeypatch):
    with clouds.cloud(monkeypatch, request.param):
        yield request.param


def _run(number, plan="a" * 64, chunks=2):
    counts = dict.fromkeys(
        ("selected", "unchanged", "to_send", "to_remove", "failed_waiting", "withheld_waiting", "unknown"), 0
    )
    left_out = dict.fromkeys(("no_consent", "no_address", "same_address"), 0)
    return Run("news", f"{number:08d}", plan, NOW.isoformat(), {"a": "1"}, "d", chunks, **counts, **left_out)


def _chunk(run, name):
    rows = [Row(0, "c0", "a@x.org", "upsert", {"tier": "金"})]
    return Chunk("news", run.run, name, "hubspot", "contacts", "email", "marketing", "email", rows)


def _outcome(run, name, attempt=1):
    rows = [Result(0, "c0", "upsert", "sent", crm_id="1", consent_id="k", sent_at=NOW.isoformat())]
    return Outcome("news", run.run, name, attempt, NOW.isoformat(), rows)


def _write(run):
    return log.write_run(settings.current(), run, [_chunk(run, name) for name in run.chunk_ids()])


def test_what_is_written_is_read(store):
    """Runs in order, chunks, outcomes; what is open is known."""
    first, second = _run(1), _run(2, "b" * 64)
    assert (_write(first), _write(second)) == (first, second)
    assert log.syncs(settings.current()) == ["news"]
    assert list(log.runs(settings.current(), "news")) == [first, second]
    assert list(log.runs(settings.current(), "news", "00000001")) == [second]
    assert log.run(settings.current(), "news", "00000003") is None
    name = first.chunk_ids()[0]
    assert log.chunk(settings.current(), "news", first.run, name) == _chunk(first, name)
    assert log.outcome(settings.current(), "news", first.run, name) is None
    assert log.write_outcome(settings.current(), _outcome(first, name)) == _outcome(first, name)
    log.claim(settings.current(), "news", first.run, first.chunk_ids()[1], NOW, LEASE)
    assert log.open_chunks(settings.current(), first) == {first.chunk_ids()[1]: 1}
    assert log.outcomes(settings.current(), first)[0] == (name, _outcome(first, name))


def test_a_number_has_one_run(store):
    """The second planner gets the first one's run; its own chunks are named by nobody."""
    first, second = _run(1), _run(1, "b" * 64)
    assert _write(first) == first
    assert _write(second) == first
    assert list(log.runs(settings.current(), "news")) == [first]
    assert set(log.open_chunks(settings.current(), first)) == {"aaaaaaaa-0001", "aaaaaaaa-0002"}


def test_a_run_that_was_not_committed_is_none(store):
    """Chunks without a run.json: a planner died, and the number is still free."""
    run = _run(1)
    objects.put(settings.current().ops_bucket, "outbound/news/00000001/dead-0001/rows.json", b"{}")
    assert list(log.runs(settings.current(), "news")) == []
    assert _write(run) == run


def test_the_first_outcome_stands(store):
    """A worker that comes late reads what was written before it."""
    run = _run(1)
    _write(run)
    name = run.chunk_ids()[0]
    log.write_outcome(settings.current(), _outcome(run, name))
    assert log.write_outcome(settings.current(), _outcome(run, name, attempt=2)).attempt == 1


def test_a_claim_keeps_others_out_until_its_lease_is_over(store):
    """Then the next attempt is claimed; an owner may end his own early."""
    chunk = ("news", "00000001", "a-0001")
    first = log.claim(settings.current(), *chunk, NOW, LEASE)
    assert log.claim(settings.current(), *chunk, NOW + LEASE / 2, LEASE) is None
    second = log.claim(settings.current(), *chunk, NOW + LEASE, LEASE)
    assert (first.attempt, second.attempt) == (1, 2)
    log.release(settings.current(), *chunk, second)
    third = log.claim(settings.current(), *chunk, NOW + LEASE, LEASE)
    assert (third.attempt, log.read_claim(settings.current(), *chunk, 3)) == (3, third)


def test_of_many_that_claim_at_once_one_wins(monkeypatch):
    """Sixteen workers, one chunk, on a store that is really concurrent."""
    with clouds.cloud(monkeypatch, "seaweedfs"), ThreadPoolExecutor(16) as pool:
        claims = list(
            pool.map(
                lambda _: log.claim(settings.current(), "news", "00000001", "a-0001", NOW, LEASE), range(16)
            )
        )
    assert sum(claim is not None for claim in claims) == 1


def test_a_claim_whose_answer_was_lost_is_still_ones_own(store, monkeypatch):
    """The SDK wrote, heard nothing, wrote again and was refused by its own first write."""
    real = objects.aws.s3().put_object

    def twice(**arguments):
        real(**arguments)
        return real(**arguments)

    monkeypatch.setattr(objects.aws.s3(), "put_object", twice)
    with pytest.raises(ClientError):
        twice(Bucket=settings.current().ops_bucket, Key="probe", Body=b"", IfNoneMatch="*")
    claim = log.claim(settings.current(), "news", "00000001", "a-0001", NOW, LEASE)
    assert claim is not None
    assert claim.attempt == 1


def test_a_store_in_dispute_is_asked_again(monkeypatch):
    """S3 answers 409 while two conditional writes race: neither lost yet; for ever it cannot go on."""
    with clouds.cloud(monkeypatch):
        real, disputes = aws.s3().put_object, iter([True, True, False])

        def disputed(**arguments):
            if next(disputes, True):
                raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
            return real(**arguments)

        monkeypatch.setattr(aws.s3(), "put_object", disputed)
        assert objects.put_once(settings.current().ops_bucket, "a", b"1") == b"1"
        with pytest.raises(Transient):
            objects.put_once(settings.current().ops_bucket, "b", b"1")
