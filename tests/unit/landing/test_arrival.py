"""Files that wait together are in the order in which they came; those that came in one go in that of their names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.landing.arrival import in_order
from lakehouse.landing.raw_files import RawFile, arrival

START = datetime(2026, 1, 5, tzinfo=UTC)


def put(name, seconds, sequencer="", version="v", digest="0123456789abcdef"):
    came = arrival(START + timedelta(seconds=seconds), sequencer)
    return RawFile("b", f"crm/contacts/{digest}/{name}", version, 1, arrival=came)


def test_what_comes_later_is_later():
    """Whatever it is called, and whatever is in it."""
    files = [put("z.csv", 0, digest="f" * 16), put("m.csv", 60), put("a.csv", 3_600, digest="0" * 16)]
    assert in_order(reversed(files)) == files


def test_what_comes_in_one_go_is_in_the_order_of_its_names():
    """As it is sent several at a time; a hash before the name says nothing."""
    files = [
        put("2026-01.csv", 1, digest="f" * 16),
        put("2026-02.csv", 0, digest="e" * 16),
        put("2026-03.csv", 2, digest="0" * 16 + "-20260105T000000000001"),
    ]
    assert in_order(reversed(files)) == files
    other_keys = [
        RawFile("b", f"crm/contacts/2026/{month}/x.csv", "v", 1, arrival=arrival(START)) for month in "123"
    ]
    assert in_order(reversed(other_keys)) == other_keys


def test_versions_of_one_name_are_in_the_order_in_which_they_came():
    """In one go, too: by what the store counts by within a second."""
    came = [("f" * 16, "0055"), ("0" * 16, "0056"), ("f" * 16 + "-20260105T000000000001", "0057")]
    files = [put("contacts.csv", 0, sequencer, sequencer, digest) for digest, sequencer in came]
    assert in_order(reversed(files)) == files
    versions = [RawFile("b", "crm/contacts/x.csv", v, 1, arrival=arrival(START, v)) for v in ("01", "02")]
    assert in_order(reversed(versions)) == versions


def test_content_that_came_again_is_behind_others_of_the_same_second():
    """A store that counts in seconds does not tell; its key does."""
    again = [
        f"{digest * 16}-20260105T00000000000{number}" for digest, number in (("f", 1), ("0", 2), ("e", 3))
    ]
    files = [put("contacts.csv", 0, digest=digest) for digest in ("f" * 16, *again)]
    assert in_order(reversed(files)) == files


def test_files_of_which_nobody_said_when_they_came_are_before_the_others():
    """In the order of their keys; a text that is no time is none."""
    unknown = [RawFile("b", f"a/b/{name}", "v", 1) for name in "xyz"]
    odd = RawFile("b", "a/b/zz", "v", 1, arrival="some day")
    files = [*unknown, put("a.csv", 0)]
    assert in_order(reversed(files)) == files
    assert sorted(file.key for file in in_order([*files, odd])) == sorted(file.key for file in [*files, odd])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 9)), unique=True))
def test_nothing_is_lost_and_no_name_goes_back_in_time(came):
    """Whatever came: each once, of one name the later after the earlier, and after a pause everything is later."""
    files = [put(name, seconds, f"{number}", f"{name}{seconds}{number}") for name, seconds, number in came]
    ordered = in_order(files)
    assert sorted(file.version for file in ordered) == sorted(file.version for file in files)
    for name in "abc":
        arrivals = [file.arrival for file in ordered if file.key.endswith(name)]
        assert arrivals == sorted(arrivals)
    seconds = [int(file.arrival[17:19]) for file in ordered]
    taken = set(seconds)
    for pause in range(20):
        if {pause, pause + 1}.isdisjoint(taken):  # nothing came for two seconds
            position = sum(second < pause for second in seconds)
            assert all(second < pause for second in seconds[:position])
