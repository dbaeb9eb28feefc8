"""Invariant 5: identities are stable, whatever arrives in whatever order. Held against a naive model."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.identity import resolve

DAY = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 3

# Normal form → the spellings it arrives in.
SPELLINGS = {
    ("email", "ann@x.cn"): ("ann@x.cn", "ANN@X.cn", " ann@x.cn\u200b", "ａnn@x.cn"),
    ("email", "bob@x.cn"): ("bob@x.cn", "Bob＠x.cn"),
    ("email", "cyd@x.cn"): ("cyd@x.cn",),
    ("phone", "+8613800001110"): ("138 0000 1110", "+8613800001110", "008613800001110"),
    ("phone", "+14155552671"): ("(415) 555-2671", "+1 415-555-2671"),
    ("user_id", "u1"): ("u1", " u1 "),
    ("user_id", "U1"): ("U1",),
    ("hubspot_id", "101"): ("101",),
    ("anonymous_id", "a1"): ("a1",),
    ("anonymous_id", "a2"): ("a2",),
    ("wechat_openid", "o1"): ("o1",),
}


class Seen(NamedTuple):
    """One observation, with the identifier that its value spells."""

    source: str
    record: str
    identifier: tuple[str, str]
    value: str
    day: int


class Known(NamedTuple):
    """One row of identities."""

    customer_id: str
    first_seen_at: datetime


def seen(sources: str = "cs", days: tuple[int, int] = (0, 3)) -> st.SearchStrategy[Seen]:
    """Draw an observation: few records, few days, so that ties of every kind are common."""
    return st.sampled_from(sorted(SPELLINGS)).flatmap(
        lambda identifier: st.builds(
            Seen,
            st.sampled_from(sources),
            st.sampled_from("12345"),
            st.just(identifier),
            st.sampled_from(SPELLINGS[identifier]),
            st.integers(*days),
        )
    )


evidence = st.lists(seen(), max_size=14)
# A resolve of a few rows is 30 ms of planning, so examples are few; the model sees the most.
checked = settings(max_examples=12, deadline=None, database=None)


@pytest.fixture(scope="module")
def con():
    con = duckdb.connect(config={"threads": "1"})
    con.execute("SET TimeZone = 'UTC'")
    yield con
    con.close()


class Outcome(NamedTuple):
    """What `resolve` left: whole rows, the map, and the changes."""

    rows: list[tuple]
    known: dict[tuple[str, str], Known]
    changes: set[tuple[str, str, str | None]]

    @property
    def names(self) -> dict[tuple[str, str], str]:
        return {identifier: known.customer_id for identifier, known in self.known.items()}

    @property
    def partition(self) -> set[frozenset[tuple[str, str]]]:
        groups = defaultdict(set)
        for identifier, name in self.names.items():
            groups[name].add(identifier)
        return {frozenset(group) for group in groups.values()}


def settle(con, observed: list[Seen], previous: Outcome | None = None, limit: int = LIMIT) -> Outcome:
    columns = ["record", "source", "type", "value", "seen_at"]
    rows = [(s.record, s.source, s.identifier[0], s.value, DAY + timedelta(days=s.day)) for s in observed]
    text, moment = pa.string(), pa.timestamp("us", "UTC")
    _table(con, "observations", columns, [text, text, text, text, moment], rows)
    if previous is not None:
        names = [
            "identifier_type",
            "identifier_value",
            "customer_id",
            "rule",
            "first_seen_at",
            "last_seen_at",
        ]
        kinds = [text, text, text, text, moment, moment]
        _table(con, "previous", names, kinds, [row[:6] for row in previous.rows])
    resolution = resolve(
        con,
        observations="observations",
        previous="previous" if previous is not None else None,
        now=NOW,
        max_records=limit,
    )
    found = con.execute("FROM identities_new").fetchall()
    assert len(found) == resolution.identifiers
    assert len({row[2] for row in found}) == resolution.customers
    changes = con.execute("SELECT change, customer_id, into_customer_id FROM identity_changes").fetchall()
    assert len(changes) == len(set(changes)) == resolution.new + resolution.merged + resolution.split
    return Outcome(found, {row[:2]: Known(row[2], row[4]) for row in found}, set(changes))


def _table(con, name: str, columns: list[str], kinds: list, rows: list[tuple]) -> None:
    arrays = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
    con.register(name, pa.table(arrays, names=columns))


# --- the naive model: sets, merged until nothing changes ---


def naive(observed: list[Seen], known: dict[tuple[str, str], Known], limit: int):
    """Return (identifier → customer id, changes) as the rules say, without any cleverness."""
    groups = _components(observed, limit)
    names: dict[frozenset, str] = {}
    claims = defaultdict(list)
    for customer in {row.customer_id for row in known.values()}:
        own = sorted((row.first_seen_at, *i) for i, row in known.items() if row.customer_id == customer)
        for _, *identifier in own:
            heir = next((g for g in groups if tuple(identifier) in g), None)
            if heir is not None:
                claims[heir].append((own[0], customer))
                break
    changes = set()
    for group, claimants in claims.items():
        names[group] = min(claimants)[1]
        changes |= {("merge", loser, names[group]) for _, loser in claimants if loser != names[group]}
    homes = {customer: group for group, claimants in claims.items() for _, customer in claimants}
    _give_names(groups, names, {row.customer_id for row in known.values()})
    for group in groups:
        old = {known[i].customer_id for i in group if i in known}
        changes |= {("split", customer, names[group]) for customer in old if homes[customer] != group}
        if not old:
            changes.add(("new", names[group], None))
    return {identifier: names[group] for group in groups for identifier in group}, changes


def _components(observed: list[Seen], limit: int) -> list[frozenset]:
    records = defaultdict(set)
    carriers = defaultdict(set)
    for s in observed:
        records[s.source, s.record].add(s.identifier)
        carriers[s.identifier, s.source].add(s.record)
    common = {i for (i, _), of in carriers.items() if i[0] in ("email", "phone") and len(of) > limit}
    for device in [i for i in SPELLINGS if i[0] == "anonymous_id"]:
        users = {i for carried in records.values() if device in carried for i in carried if i[0] == "user_id"}
        common |= {device} if len(users) > limit else set()
    groups = [frozenset(carried - common) for carried in records.values() if carried - common]
    merged = True
    while merged:
        merged = False
        for a in groups:
            overlapping = [b for b in groups if a & b]
            if len(overlapping) > 1:
                groups = [b for b in groups if not a & b] + [frozenset().union(*overlapping)]
                merged = True
                break
    return sorted(set(groups), key=min)


def _give_names(groups: list[frozenset], names: dict[frozenset, str], taken: set[str]) -> None:
    taken = taken | set(names.values())
    attempt = 0
    while len(names) < len(groups):
        given_now = set()
        for group in groups:
            text = f"crm-lakehouse/customer/{attempt}/{':'.join(min(group))}"
            name = "c_" + sha256(text.encode()).hexdigest()[:16]
            if group not in names and name not in taken | given_now:
                names[group] = name
                given_now.add(name)
        taken |= given_now
        attempt += 1


# --- the promises ---


@settings(checked, max_examples=40)
@given(st.lists(evidence, min_size=1, max_size=3), st.sampled_from([1, LIMIT, 10]))
def test_resolve_is_the_naive_model(con, history, limit):
    """Through any history of observations the customers, names and changes are those of the naive model."""
    before = None
    for observed in history:
        after = settle(con, observed, before, limit)
        names, changes = naive(observed, before.known if before else {}, limit)
        assert after.names == names
        assert after.changes == changes
        before = after


@checked
@given(evidence.flatmap(lambda e: st.tuples(st.just(e), st.permutations(e))), st.none() | evidence)
def test_order_does_not_matter(con, orders, earlier):
    """The same observations in another order, or twice, give the same rows, names included."""
    before = settle(con, earlier) if earlier is not None else None
    one, other = orders
    assert settle(con, one, before) == settle(con, other, before)
    assert settle(con, one, before) == settle(con, [*other, *one], before)


@checked
@given(evidence, evidence)
def test_resolving_again_changes_nothing(con, earlier, observed):
    """With its own result as the names, a rebuild gives the same rows and nothing to log."""
    result = settle(con, observed, settle(con, earlier))
    again = settle(con, observed, result)
    assert again.rows == result.rows
    assert again.changes == set()


@checked
@given(evidence, evidence)
def test_new_evidence_renames_nobody(con, observed, more):
    """Evidence only adds and merges (where nothing becomes too common), and a merge keeps the oldest name."""
    before = settle(con, observed, limit=1000)
    after = settle(con, observed + more, before, limit=1000)
    merges = {(lost, kept) for change, lost, kept in after.changes if change == "merge"}
    assert not [change for change in after.changes if change[0] == "split"]
    born = defaultdict(lambda: NOW)
    for known in before.known.values():
        born[known.customer_id] = min(born[known.customer_id], known.first_seen_at)
    for identifier, known in before.known.items():
        name = after.names[identifier]
        assert name == known.customer_id or (known.customer_id, name) in merges
        assert after.known[identifier].first_seen_at <= known.first_seen_at
    assert all(born[kept] <= born[lost] for lost, kept in merges)


@checked
@given(evidence, st.lists(seen(sources="w", days=(3, 5)), max_size=8))
def test_withdrawn_evidence_gives_the_names_back(con, observed, tie):
    """What later evidence tied falls apart without it, and everyone has the name of before."""
    before = settle(con, observed, limit=1000)
    tied = settle(con, observed + tie, before, limit=1000)
    assert settle(con, observed, tied, limit=1000).names == before.names


@checked
@given(evidence)
def test_names_hold_when_rebuilt_from_the_id_map(con, observed):
    """A rebuild from raw observations and the id map of any order of arrival keeps that map."""
    arrived = None
    for end in range(1, len(observed) + 4, 4):
        arrived = settle(con, observed[:end], arrived, limit=1000)
    if arrived is not None:
        rebuilt = settle(con, observed, arrived, limit=1000)
        assert rebuilt.names == arrived.names
        assert rebuilt.partition == settle(con, observed, limit=1000).partition
