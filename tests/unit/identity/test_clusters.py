"""Clusters: the strongest edge first, and none across which two records contradict; equal to a plain reading."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lakehouse.identity.clusters import cluster, contradict_across
from lakehouse.identity.normalise.persons import contradicts, person_facts

Edge = tuple[int, int, float]
NAMES = ("张伟", "张炜", "李娜", "张先生", "Anna Holt", "Anna", "Ben Holt", "A. Holt", None)


def _cluster(names, edges: list[Edge], apart=()) -> list[int]:
    return _clusters(names, edges, apart).labels.tolist()


def _clusters(names, edges: list[Edge], apart=()):
    left, right = (np.array([edge[end] for edge in edges], dtype=np.int64) for end in (0, 1))
    weight = np.array([edge[2] for edge in edges], dtype=np.float64)
    return cluster(len(names), left, right, weight, [person_facts(name) for name in names], apart)


@pytest.mark.parametrize(
    ("names", "edges", "expected"),
    [
        (["张伟", "张炜", "张先生"], [(0, 1, 9), (1, 2, 7)], [0, 0, 0]),
        (["Anna Holt", "Ben Holt"], [(0, 1, 9)], [0, 1]),  # a family's phone
        (["Anna Holt", None, "Ben Holt"], [(0, 1, 9), (1, 2, 8)], [0, 0, 2]),  # the stronger edge has it
        (["Anna Holt", None, "Ben Holt"], [(0, 1, 7), (1, 2, 8)], [0, 1, 1]),
        (["Anna Holt", None, "Ben Holt"], [(1, 0, 8), (2, 1, 8)], [0, 0, 2]),  # of equals the smaller records
        (["Anna Holt", "Ben Holt"], [(0, 1, math.inf)], [0, 0]),  # a person's word
        (["Anna Holt", "Ben Holt", "A. Holt", "Carla Diaz"], [(0, 1, math.inf), (1, 2, 9), (1, 3, 9)], [0, 0, 0, 3]),
        ([None, None, None], [], [0, 1, 2]),
        ([], [], []),
    ],
)  # fmt: skip
def test_who_belongs_together(names, edges: list[Edge], expected: list[int]) -> None:
    """The veto parts a family, and a person's word outranks it."""
    assert _cluster(names, edges) == expected


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        (["张伟"], ["张炜"], False),
        (["张伟", None], ["张先生", "李娜"], True),  # another record of the customer is somebody else's
        ([None], ["李娜"], False),
        ([], ["李娜"], False),
    ],
)
def test_clusters_contradict_where_any_two_records_do(one, other, contradict) -> None:
    """Then nobody need be asked whether they are one."""
    facts = [person_facts(name) for name in (*one, *other)]
    across = range(len(one)), range(len(one), len(facts))
    assert contradict_across(*across, facts.__getitem__) is contradict


def test_those_who_were_untied_stay_apart() -> None:
    """Two whom a person parted are in no cluster together, also by way of others, also against a tie by word."""
    names = [None] * 4
    assert _cluster(names, [(0, 1, 9), (1, 2, 8), (2, 3, 7)], [(0, 3)]) == [0, 0, 0, 3]
    assert _cluster(names, [(0, 1, math.inf)], [(1, 0)]) == [0, 1, 2, 3]
    assert _cluster(names, [(0, 1, math.inf), (1, 2, math.inf)], [(2, 0)]) == [0, 0, 2, 3]


def test_what_was_refused_is_told() -> None:
    """The edges that the veto refused are marked, those within a cluster are not."""
    found = _clusters(["张伟", "李娜", "张炜"], [(0, 1, 9), (0, 2, 8), (2, 0, 7)])
    assert found.refused.tolist() == [True, False, False]


EDGES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from([1.0, 2.0, 6.5, 9.0, math.inf])),
    max_size=14,
)
PAIRS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1]), max_size=2
)
PEOPLE = st.lists(st.sampled_from(NAMES), min_size=8, max_size=8)


@settings(deadline=None)  # a busy machine is no fault
@given(PEOPLE, EDGES, PAIRS, st.randoms())
def test_clusters_are_those_of_a_plain_reading(names, edges: list[Edge], apart, rng) -> None:
    """Set by set, every pair asked each time; and no order of edges or of their ends changes it."""
    found = _cluster(names, edges, apart)
    assert found == _plainly(names, edges, apart)
    turned = [(b, a, w) if rng.random() < 0.5 else (a, b, w) for a, b, w in edges]
    rng.shuffle(turned)
    assert _cluster(names, turned, apart) == found
    assert all(found[a] != found[b] for a, b in apart)


@settings(deadline=None)
@given(PEOPLE, EDGES, EDGES)
def test_a_component_alone_is_clustered_as_among_others(names, edges: list[Edge], more: list[Edge]) -> None:
    """What new edges touch can be computed alone: other components do not matter."""
    apart_from = [(a + 8, b + 8, w) for a, b, w in more]
    assert _cluster([*names, *names], [*edges, *apart_from])[:8] == _cluster(names, edges)


def _plainly(names, edges: list[Edge], apart) -> list[int]:
    """Return the labels by the rule as it is written, in the slowest way."""
    facts = [person_facts(name) for name in names]
    clusters = [
        [frozenset([record])] for record in range(len(names))
    ]  # a cluster: persons; a person: records

    def denied(one: frozenset[int], other: frozenset[int]) -> bool:
        said = [[facts[record] for record in person if facts[record]] for person in (one, other)]
        return all(said) and all(contradicts(a, b) for a, b in itertools.product(*said))

    for left, right, weight in sorted(edges, key=lambda edge: (-edge[2], min(edge[:2]), max(edge[:2]))):
        ours, theirs = (
            next(found for found in clusters if any(record in person for person in found))
            for record in (left, right)
        )
        members = [set().union(*persons) for persons in (ours, theirs)]
        if ours is theirs or any({a, b} & members[0] and {a, b} & members[1] for a, b in apart):
            continue
        if weight == math.inf:
            together = [frozenset(members[0] | members[1])]
        elif any(denied(a, b) for a in ours for b in theirs):
            continue
        else:
            together = [*ours, *theirs]
        clusters = [found for found in clusters if found is not ours and found is not theirs] + [together]
    label = {record: min(set().union(*persons)) for persons in clusters for record in set().union(*persons)}
    return [label[record] for record in range(len(names))]


def test_a_million_records_that_share_one_e_mail_are_quick() -> None:
    """A star of a million nameless records, and one of a thousand names: no pair is asked twice, none for nothing."""
    began = time.process_time()
    n = 1_000_000
    nobody = cluster(n, np.zeros(n - 1, dtype=np.int64), np.arange(1, n), np.ones(n - 1), lambda _: None)
    assert not nobody.labels.any()
    people = [person_facts(f"{first}{last} {middle}son") for first in "BCDFGH" for last in ("en", "olo", "ara", "uri")
              for middle in ("Jack", "Peter", "Thom", "Rich", "Ander", "Olaf", "Nel", "Gus", "Hub", "Wil")]  # fmt: skip
    labels = cluster(240, np.zeros(239, dtype=np.int64), np.arange(1, 240), np.ones(239), people).labels
    assert len(set(labels.tolist())) > 200
    assert time.process_time() - began < 15


def test_what_is_undenied_merges_names_that_contradict():
    """Each at its weight: a stronger edge that is denied stays so. What is to stay apart does."""
    facts = [person_facts(name) for name in ("Ann Lee", "Bob Ray", "Cyd Fox")]
    left, right, weight = np.array([0, 1]), np.array([1, 2]), np.array([9.0, 7.0])
    second = np.array([False, True])
    assert cluster(3, left, right, weight, facts).labels.tolist() == [0, 1, 2]
    assert cluster(3, left, right, weight, facts, undenied=second).labels.tolist() == [0, 1, 1]
    assert cluster(3, left, right, weight, facts, undenied=~second).labels.tolist() == [0, 0, 2]
    apart = cluster(3, left, right, weight, facts, [(1, 2)], undenied=second)
    assert apart.labels.tolist() == [0, 1, 2]


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60))
def test_without_a_contradiction_clusters_are_the_components(edges):
    """As SciPy finds them, each named by its smallest record; loops and edges that stand twice do not matter."""
    left, right = (np.array([edge[end] for edge in edges], dtype=np.int64) for end in (0, 1))
    found = cluster(30, left, right, np.ones(len(edges)), [None] * 30).labels
    joined = coo_array((np.ones(len(edges)), (left, right)), shape=(30, 30))
    component = connected_components(joined, directed=False)[1]
    assert found.tolist() == [int(np.flatnonzero(component == part)[0]) for part in component]


def test_a_chain_of_a_million_is_one_component_at_once():
    """A round joins what many edges lead to: no round for each edge."""
    order = np.random.default_rng(1).permutation(1_000_000)
    begun = time.process_time()
    found = cluster(len(order), order[:-1], order[1:], np.ones(len(order) - 1), lambda _: None).labels
    assert not found.any()
    assert time.process_time() - begun < 20
