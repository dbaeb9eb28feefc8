"""Clusters of records: the strongest edge first, and no merge across which two records contradict each other.

Connected components alone would chain strangers together: a family phone ties Anna to Ben, a half-filled record ties
two namesakes. Here a merge is refused where any pair across it contradicts (the veto). Most components hold no
contradiction and are clusters as they are; only the others are merged edge by edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.identity.normalise.persons import PersonFacts, contradicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    # what a record says of a person, by its number; None where it says nothing
    Facts = Callable[[int], PersonFacts | None]
    _Person = frozenset[PersonFacts]


@dataclass(frozen=True, slots=True)
class Clusters:
    """`labels`, shape (records,): the smallest record of each one's cluster. `refused`, shape (edges,): the veto's."""

    labels: NDArray[np.int64]
    refused: NDArray[np.bool_]


def cluster(  # noqa: PLR0913 - edges as columns
    records: int,
    left: NDArray[np.integer],
    right: NDArray[np.integer],
    weight: NDArray[np.floating],
    facts: Facts | Sequence[PersonFacts | None],
    apart: Iterable[tuple[int, int]] = (),
    *,
    undenied: NDArray[np.bool_] | None = None,
) -> Clusters:
    """Return who belongs together among `records` numbered from 0, by edges (`left[i]`, `right[i]`, `weight[i]`).

    A weight counts in bits, infinity is a person's word: it merges what contradicts, and from then on those records are
    one person with several names: another record contradicts them if it contradicts each of those names. Pairs that
    are to stay `apart` are never in one cluster, whatever the weight. Edges that are `undenied`, shape (edges,), merge
    what contradicts, too, each at its weight. Each edge counts for itself: parallel ones do not add up.

    The result does not depend on the order of edges. Among edges of one weight that of smaller records comes first, so
    number records in an order that does not depend on their arrival. Clusters of one component do not depend on another
    component's: what new edges touch can be computed alone.
    """
    import numpy as np  # noqa: PLC0415 - only when used

    facts_of = facts if callable(facts) else facts.__getitem__
    separate = np.array(list(apart), dtype=np.int64).reshape(-1, 2)
    component = _components(records, left, right)
    labels = component.copy()
    refused = np.zeros(len(left), dtype=np.bool_)
    suspects = _contradictory(component, facts_of)
    within = component[separate[:, 0]] == component[separate[:, 1]]
    suspects |= set(component[separate[within, 0]].tolist())
    if not suspects:
        return Clusters(labels, refused)
    is_suspect = np.zeros(records, dtype=np.bool_)
    is_suspect[list(suspects)] = True
    careful = is_suspect[component[np.asarray(left)]].nonzero()[0]
    low, high = np.minimum(left, right)[careful], np.maximum(left, right)[careful]
    strongest = np.lexsort((high, low, -np.asarray(weight, dtype=np.float64)[careful]))
    merging = _Merging(facts_of, separate[within].tolist())
    anyway = np.isposinf(weight)
    if undenied is not None:
        anyway |= undenied
    for edge in careful[strongest].tolist():
        refused[edge] = not merging.merge(int(left[edge]), int(right[edge]), anyway=bool(anyway[edge]))
    touched = is_suspect[component].nonzero()[0]
    labels[touched] = [merging.find(record) for record in touched.tolist()]
    return Clusters(labels, refused)


def contradict_across(one: Iterable[int], other: Iterable[int], facts: Facts) -> bool:
    """Return whether a record of the one cluster contradicts one of the other: they are not worth a question then."""
    mine, theirs = ({facts(record) for record in records} - {None} for records in (one, other))
    return any(contradicts(left, right) for left in mine for right in theirs)


def _components(records: int, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the smallest record of each record's connected component, shape (records,).

    Each component's smallest records so far become those of their neighbours, until no edge joins two: a dozen rounds.
    """
    import numpy as np  # noqa: PLC0415

    smallest = np.arange(records, dtype=np.int64)
    one, other = np.asarray(left, np.int64), np.asarray(right, np.int64)
    while len(one):
        np.minimum.at(smallest, np.maximum(one, other), np.minimum(one, other))
        while True:
            further = smallest[smallest]
            if np.array_equal(further, smallest):
                break
            smallest = further
        one, other = smallest[one], smallest[other]
        joins = one != other
        one, other = one[joins], other[joins]
    return smallest


def _contradictory(component: NDArray[np.int64], facts_of: Facts) -> set[int]:
    """Return the components that hold two records which contradict each other."""
    import numpy as np  # noqa: PLC0415

    sizes = np.bincount(component, minlength=1)
    grouped = np.argsort(component, kind="stable")
    members = grouped[sizes[component[grouped]] > 1]
    found: set[int] = set()
    ends = np.cumsum(sizes[sizes > 1])
    numbers, begin = members.tolist(), 0
    for end in ends.tolist():
        if _any_contradiction([facts_of(record) for record in numbers[begin:end]]):
            found.add(int(component[numbers[begin]]))
        begin = end
    return found


def _any_contradiction(facts: list[PersonFacts | None]) -> bool:
    distinct = list({id(each): each for each in facts if each is not None}.values())
    return any(contradicts(one, other) for at, one in enumerate(distinct) for other in distinct[at + 1 :])


class _Merging:
    """Clusters that grow by edges, each with the facts of those who are in it and whom they must not meet.

    The facts of a cluster are a set of persons; a person is a set of facts, of several only by a person's word.
    """

    def __init__(self, facts_of: Facts, apart: list[list[int]]) -> None:
        self._facts_of = facts_of
        self._parent: dict[int, int] = {}
        self._persons: dict[int, set[_Person]] = {}
        self._strangers: dict[int, set[int]] = {}
        self._known: dict[tuple[_Person, _Person], bool] = {}
        for one, other in apart:
            self._strangers.setdefault(one, set()).add(other)
            self._strangers.setdefault(other, set()).add(one)

    def find(self, record: int) -> int:
        """Return the smallest record of a record's cluster."""
        root = record
        while (above := self._parent.get(root, root)) != root:
            root = above
        while record != root:
            self._parent[record], record = root, self._parent[record]
        return root

    def merge(self, left: int, right: int, *, anyway: bool) -> bool:
        """Put two records' clusters together and return True, or leave them and return False where that is refused.

        `anyway`: also where they contradict.
        """
        one, other = sorted((self.find(left), self.find(right)))
        if one == other:
            return True
        if self._are_strangers(one, other):
            return False
        mine, theirs = self._persons_of(one), self._persons_of(other)
        if not anyway and any(self._contradict(a, b) for a in mine for b in theirs):
            return False
        self._parent[other] = one
        together = mine | theirs
        self._persons[one] = _one_person(together) if anyway else together
        if strangers := self._strangers.pop(other, None):
            self._strangers.setdefault(one, set()).update(strangers)
        del self._persons[other]
        return True

    def _are_strangers(self, one: int, other: int) -> bool:
        return any(self.find(record) == other for record in self._strangers.get(one, ()))

    def _persons_of(self, root: int) -> set[_Person]:
        if root not in self._persons:
            facts = self._facts_of(root)
            self._persons[root] = set() if facts is None else {frozenset([facts])}
        return self._persons[root]

    def _contradict(self, one: _Person, other: _Person) -> bool:
        """Return whether two persons contradict: none of the one's facts may be one of the other's."""
        if (one, other) not in self._known:
            denied = all(contradicts(a, b) for a in one for b in other)
            self._known[one, other] = self._known[other, one] = denied
        return self._known[one, other]


def _one_person(persons: set[_Person]) -> set[_Person]:
    """Return several persons as the one that somebody said they are."""
    facts: _Person = frozenset[PersonFacts]().union(*persons)
    return {facts} if facts else set()
