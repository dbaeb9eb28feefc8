"""The state is what the log says, in one piece or in shards, whatever is lost of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound import closing, fold, log, planner, state_store
from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.records import Desired, Outcome, Result
from lakehouse.outbound.spool import part_of, parts_of_shard, spool
from lakehouse.outbound.state_store import wanted_shards
from lakehouse.privacy import consent
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return Settings(ops_bucket="ops", scratch=tmp_path)


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(planner, "announce", lambda *_: None)
    monkeypatch.setattr(consent, "generation", lambda *_: "g")
    monkeypatch.setattr(LogPolicy, "shard_rows", 10)
    return objects_in_memory(monkeypatch)


def look(settings, version, value, people):
    desired = [Desired(f"c{n}", f"p{n}@x.org", {"tier": value}, consented=n % 5 != 0) for n in range(people)]
    return planner.plan_run(settings, SYNC, desired, NOW + timedelta(hours=version), {"v": str(version)})


def answer(settings, run):
    """Answer for the CRM: every chunk is done."""
    for name in run.chunk_ids():
        rows = [
            Result(
                row.row,
                row.customer_id,
                row.action,
                "removed" if row.action == "remove" else "sent",
                "",
                row.id,
            )
            for row in log.chunk(settings, "news", run.run, name).rows
        ]
        log.write_outcome(settings, Outcome("news", run.run, name, 1, NOW.isoformat(), rows))


def test_a_state_that_grows_is_cut_into_shards_and_says_the_same(settings, store):
    """Before, after and from nothing; whoever left leaves its shard."""
    for version, people in enumerate((5, 60, 200, 90)):
        run = look(settings, version, f"v{version}", people)
        answer(settings, run)
        assert look(settings, version, f"v{version}", people) is None
        assert fold.check(settings, "news")
        state = fold.state_of(settings, "news")
        assert state.acknowledged.keys() == {f"p{n}@x.org" for n in range(people) if n % 5}
        assert state.left_out == {f"c{n}": "consent" for n in range(people) if not n % 5}
    assert state_store.read_shards(settings, "news").count == 32
    sizes = [state_store.read_state(settings, "news", state_store.Shards(32), n).entries() for n in range(32)]
    assert max(sizes) < 20 < sum(sizes) == 90


def test_a_shard_that_is_lost_is_made_anew_from_the_log(settings, store):
    """Damaged, or gone: nothing is sent again, and nobody is forgotten."""
    answer(settings, look(settings, 1, "v", 60))
    assert look(settings, 1, "v", 60) is None
    key = ("ops", "outbound/news/state/0008/0003.json.gz")
    for body in (b"", None):
        store.bodies.pop(key) if body is None else store.bodies.update({key: body})
        assert look(settings, 2, "v", 60) is None
        assert fold.state_of(settings, "news") == fold.rebuild(settings, "news")


def test_a_planner_that_dies_between_two_shards_does_no_harm(settings, store, monkeypatch):
    """Each shard says by itself up to where it is folded."""
    answer(settings, look(settings, 1, "v", 60))
    assert look(settings, 1, "v", 60) is None
    answer(settings, look(settings, 2, "w", 60))
    real, written = state_store.write_state, []

    def dies(*given):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(given)
        real(*given)

    with monkeypatch.context() as crash:
        crash.setattr(state_store, "write_state", dies)
        with pytest.raises(KeyboardInterrupt):
            look(settings, 2, "w", 60)
    assert look(settings, 2, "w", 60) is None
    assert fold.check(settings, "news")


@pytest.mark.parametrize(("entries", "count"), [(0, 1), (10, 1), (11, 2), (40, 4), (10_000, 256)])
def test_there_are_as_many_shards_as_it_takes(store, entries, count):
    """A power of two, and never fewer than there are."""
    assert wanted_shards(entries) == count
    assert wanted_shards(0, at_least=8) == 8


def test_a_part_belongs_to_one_shard():
    """However many shards there are; all parts are in some."""
    for shards in (1, 2, 64, 256):
        parts = [part for shard in range(shards) for part in parts_of_shard(shard, shards)]
        assert sorted(parts) == list(range(LogPolicy.most_shards))
    assert {part_of(f"p{n}") for n in range(5_000)} == set(range(LogPolicy.most_shards))


def test_a_spool_gives_back_what_was_written_in_its_order(settings):
    """Each part by itself; what was never written is empty."""
    with spool(settings) as spooled:
        for number in range(4):
            spooled.write("a", {"n": number}, number % 2)
        assert list(spooled.read("a", range(2))) == [{"n": 0}, {"n": 2}, {"n": 1}, {"n": 3}]
        spooled.close("a")
        spooled.write("a", "\n", 1)
        assert list(spooled.read("a", range(1, 2))) == [{"n": 1}, {"n": 3}, "\n"]
        assert list(spooled.read("b")) == []


def test_a_run_that_is_closed_counts_what_may_have_been_sent_as_written(settings, store, monkeypatch):
    """One chunk was done, one was begun, one had only met 429, one was never taken."""
    monkeypatch.setattr(planner, "batch_limit", lambda *_: 1)
    run = planner.plan_run(
        settings,
        SYNC,
        [Desired(f"c{n}", f"p{n}@x.org", {"tier": "v"}, consented=True) for n in range(4)],
        NOW,
        {},
    )
    done, begun, busy, _ = names = run.chunk_ids()
    rows = [Result(0, "c", "upsert", "sent", "", "7")]
    log.write_outcome(settings, Outcome("news", run.run, done, 1, NOW.isoformat(), rows))
    for name, nothing_left in ((begun, False), (busy, True)):
        claim = log.claim(settings, "news", run.run, name, NOW, timedelta(minutes=2))
        log.release(settings, "news", run.run, name, claim, nothing_left=nothing_left)
    addresses = {name: log.chunk(settings, "news", run.run, name).rows[0].id for name in names}
    assert closing.close(settings, run, NOW)
    assert log.open_chunks(settings, run) == {}
    held = fold.state_of(settings, "news").acknowledged
    assert {address: entry.uncertain for address, entry in held.items()} == {
        addresses[done]: False, addresses[begun]: True,
    }  # fmt: skip
    log.write_outcome(settings, Outcome("news", run.run, busy, 1, NOW.isoformat(), rows))  # a zombie's
    assert fold.state_of(settings, "news").acknowledged == held


def test_a_run_is_not_closed_while_somebody_sends(settings, store, monkeypatch):
    """Whoever has claimed a chunk is waited for, and left to the next look after a while."""
    monkeypatch.setattr(closing.DeliveryPolicy, "closing_seconds", 0.0)
    run = look(settings, 1, "v", 3)
    log.claim(settings, "news", run.run, run.chunk_ids()[0], NOW, timedelta(minutes=2))
    assert not closing.close(settings, run, NOW)
    assert log.is_closing(settings, "news", run.run)
    assert planner.plan_run(settings, SYNC, [], NOW, {"v": "2"}) == run
    assert closing.close(settings, run, NOW + timedelta(minutes=2))
