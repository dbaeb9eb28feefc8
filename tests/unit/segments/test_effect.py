"""What a segment brought: who counts, from which day, in which group; by a plain reading of the changes in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.errors import Terminal
from lakehouse.segments.definition import Segments
from lakehouse.segments.effect import buying_share, effect
from lakehouse.segments.read_only import Lake

DAY = date(2026, 3, 1)
TODAY = 20
PEOPLE = "abcd"
# Who entered by which day, and whether as one of the control group; days and customers of orders; who became whom.
ENTRIES = st.lists(
    st.tuples(
        st.integers(0, TODAY), st.sampled_from(PEOPLE), st.booleans(), st.sampled_from(["entered", "left"])
    ),
    max_size=10,
)
ORDERS = st.lists(st.tuples(st.integers(0, TODAY), st.sampled_from(PEOPLE)), max_size=10)
MERGES = st.dictionaries(st.sampled_from("bd"), st.sampled_from("ac"), max_size=2)


def lake_of(changes, orders, merges=None, sent=()) -> Lake:
    """Make the tables; of an order that a merged customer made the customer is the one of today."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("CREATE SCHEMA ops; CREATE SCHEMA core; CREATE SCHEMA marts")
    con.execute("CREATE TABLE marts.customer_360 AS SELECT ?::DATE AS as_of", [DAY + timedelta(TODAY)])
    con.execute("CREATE TABLE core.customers (customer_id VARCHAR)")
    con.execute("CREATE TABLE core.identities (first_customer_id VARCHAR, customer_id VARCHAR)")
    con.execute(
        "CREATE TABLE core.order_values (customer_id VARCHAR, ordered_on DATE, is_order BOOLEAN, value DECIMAL(18, 2))"
    )
    con.execute(
        "CREATE TABLE ops.deliveries (sync VARCHAR, customer_id VARCHAR, outcome VARCHAR, outcome_at TIMESTAMPTZ)"
    )
    con.execute(
        "CREATE TABLE ops.segment_changes (segment VARCHAR, customer_id VARCHAR, change VARCHAR, control BOOLEAN, "
        "as_of DATE, found_at TIMESTAMPTZ)"
    )  # fmt: skip
    merges = merges or {}
    for person in PEOPLE:
        con.execute("INSERT INTO core.identities VALUES (?, ?)", [person, merges.get(person, person)])
        if person not in merges:
            con.execute("INSERT INTO core.customers VALUES (?)", [person])
    for day, person, control, change in changes:
        con.execute(
            "INSERT INTO ops.segment_changes VALUES ('s', ?, ?, ?, ?, ?)",
            [person, change, control, *_at(day)],
        )
        con.execute(
            "INSERT INTO ops.segment_changes VALUES ('other', ?, 'entered', true, ?, ?)", ["a", *_at(0)]
        )
    for day, person in orders:
        who = merges.get(person, person)
        con.execute(
            "INSERT INTO core.order_values VALUES (?, ?, true, 2), (?, ?, false, 9)", [who, _at(day)[0]] * 2
        )
    for day, person, sync, outcome in sent:
        con.execute("INSERT INTO ops.deliveries VALUES (?, ?, ?, ?)", [sync, person, outcome, _at(day)[1]])
    return Lake(con, {"core.order_values": None}, Segments(()))


def _at(day: int) -> tuple[date, datetime]:
    return DAY + timedelta(day), datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(day)


@settings(max_examples=60, deadline=None)
@given(ENTRIES, ORDERS, MERGES, st.integers(1, 12))
def test_it_is_what_the_changes_say_read_plainly(changes, orders, merges, days):
    """From the first control customer on, each person once, by the first day; those of both groups nowhere."""
    entered = [
        (day, merges.get(who, who), control) for day, who, control, change in changes if change == "entered"
    ]
    begun = min((day for day, _, control in entered if control), default=TODAY + 1)
    people = {
        who: [(day, control) for day, other, control in entered if other == who and day >= begun]
        for who in PEOPLE
    }
    first = {who: min(day for day, _ in said) for who, said in people.items() if said}
    both = {who for who in first if len({control for _, control in people[who]}) == 2}
    over = {who for who in first if who not in both and first[who] + days <= TODAY}
    bought = {
        who: sum(merges.get(by, by) == who and first[who] <= day < first[who] + days for day, by in orders)
        for who in over
    }
    lake = lake_of(changes, orders, merges)
    found = effect(lake, "s", days, [])
    lake.con.close()
    for is_control, group in ((False, found.treated), (True, found.control)):
        counts = [bought[who] for who in over if people[who][0][1] == is_control]
        assert (group.customers, group.buyers, group.orders, group.squared_orders, group.value) == (
            len(counts), sum(map(bool, counts)), sum(counts), sum(each * each for each in counts), 2 * sum(counts),
        )  # fmt: skip
    assert (found.in_both, found.running) == (len(both), len(first) - len(both) - len(over))
    assert found.since == (DAY + timedelta(min(first.values())) if first else None)


def test_reached_are_those_to_whom_a_sync_of_the_segment_sent_something_since():
    """Not before they entered, not by another sync, not what was withheld; a name of then is found."""
    changes = [(1, "a", True, "entered"), *((1, who, False, "entered") for who in "bcd")]
    sent = [
        (2, "b", "mine", "sent"),
        (0, "c", "mine", "sent"),
        (2, "c", "other", "sent"),
        (2, "d", "mine", "withheld"),
    ]
    assert effect(lake_of(changes, [], {}, sent), "s", 5, ["mine"]).reached == 1
    assert effect(lake_of(changes, [], {"d": "c"}, [(2, "d", "mine", "sent")]), "s", 5, ["mine"]).reached == 1


def test_who_was_split_since_counts_nowhere():
    """Nobody can say which of the two was drawn."""
    lake = lake_of([(1, "a", True, "entered"), (1, "d", False, "entered")], [], {"d": "c"})
    assert effect(lake, "s", 5, []).treated.customers == 1
    lake.con.execute("INSERT INTO core.identities VALUES ('d', 'b')")
    assert effect(lake, "s", 5, []).treated.customers == 0


def test_what_to_make_of_it():
    """Without a control group, too early, and an effect as it was planted: one in two against none."""
    assert effect(lake_of([(1, "a", False, "entered")], []), "s", 5, []).verdict == "no control group"
    early = effect(lake_of([(18, "a", False, "entered"), (18, "b", True, "entered")], []), "s", 5, [])
    assert (early.verdict, early.running, early.visible_from) == ("too early", 2, None)
    many = lake_of([(1, "a", True, "entered")], [])
    for number in range(200):
        many.con.execute("INSERT INTO core.customers VALUES (?)", [f"n{number}"])
        many.con.execute(
            "INSERT INTO ops.segment_changes VALUES ('s', ?, 'entered', ?, ?, ?)",
            [f"n{number}", number % 4 == 0, *_at(2)],
        )
        if number % 4 and number % 2:
            many.con.execute(
                "INSERT INTO core.order_values VALUES (?, ?, true, 1)", [f"n{number}", _at(3)[0]]
            )
    found = effect(many, "s", 5, [])
    assert (found.verdict, found.treated.customers, found.control.customers) == ("works", 150, 51)
    assert found.difference.value == pytest.approx(2 / 3)
    assert found.order_lift is None


def test_before_it_starts_the_share_that_buys_is_known():
    """Of the last days, up to today; a question without marts or orders is told."""
    lake = lake_of([], [(TODAY, "a"), (TODAY - 4, "b"), (TODAY - 5, "c")])
    assert buying_share(lake, "SELECT unnest(['a', 'b', 'c', 'd']) AS customer_id", 5) == 0.5
    assert buying_share(lake, "SELECT 'a' AS customer_id WHERE false", 5) is None
    without = Lake(lake.con, {}, Segments(()))
    assert buying_share(without, "SELECT 'a' AS customer_id", 5) is None
    with pytest.raises(Terminal, match=r"core\.order_values holds nothing yet"):
        effect(without, "s", 5, [])
    lake.con.execute("DELETE FROM marts.customer_360")
    with pytest.raises(Terminal, match="holds nobody yet"):
        effect(lake, "s", 5, [])
