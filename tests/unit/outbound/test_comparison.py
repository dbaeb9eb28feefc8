"""What should be held is compared with what is, shard by shard: the sum is what one comparison of all would find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.batching import batches
from lakehouse.outbound import comparison
from lakehouse.outbound.acknowledged import Acknowledged, Missed, State
from lakehouse.outbound.brakes import Totals
from lakehouse.outbound.changes import Changes, find_changes
from lakehouse.outbound.comparison import Comparison, Wanted, lay_out_allowed, lay_out_desired
from lakehouse.outbound.policies import ledger
from lakehouse.outbound.policies.definition import Contact
from lakehouse.outbound.records import Desired
from lakehouse.outbound.spool import part_of, spool
from lakehouse.outbound.state_store import join, split
from lakehouse.settings import Settings
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMPTY = {"consent": [], "erased": [], "no_address": [], "same_address": [], "no_longer": []}


@pytest.fixture
def settings(tmp_path):
    return Settings(scratch=tmp_path)


@dataclass(frozen=True)
class InShards:
    """A state as folding gives it: in so many shards."""

    state: State
    count: int

    def states(self, _rows: int):
        for shard in range(self.count):
            entries = [list(entry) for part, *entry in split(self.state) if part % self.count == shard]
            yield shard, self.count, join("", iter(entries))


people = st.integers(0, 30).map(str)
desired = st.lists(
    st.builds(
        lambda who, value, consented, has_address: Desired(
            f"c{who}", f"p{who}@x.org" if has_address else None, {"tier": value}, consented
        ),
        people, st.sampled_from(["vip", "gold"]), st.booleans(), st.sampled_from([True, True, True, False]),
    ),
    unique_by=lambda person: person.customer_id,
    max_size=20,
)  # fmt: skip
held = st.dictionaries(people, st.sampled_from(["vip", "gold"]), max_size=20).map(
    lambda values: {
        f"p{who}@x.org": Acknowledged(f"c{who}", {"tier": value}) for who, value in values.items()
    }
)
left_out = st.dictionaries(
    people.map(lambda who: f"c{who}"), st.sampled_from(["consent", "no_address"]), max_size=8
)


@tried(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(desired, held, left_out, st.sampled_from([1, 2, 8]))
def test_shards_find_together_what_one_comparison_finds(
    settings, wanted, acknowledged, left_out_before, shards
) -> None:
    """The rows of both lanes, the counts, and who is left out anew or no longer."""
    state = State("", acknowledged, {}, {}, left_out_before)
    plain = find_changes(SYNC, wanted, state, NOW, inputs_moved=False)
    with spool(settings) as spooled:
        laid_out = lay_out_desired(spooled, iter(wanted))
        found = comparison.compare(
            SYNC, laid_out, InShards(state, shards), Comparison(spooled), NOW, inputs_moved=False
        )
        by_id = sorted(found.rows("upserts"), key=lambda row: row.id)
        assert by_id == sorted(plain.upserts, key=lambda row: row.id)
        assert sorted(found.rows("removals"), key=lambda row: row.id) == sorted(
            plain.removals, key=lambda row: row.id
        )
    assert laid_out.rows == len(wanted)
    assert found.held == len(acknowledged)
    assert found.totals == Totals(plain.selected, len(acknowledged), plain.leaving, len(plain.upserts))
    assert found.has_rows is bool(plain.rows)
    now = dict.fromkeys(plain.no_consent, "consent") | dict.fromkeys(plain.no_address, "no_address")
    expected = {
        reason: sorted(who for who in now if now[who] == reason and left_out_before.get(who) != reason)
        for reason in ("consent", "erased", "no_address", "same_address")
    }
    assert found.left_out == expected | {"no_longer": sorted(left_out_before.keys() - now.keys())}


def test_each_reason_is_told_once_and_its_end_once(settings) -> None:
    """Who is left out for another reason than before is news of that; who stays left out is none."""
    with spool(settings) as spooled:
        found = Comparison(spooled)
        found.add(Changes(selected=3, no_consent=["a", "b"], erased=["c"], same_address=["d"]))
        found.add_known(State(left_out={"a": "consent", "b": "no_address", "e": "erased"}), NOW)
        found.compare_left_out()
    assert found.left_out == EMPTY | {
        "consent": ["b"],
        "erased": ["c"],
        "same_address": ["d"],
        "no_longer": ["e"],
    }


def test_refusals_look_only_at_whom_the_crm_holds(settings) -> None:
    """Who does not allow it any more is taken off; nobody is written, and nobody is told to be left out."""
    held = {
        "a@x.org": Acknowledged("c1", {"tier": "vip"}),
        "b@x.org": Acknowledged("c2", {"tier": "vip"}),
        "d@x.org": Acknowledged("c4", {"tier": "vip"}, address="+8613800001110"),  # asked at another address
    }
    state = State("", held)
    with spool(settings) as spooled:
        allowed = lay_out_allowed(spooled, [("c1", "a@x.org"), ("c4", "+8613800001110"), ("c2", "a@x.org")])
        found = comparison.compare(
            SYNC, allowed, InShards(state, 4), Comparison(spooled), NOW, inputs_moved=False
        )
        assert [(row.action, row.id) for row in found.rows("removals")] == [("remove", "b@x.org")]
        assert list(found.rows("upserts")) == []
    assert (allowed.mode, found.left_out, found.held) == ("refusals", None, 3)


def test_who_has_no_address_goes_by_customer(settings) -> None:
    """All parts together hold each person once."""
    wanted = [Desired("c1", "a@x.org", {}), Desired("c2", None, {})]
    with spool(settings) as spooled:
        lay_out_desired(spooled, wanted)
        for person, key in zip(wanted, ("a@x.org", "c2"), strict=True):
            part = part_of(key)
            assert [Desired(**line) for line in spooled.read("desired", range(part, part + 1))] == [person]


def test_it_is_due_again_when_the_first_row_that_waits_is(settings) -> None:
    """Of all shards the earliest; nothing where nobody waits."""
    missed = {
        f"{name}@x.org": Missed("upsert", "failed", "", NOW.replace(hour=hour).isoformat(), {"tier": "vip"})
        for name, hour in (("a", 9), ("b", 7), ("c", 11))
    }
    with spool(settings) as spooled:
        wanted = Wanted("full", spooled, 0)
        waits = comparison.compare(
            SYNC, wanted, InShards(State("", {}, missed), 8), Comparison(spooled), NOW, False
        )
    with spool(settings) as spooled:
        wanted = Wanted("full", spooled, 0)
        quiet = comparison.compare(SYNC, wanted, InShards(State(), 8), Comparison(spooled), NOW, False)
    assert waits.due == NOW.replace(day=2, hour=7)
    assert (quiet.due, quiet.has_rows, quiet.left_out) == (None, False, EMPTY)


@pytest.mark.parametrize("redefined", [False, True])
def test_a_changed_definition_asks_anew_who_was_withheld_until_a_moment(settings, redefined) -> None:
    """The cap may be another now; until then the row waits, and it is told until when."""
    until = NOW.replace(day=5).isoformat()
    missed = {"pa@x.org": Missed("upsert", "withheld", "cap", NOW.isoformat(), {"tier": "vip"}, until)}
    with spool(settings) as spooled:
        wanted = lay_out_desired(spooled, [Desired("ca", "pa@x.org", {"tier": "vip"}, consented=True)])
        found = comparison.compare(
            SYNC,
            wanted,
            InShards(State("", {}, missed), 2),
            Comparison(spooled, redefined=redefined),
            NOW,
            True,
        )
    assert (found.counts["upserts"], found.counts["cap_waiting"]) == ((1, 0) if redefined else (0, 1))
    assert (found.until, found.due) == (
        ({}, None) if redefined else ({"cap": [until, until]}, NOW.replace(day=5))
    )


@pytest.mark.parametrize("contact", [Contact(), Contact(cap=None)])
@pytest.mark.parametrize(("parts", "chunk_rows", "mean"), [(4, 100, 15), (1, 20, 3)])
def test_rows_under_a_cap_stand_by_the_shards_of_the_ledger(settings, contact, parts, chunk_rows, mean):
    """A chunk then reads and writes few of them; each row is there once all the same."""
    sync = SYNC.model_copy(update={"contact": contact})
    wanted = [Desired(f"c{who}", f"p{who}@x.org", {"tier": "vip"}, True) for who in range(6000)]
    with spool(settings) as laid, spool(settings) as found:
        compared = Comparison(found)
        comparison.compare(
            sync, lay_out_desired(laid, wanted), InShards(State(), parts), compared, NOW, False
        )
        customers = [change.customer_id for change in compared.rows("upserts")]
        assert list(compared.lines("upserts")) != []
    assert sorted(customers) == sorted(person.customer_id for person in wanted)
    touched = [
        len({ledger.shard_of(name) for name in chunk}) for chunk in batches(customers, count=chunk_rows)
    ]
    assert (sum(touched) < mean * len(touched)) is (contact.cap is not None), touched
