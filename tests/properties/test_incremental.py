"""Resolving what is new alone gives what resolving everybody gives, whatever came in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.identity import resolve
from lakehouse.identity.incremental import Part, Resolved, resolve_news
from lakehouse.identity.matching.known import Matched
from lakehouse.identity.policy import HubPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 2
OWN = ("user_id", "crm_id", "shop_id")
VALUES = {
    "user_id": ("u1", "u2", "u3"),
    "crm_id": ("1", "2"),
    "email": ("ann@x.cn", "bob@x.cn", "noreply@x.cn", None, "nobody"),
    "phone": ("13800001110", "13900002221", None),
    "anonymous_id": ("a1", "a2"),
}
NAMES = ("张伟", "李娜", None)
TEXT, MOMENT, FLAG = pa.string(), pa.timestamp("us", "UTC"), pa.bool_()
COLUMNS = {
    "record": TEXT, "source": TEXT, "slot": TEXT, "own": FLAG, "every": FLAG, "alias": FLAG, "type": TEXT,
    "value": TEXT, "region": TEXT, "said_at": MOMENT, "loaded_at": MOMENT, "file_id": TEXT, "row": pa.int64(),
}  # fmt: skip
PAIRS = {
    "left_record": TEXT, "left_said": pa.int64(), "right_record": TEXT, "right_said": pa.int64(),
    "weight_bits": pa.float64(), "explanation": TEXT,
}  # fmt: skip
ALIKE = Matched("looks", "", SimpleNamespace(vetoes=True), replaces=False)
PEOPLE = {"source": TEXT, "record": TEXT, "name": TEXT}
WORDS = {
    "one_type": TEXT, "one_value": TEXT, "other_type": TEXT, "other_value": TEXT, "verdict": TEXT, "said_at": MOMENT,
    "_loaded_at": MOMENT, "_file_id": TEXT, "_row": pa.int64(),
}  # fmt: skip


class Batch(NamedTuple):
    """What comes between two runs: statements (record, type, value, day), names of records, words of people.

    And what records look like: those that look the same are alike.
    """

    said: list[tuple[tuple[str, str], tuple[str, str | None], int]]
    names: dict[tuple[str, str], str | None]
    words: list[tuple[tuple[str, str], tuple[str, str], str]]
    looks: dict[tuple[str, str], str | None]


identifiers = st.sampled_from([(kind, value) for kind, values in VALUES.items() for value in values])
records = st.tuples(st.sampled_from("cs"), st.sampled_from("1234"))
named = st.sampled_from([(kind, value) for kind in OWN[:2] for value in VALUES[kind]])
batches = st.builds(
    Batch,
    st.lists(st.tuples(records, identifiers, st.integers(0, 3)), max_size=6),
    st.dictionaries(records, st.sampled_from(NAMES), max_size=2),
    st.lists(st.tuples(named, named, st.sampled_from(["one", "two"])), max_size=1),
    st.dictionaries(records, st.sampled_from(["tall", "short", None]), max_size=3),
)


class Lake:
    """All that came so far, as relations on a connection."""

    def __init__(self, con) -> None:
        self.con = con
        self.observations: list[tuple] = []
        self.names: dict[tuple[str, str], str | None] = {}
        self.words: list[tuple] = []
        self.looks: dict[tuple[str, str], str | None] = {}

    def take(self, batch: Batch, number: int) -> None:
        """Add a batch; make the relations of all, and those of what is new."""
        loaded_at = DAY + timedelta(days=100 + number)
        spoken_of = sorted({*batch.names, *batch.looks})  # each of these has an id
        statements = [*batch.said, *((record, ("shop_id", "".join(record)), 0) for record in spoken_of)]
        fresh = [
            (record, source, kind, kind in OWN, kind == "anonymous_id", False, kind, value,
             "CN" if kind == "phone" else None, DAY + timedelta(days=day), loaded_at, f"f{number}", row)
            for row, ((source, record), (kind, value), day) in enumerate(statements)
        ]  # fmt: skip
        words = [
            (*one, *other, verdict, loaded_at, loaded_at, f"f{number}", 1)
            for one, other, verdict in batch.words
        ]
        self.observations += fresh
        self.names |= batch.names
        self.words += words
        self.looks |= batch.looks
        news = {record for record, *_ in statements}
        self._table("observations", COLUMNS, self.observations)
        self._table("people", PEOPLE, [(*record, name) for record, name in self.names.items()])
        looks = [(*record, look) for record, look in self.looks.items()]
        self._table("looks_of", {"source": TEXT, "record": TEXT, "look": TEXT}, looks)
        self._table("words", WORDS, self.words)
        self._table("new_words", WORDS, words)
        self._table("looks", PAIRS, sorted(self._alike()))
        self._table("news", {"source": TEXT, "record": TEXT}, sorted(news))

    def _alike(self) -> Iterator[tuple]:
        """Yield the pairs of records that look the same by now."""
        known = {record: look for record, look in self.looks.items() if look}
        for one, other in combinations(sorted(known), 2):
            if known[one] == known[other]:
                weight = 10.0 if known[one] == "tall" else 1.0  # enough to be tied, or a look
                yield " ".join(one), 1, " ".join(other), 1, weight, "{}"

    def keep(self) -> None:
        """Store what was resolved, as the tables of a lake do."""
        for name in ("identities", "evidence", "matches"):
            self.con.execute(f"CREATE OR REPLACE TABLE stored_{name} AS FROM {name}_new")

    def _table(self, name: str, columns: dict[str, pa.DataType], rows: list[tuple]) -> None:
        arrays = [pa.array([row[at] for row in rows], kind) for at, kind in enumerate(columns.values())]
        self.con.register(name, pa.table(arrays, names=list(columns)))


def resolve_all(con, previous: str | None) -> None:
    resolve(
        con,
        matcher=ALIKE,
        observations="observations",
        people="people",
        words="words",
        previous=previous,
        now=NOW,
        max_records=LIMIT,
    )


def resolve_part(con) -> None:
    found = resolve_news(
        con,
        news="news",
        observations="observations",
        people_of=lambda records: f"SELECT * FROM people SEMI JOIN {records} USING (source, record)",
        before=Resolved("stored_evidence", "stored_identities", "stored_matches"),
        words="words",
        new_words="new_words",
        matcher=lambda *_: ALIKE,
        now=NOW,
        max_records=LIMIT,
    )
    assert found is not None
    add_others(con, found)


def add_others(con, part: Part) -> None:
    """Add to the rows of a part those of all others, as the tables of a lake keep them."""
    keys = {
        "identities": (part.identifiers, "identifier_type, identifier_value"),
        "evidence": (part.records, "source, record"),
        "matches": (part.pairs, "left_source, left_record, right_source, right_record"),
    }
    for name, (gone, key) in keys.items():
        if gone is not None:
            con.execute(
                f"INSERT INTO {name}_new BY NAME SELECT * FROM stored_{name} ANTI JOIN {gone} USING ({key})"
            )


def outcome(con) -> tuple[list[tuple], list[tuple], list[tuple], set[tuple]]:
    """Return matches, identities, evidence and changes, each new customer called by the smallest of the identifiers."""
    known = {name for (name,) in con.execute("SELECT customer_id FROM stored_identities").fetchall()}
    rows = con.execute("FROM identities_new ORDER BY identifier_type, identifier_value").fetchall()
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row[2], row[2] if row[2] in known else f"new {row[:2]}")
    changes = con.execute("SELECT change, customer_id, into_customer_id FROM identity_changes").fetchall()
    return (
        con.execute("SELECT * EXCLUDE (explanation) FROM matches_new ORDER BY ALL").fetchall(),
        [(*row[:2], first[row[2]], *row[3:8], first.get(row[8], row[8])) for row in rows],
        con.execute("FROM evidence_new ORDER BY ALL").fetchall(),
        {(change, first.get(one, one), first.get(other, other)) for change, one, other in changes},
    )


@settings(max_examples=25, deadline=None, database=None)
@given(st.lists(batches, min_size=2, max_size=4))
def test_news_alone_give_what_everybody_gives(con, history):
    """Statements, corrections, names that deny, words, what too many carry now: all keep the same ids."""
    play(con, history)


HUB = ("email", "info@x.cn")
CROWD = Batch([(("c", name), said, 0) for name in "abcdefg" for said in (HUB, ("crm_id", name))], {}, [], {})
carried = st.sampled_from(
    [HUB, HUB, ("email", "ann@x.cn"), ("email", None), ("user_id", "u1"), ("crm_id", "a")]
)
moves = st.builds(
    Batch,
    st.lists(
        st.tuples(st.tuples(st.just("c"), st.sampled_from("abcdefgh")), carried, st.integers(1, 3)),
        max_size=6,
    ),
    st.dictionaries(st.tuples(st.just("c"), st.sampled_from("ab")), st.sampled_from(NAMES), max_size=2),
    st.lists(
        st.tuples(st.just(("crm_id", "a")), st.just(("crm_id", "b")), st.sampled_from(["one", "two"])),
        max_size=1,
    ),
    st.just({}),
)


@settings(max_examples=25, deadline=None, database=None)
@given(st.lists(moves, min_size=1, max_size=4))
def test_news_of_a_hub_s_carriers_give_what_everybody_gives(con, history):
    """However many of them leave it, come back, turn out to be one, or carry the hub's name as their own."""
    with patch.object(HubPolicy, "least_records", 1):
        play(con, [CROWD, *history])


def test_a_hub_is_not_walked_as_long_as_enough_people_are_left(con):
    """Who comes to carry it is looked at alone; where few are left, all of them are."""
    lake = Lake(con)
    with patch.object(HubPolicy, "least_records", 1):
        lake.take(CROWD, 0)
        resolve_all(con, None)
        lake.keep()
        leaving = [(("c", name), ("email", f"{name}@x.cn"), 1) for name in "abcd"]
        cleared = [
            ([(("c", name), ("email", None), 2)], 8) for name in "ef"
        ]  # then two are left, who are tied
        for number, (said, looked_at) in enumerate([([(("c", "h"), HUB, 1)], 1), (leaving, 4), *cleared], 1):
            lake.take(Batch(said, {}, [], {}), number)
            resolve_all(con, "stored_identities")
            expected = outcome(con)
            resolve_part(con)
            assert outcome(con) == expected
            assert con.execute("SELECT count(*) FROM identity_touched").fetchone() == (looked_at,)
            lake.keep()


def play(con, history) -> None:
    lake = Lake(con)
    lake.take(history[0], 0)
    resolve_all(con, None)
    lake.keep()
    for number, batch in enumerate(history[1:], start=1):
        lake.take(batch, number)
        resolve_all(con, "stored_identities")
        expected = outcome(con)
        resolve_part(con)
        assert outcome(con) == expected
        lake.keep()


def test_who_has_nothing_to_do_with_the_news_is_not_looked_at(con):
    """Of three people with a mailbox that is nobody's between them, who share it are; the fourth is not."""
    lake = Lake(con)
    others = [(("c", str(n)), ("email", "info@x.cn"), 0) for n in range(3)]
    apart = [(("c", "9"), ("email", "zoe@x.cn"), 0)]
    own = [(("c", record), ("crm_id", record), 0) for record in ("0", "1", "2", "9")]
    lake.take(Batch([*others, *apart, *own], {}, [], {}), 0)
    resolve_all(con, None)
    lake.keep()
    lake.take(Batch([(("c", "0"), ("email", "me@x.cn"), 1)], {}, [], {}), 1)
    resolve_part(con)
    touched = con.execute("SELECT record FROM identity_touched ORDER BY ALL").fetchall()
    assert touched == [("0",), ("1",), ("2",)]
    assert con.execute(
        "SELECT count(*) FROM identities_new WHERE identifier_value IN ('9', 'zoe@x.cn')"
    ).fetchone() == (2,)


def test_an_id_that_lives_on_elsewhere_is_not_given_back(con):
    """Two records came apart from whom they looked like; as they part, too, that one is there and keeps its id."""
    lake = Lake(con)
    shared, other = ("email", "ann@x.cn"), ("email", "bob@x.cn")
    looks = {("c", "1"): "tall", ("c", "2"): "tall"}
    oldest = (("c", "1"), ("user_id", "u1"), -5)
    lake.take(
        Batch([oldest, (("c", "2"), shared, 0), (("c", "3"), shared, 0)], {("c", "3"): None}, [], looks), 0
    )
    resolve_all(con, None)
    lake.keep()
    for number, batch in enumerate(
        (Batch([], {}, [], {("c", "2"): None}), Batch([(("c", "3"), other, 1)], {}, [], {})), start=1
    ):
        lake.take(batch, number)
        resolve_part(con)
        lake.keep()
    ids = con.execute(
        "SELECT count(DISTINCT customer_id), count(DISTINCT first_customer_id) FROM identities_new "
        "WHERE identifier_type = 'shop_id'"
    ).fetchone()
    assert ids == (3, 1)


def test_a_word_about_somebody_who_comes_later_waits(con):
    """Until then it ties nobody; then whom else it spoke of is looked at."""
    lake = Lake(con)
    one, other = ("user_id", "u1"), ("user_id", "u2")
    lake.take(Batch([(("c", "1"), one, 0)], {}, [(one, other, "one")], {}), 0)
    resolve_all(con, None)
    lake.keep()
    lake.take(Batch([(("c", "2"), other, 0)], {}, [], {}), 1)
    resolve_part(con)
    assert con.execute("SELECT count(*), count(DISTINCT customer_id) FROM identities_new").fetchone() == (
        2,
        1,
    )


@pytest.mark.parametrize("record", ["1", "2"])
def test_a_pair_that_is_none_any_more_goes(con, record):
    """Whichever of the two looks otherwise now: the other is not even looked at."""
    lake = Lake(con)
    lake.take(Batch([], {}, [], {("c", "1"): "short", ("c", "2"): "short"}), 0)
    resolve_all(con, None)
    lake.keep()
    lake.take(Batch([], {}, [], {("c", record): "tall"}), 1)
    resolve_part(con)
    assert con.execute("SELECT record FROM identity_touched").fetchall() == [(record,)]
    assert con.execute("FROM matches_new").fetchall() == []
