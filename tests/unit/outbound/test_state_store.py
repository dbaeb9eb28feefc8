"""A state is read back as it was written, in one object or in shards; what is damaged is begun anew."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.outbound import state_store
from lakehouse.outbound.acknowledged import Acknowledged, Missed, State, Stray, stray_key
from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.spool import part_of
from lakehouse.outbound.state_store import Shards, SnapshotLostError
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory

SETTINGS = Settings(ops_bucket="ops")
ONE, ONLY = "outbound/news/state.json.gz", Shards()
DAMAGED = [b"", b"no gzip", *(gzip.compress(body, mtime=0) for body in (b"{}", b"[1]", b'{"through": "1"'))]


@pytest.fixture
def store(monkeypatch):
    return objects_in_memory(monkeypatch)


texts = st.text(max_size=5)
properties = st.dictionaries(texts, texts, max_size=2)
addresses = st.sampled_from(["a@x.org", "b@x.org", "王@例子.中国"])
strays = st.dictionaries(
    st.sampled_from("123"), st.builds(Stray, addresses, st.sampled_from(["c1", "c2"]), properties), max_size=2
)
missed = st.builds(Missed, st.just("upsert"), st.just("failed"), texts, texts, properties)
states = st.builds(
    State,
    texts,
    st.dictionaries(
        addresses, st.builds(Acknowledged, texts, properties, texts, st.booleans(), st.booleans(), texts), max_size=3
    ),
    st.dictionaries(addresses | st.sampled_from("123").map(stray_key), missed, max_size=3),
    strays,
    st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), st.sampled_from(["consent", "erased"]), max_size=3),
)  # fmt: skip


@tried(max_examples=60, deadline=None, database=None)
@given(states)
def test_a_state_cut_into_entries_and_joined_is_the_same(state: State) -> None:
    """Through JSON, as the disk and the object hold it; whatever of it is a person's is of the person's part."""
    entries = list(state_store.split(state))
    assert len(entries) == state.entries()
    lines = json.loads(json.dumps([entry[1:] for entry in entries]))
    assert state_store.join(state.through, iter(lines)) == state
    for part, kind, key, _ in entries:
        if kind in ("acknowledged", "left_out"):
            assert part == part_of(key)


def test_what_was_missed_of_a_stray_record_is_of_the_part_of_its_address() -> None:
    """So that one shard knows both."""
    state = State(
        strays={"7": Stray("a@x.org", "c1", {})},
        missed={key: Missed("remove", "failed", "", "", {}) for key in (stray_key("7"), "b@x.org")},
    )  # fmt: skip
    parts = {(kind, key): part for part, kind, key, _ in state_store.split(state)}
    assert parts["missed", "#7"] == parts["strays", "7"] == part_of("a@x.org")
    assert parts["missed", "b@x.org"] == part_of("b@x.org")
    assert part_of("a@x.org") != part_of("#7")


FULL = State(
    "00000003",
    {"a@x.org": Acknowledged("c1", {"tier": "vip"}, "7", uncertain=True)},
    {"b@x.org": Missed("upsert", "withheld", "consent", "2026-03-01T12:00:00+00:00", {"tier": "gold"})},
    {"8": Stray("a@x.org", "c1", {"tier": "old"})},
    {"c9": "erased"},
)


@pytest.mark.parametrize(
    ("count", "shard", "key"), [(1, 0, ONE), (4, 2, "outbound/news/state/0004/0002.json.gz")]
)
def test_a_state_is_read_back_from_its_object(store, count: int, shard: int, key: str) -> None:
    """One object, or one of each shard; the same state makes the same bytes."""
    state_store.write_state(SETTINGS, "news", count, shard, FULL)
    assert list(store.bodies) == [("ops", key)]
    assert state_store.read_state(SETTINGS, "news", Shards(count), shard) == FULL
    assert state_store.packed(FULL) == state_store.packed(
        state_store.read_state(SETTINGS, "news", Shards(count), shard)
    )


@pytest.mark.parametrize("body", [None, *DAMAGED])
def test_a_single_object_that_is_lost_is_an_empty_state(store, body: bytes | None) -> None:
    """The log says all of it again."""
    if body is not None:
        store.put("ops", ONE, body)
    assert state_store.read_state(SETTINGS, "news", ONLY, 0) == State()
    assert state_store.read_shards(SETTINGS, "news") == ONLY


@pytest.mark.parametrize("body", [None, *DAMAGED])
def test_one_shard_that_is_lost_is_not_an_empty_one(store, body: bytes | None) -> None:
    """The other shards say up to which run they are folded; an empty one among them would forget people."""
    if body is not None:
        store.put("ops", "outbound/news/state/0002/0001.json.gz", body)
    with pytest.raises(SnapshotLostError):
        state_store.read_state(SETTINGS, "news", Shards(2, "00000003"), 1)


def test_how_a_state_is_cut_is_read_back(store) -> None:
    """Of a single object it says so itself, and nothing else is written."""
    state_store.write_state(SETTINGS, "news", 1, 0, FULL)
    state_store.write_shards(SETTINGS, "news", Shards(1, "00000003", 4))
    assert list(store.bodies) == [("ops", ONE)]
    assert state_store.read_shards(SETTINGS, "news") == Shards(1, "00000003", 4)
    state_store.write_shards(SETTINGS, "news", Shards(8, "00000004", 50_000))
    assert state_store.read_shards(SETTINGS, "news") == Shards(8, "00000004", 50_000)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"count": 2, "other": 1}', b"null"])
def test_a_damaged_word_of_how_it_is_cut_begins_anew(store, body: bytes) -> None:
    store.put("ops", "outbound/news/shards.json", body)
    assert state_store.read_shards(SETTINGS, "news") == Shards()


@pytest.mark.parametrize(
    ("entries", "at_least", "count"),
    [(0, 1, 1), (10, 1, 1), (11, 1, 2), (20, 1, 2), (21, 1, 4), (5, 8, 8), (100, 8, 16), (10**9, 1, None)],
)
def test_shards_hold_no_more_than_they_should(
    monkeypatch, entries: int, at_least: int, count: int | None
) -> None:
    """A power of two, never fewer than there are, at most so many."""
    monkeypatch.setattr(LogPolicy, "shard_rows", 10)
    assert state_store.wanted_shards(entries, at_least) == (count or LogPolicy.most_shards)
