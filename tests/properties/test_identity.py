"""Invariant 5: identities are stable, whatever arrives in whatever order. Held against a naive model."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
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
    first_customer_id: str


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


def own(observed: list[Seen]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the identifier that names each record: the smallest."""
    return {record: min(carried) for record, carried in _records(observed).items()}


def settle(con, observed: list[Seen], previous: Outcome | None = None, limit: int = LIMIT) -> Outcome:
    names = own(observed)
    text, moment, flag = pa.string(), pa.timestamp("us", "UTC"), pa.bool_()
    columns = {
        "record": text, "source": text, "slot": text, "type": text, "value": text, "region": text, "own": flag,
        "every": flag, "alias": flag, "said_at": moment, "loaded_at": moment, "file_id": text, "row": pa.int64(),
    }  # fmt: skip
    rows = [
        (
            s.record, s.source, str(s.identifier), s.identifier[0], s.value, None,
            names[s.source, s.record] == s.identifier, s.identifier[0] == "anonymous_id", False,
            DAY + timedelta(days=s.day), NOW, "f", 1,
        )
        for s in observed
    ]  # fmt: skip
    _table(con, "observations", list(columns), list(columns.values()), rows)
    if previous is not None:
        kept = [column[0] for column in con.execute("FROM identities_new").description]
        kinds = [text, text, text, text, moment, moment, pa.int64(), pa.int64(), text]
        _table(con, "previous", kept, kinds, previous.rows)
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
    return Outcome(found, {row[:2]: Known(row[2], row[4], row[8]) for row in found}, set(changes))


def _table(con, name: str, columns: list[str], kinds: list, rows: list[tuple]) -> None:
    arrays = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
    con.register(name, pa.table(arrays, names=columns))


# --- the naive model: sets, merged until nothing changes ---


class Person:
    """Records that are one person, by a set that all of them share."""

    def __init__(self, observed: list[Seen]) -> None:
        self.of = {record: {record} for record in _records(observed)}

    def merge(self, records) -> None:
        together = set().union(*(self.of[record] for record in records)) if records else set()
        for record in together:
            self.of[record] = together

    def number(self, record) -> tuple[str, str]:
        return min(self.of[record])


def naive(observed: list[Seen], known: dict[tuple[str, str], Known], limit: int):
    """Return (identifier → customer id, or a number for a new one; changes) as the rules say, without cleverness."""
    groups = _people(observed, limit)
    names: dict[frozenset, str] = {}
    claims = defaultdict(list)
    for customer in {row.customer_id for row in known.values()}:
        ages = sorted(
            (row.first_customer_id != customer, row.first_seen_at, *i)
            for i, row in known.items()
            if row.customer_id == customer
        )
        for _, _, *identifier in ages:
            heir = next((g for g in groups if tuple(identifier) in g), None)
            if heir is not None:
                claims[heir].append((ages[0][1:], customer))
                break
    changes = set()
    for group, claimants in claims.items():
        names[group] = min(claimants)[1]
        changes |= {("merge", loser, names[group]) for _, loser in claimants if loser != names[group]}
    homes = {customer: group for group, claimants in claims.items() for _, customer in claimants}
    _give_back(groups, names, known)
    for group in groups:
        old = {known[i].customer_id for i in group if i in known}
        changes |= {("split", customer, names[group]) for customer in old if homes[customer] != group}
        if not old:
            changes.add(("new", names[group], None))
    return {identifier: names[group] for group in groups for identifier in group}, changes


def _records(observed: list[Seen]) -> dict:
    records = defaultdict(set)
    for s in observed:
        records[s.source, s.record].add(s.identifier)
    return records


class Links:
    """Who carries what, less what is nobody's; `names` has the identifier that names each record."""

    def __init__(self, observed: list[Seen], limit: int) -> None:
        self.names = own(observed)
        self.since = {}
        for s in observed:
            link = (s.source, s.record), s.identifier
            self.since[link] = min(self.since.get(link, s.day), s.day)
        self.nobodys = _nobodys(_records(observed), limit)

    def carriers(self, level: int) -> dict:
        """Return the records that carry each identifier of a level, those that have it longest first."""
        carriers = defaultdict(list)
        for record, identifier in sorted(self.since, key=lambda link: (self.since[link], link[0])):
            is_left_out = identifier[0] == "anonymous_id" and self.names[record] in self.nobodys
            if LEVELS.get(identifier[0], 0) == level and identifier not in self.nobodys and not is_left_out:
                carriers[identifier].append(record)
        return carriers


def _people(observed: list[Seen], limit: int) -> list[frozenset]:
    """Return the identifiers of each person: own ids first, then ids, e-mails, phones, devices."""
    links = Links(observed, limit)
    person = Person(observed)
    for name in {*links.names.values()} - links.nobodys:
        person.merge([record for record, other in links.names.items() if other == name])
    owners: dict[tuple[str, str], object] = {}
    for level in range(4):
        _tie_level(level, links, person, owners, limit)
    groups = defaultdict(set)
    for identifier, record in owners.items():
        groups[person.number(record)].add(identifier)
    return sorted(map(frozenset, groups.values()), key=min)


def _tie_level(level, links: Links, person, owners, limit) -> None:
    carriers = links.carriers(level)
    crowded = {
        identifier
        for identifier, of in carriers.items()
        if level < DEVICE and _most_people(identifier, of, links.names, person) > limit
    }
    for identifier, of in carriers.items():
        named = [record for record in of if links.names[record] == identifier]
        others = [record for record in of if record not in named and identifier not in crowded]
        if level == DEVICE:
            first = {next(r for r in others if r[0] == source) for source in {r[0] for r in others}}
            others = [record for record in others if record in first]
        person.merge(named + others)
        if named + others:
            owners[identifier] = (named + others)[0]


def _most_people(identifier, of, names, person) -> int:
    """Return how many people of one source carry an identifier that is not their own, at most."""
    people = defaultdict(set)
    for record in of:
        if names[record] != identifier:
            people[record[0]].add(person.number(record))
    return max(map(len, people.values()), default=0)


LEVELS = {"email": 1, "phone": 2, "anonymous_id": 3}
DEVICE = 3


def _nobodys(records: dict, limit: int) -> set[tuple[str, str]]:
    """Return devices of too many users; user ids that come with too many e-mails, or devices of too many others."""
    devices = defaultdict(set)
    emails = defaultdict(set)
    for carried in records.values():
        users = {identifier for identifier in carried if identifier[0] == "user_id"}
        for kind, value in carried:
            if kind == "anonymous_id":
                devices[kind, value] |= users
            if kind == "email":
                for user in users:
                    emails[user].add(value)
    others = defaultdict(set)
    for users in devices.values():
        for user in users if len(users) <= limit else ():  # a device of more users is nobody's itself
            others[user] |= users - {user}
    found = {user for of in (emails, others) for user, with_it in of.items() if len(with_it) > limit}
    return found | {device for device, users in devices.items() if len(users) > limit}


def _give_back(groups: list[frozenset], names: dict[frozenset, str], known) -> None:
    """Name the groups that have no name yet: by what the first seen of their identifiers was first called, or anew."""
    alive = {row.customer_id for row in known.values()}
    wanted = defaultdict(list)
    for group in groups:
        if group not in names:
            for identifier in group & known.keys():
                row = known[identifier]
                if row.first_customer_id not in alive:
                    wanted[row.first_customer_id].append((row.first_seen_at, identifier, group))
    offers = defaultdict(list)
    for name, claimants in wanted.items():
        first_seen_at, identifier, group = min(claimants, key=lambda claim: claim[:2])
        offers[group].append((first_seen_at, identifier, name))
    for number, group in enumerate(groups):
        names.setdefault(group, min(offers[group])[2] if offers[group] else f"new {number}")


def same_but_for_new(found: Outcome, names: dict, changes: set, taken: set[str]) -> bool:
    """Return whether an outcome is what the naive model says, with any unused name for each new customer."""
    fresh = {names[i]: name for i, name in found.names.items() if names.get(i, "").startswith("new ")}
    if len(set(fresh.values())) != len(fresh) or set(fresh.values()) & taken:
        return False
    told = {(change, fresh.get(a, a), fresh.get(b, b)) for change, a, b in changes}
    return found.names == {i: fresh.get(name, name) for i, name in names.items()} and found.changes == told


def but_for_new(found: Outcome, before: Outcome | None) -> tuple[list[tuple], set[tuple]]:
    """Return rows and changes with each new customer named by the smallest of the identifiers."""
    taken = set(before.names.values()) if before else set()
    first = {name: str(identifier) for identifier, name in sorted(found.names.items(), reverse=True)}

    def named(name: str | None) -> str | None:
        return name if name in taken or name is None else first.get(name, name)

    rows = [(*row[:2], named(row[2]), *row[3:8], named(row[8])) for row in found.rows]
    return rows, {(change, named(one), named(other)) for change, one, other in found.changes}


# --- the promises ---


@settings(checked, max_examples=40)
@given(st.lists(evidence, min_size=1, max_size=3), st.sampled_from([1, LIMIT, 10]))
def test_resolve_is_the_naive_model(con, history, limit):
    """Through any history of observations the customers, names and changes are those of the naive model."""
    before = None
    for observed in history:
        after = settle(con, observed, before, limit)
        names, changes = naive(observed, before.known if before else {}, limit)
        assert same_but_for_new(after, names, changes, set(before.names.values()) if before else set())
        before = after


@checked
@given(evidence.flatmap(lambda e: st.tuples(st.just(e), st.permutations(e))), st.none() | evidence)
def test_order_does_not_matter(con, orders, earlier):
    """The same observations in another order, or twice, give the same rows; new names are drawn anew."""
    before = settle(con, earlier) if earlier is not None else None
    one, other = orders
    found = settle(con, one, before)
    assert but_for_new(found, before) == but_for_new(settle(con, other, before), before)
    assert but_for_new(found, before) == but_for_new(settle(con, [*other, *one], before), before)


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
