"""Lines on the scratch disk: read back in their order, each part by itself, and a key is always in the same part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.spool import Spool, part_of, parts_of_shard, spool
from lakehouse.settings import Settings

EVERY = range(LogPolicy.most_shards)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with spool(Settings(scratch=tmp_path_factory.mktemp("scratch"))) as one:
        yield one


@tried(max_examples=50, deadline=None, database=None)
@given(st.lists(st.tuples(st.integers(0, 3), values), max_size=12), st.booleans())
def test_what_is_written_is_read_back_in_its_order(made: Spool, written: list, closed: bool) -> None:
    """Any text of JSON, with line breaks in it too; by part, whether its files are closed or still open."""
    name = f"n{id(written)}-{len(list(made._folder.iterdir()))}"
    for part, value in written:
        made.write(name, value, part)
    if closed:
        made.close(name)
    for part in range(4):
        expected = [value for each, value in written if each == part]
        assert list(made.read(name, range(part, part + 1))) == expected
    assert len(list(made.lines(name, range(4)))) == len(written)


def test_what_is_written_after_closing_stands_behind(tmp_path) -> None:
    one = Spool(tmp_path)
    one.write("rows", 1)
    one.close("rows")
    one.write("rows", 2)
    assert list(one.read("rows")) == [1, 2]
    one.close_all()
    assert list(one.read("rows")) == [1, 2]


def test_names_are_apart_and_what_was_never_written_is_empty(tmp_path) -> None:
    one = Spool(tmp_path)
    one.write("rows", "a")
    one.write("others", "b")
    one.close("others")
    one.write("rows", "c")
    assert (list(one.read("rows")), list(one.read("others"))) == (["a", "c"], ["b"])
    assert list(one.read("nothing", EVERY)) == []
    one.close_all()


def fail_within(folder) -> None:
    with spool(Settings(scratch=folder)) as one:
        one.write("rows", 1)
        assert len(list(folder.rglob("*.jsonl"))) == 1
        raise KeyError


def test_a_spool_leaves_nothing_behind(tmp_path) -> None:
    """Also where an error ends it."""
    with pytest.raises(KeyError):
        fail_within(tmp_path)
    assert list(tmp_path.rglob("*.jsonl")) == []


@given(st.text(), st.integers(0, 8).map(lambda power: 2**power))
def test_each_key_is_of_one_shard_however_many_there_are(key: str, shards: int) -> None:
    """By the remainder of its part, so that twice as many shards halve each."""
    part = part_of(key)
    having = [shard for shard in range(shards) if part in parts_of_shard(shard, shards)]
    assert having == [part % shards]


def test_a_part_is_the_same_on_every_machine() -> None:
    """A state in shards outlives the process that cut it."""
    assert [part_of(key) for key in ("a@x.org", "ann@example.com", "王伟@例子.中国", "")] == [249, 95, 65, 66]
