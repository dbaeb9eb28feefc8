"""Ties between records, level by level from the strongest: which identifiers tie whom, and which tie nobody.

How many people carry an identifier is asked of the people that stronger identifiers have made: eleven devices of one
signed-in user are one person, three colleagues on a switchboard are three.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from lakehouse.identity.policy import TieWeights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    # (left, right, weight) of ties between records → the person of each record
    Cluster = Callable[["Ties"], Ints]

ID, EMAIL, PHONE, DEVICE = range(4)
_LEVEL_OF_TYPE: Final = {"email": EMAIL, "phone": PHONE, "anonymous_id": DEVICE}
_WEIGHTS: Final = {
    ID: TieWeights.id, EMAIL: TieWeights.email, PHONE: TieWeights.phone, DEVICE: TieWeights.device,
}  # fmt: skip


def level_of(kind: str) -> int:
    """Return the level of an identifier's type."""
    return _LEVEL_OF_TYPE.get(kind, ID)


@dataclass(frozen=True)
class Links:
    """Which record carries which identifier, one element a link; `since` as a number that orders them."""

    identifier: Ints
    record: Ints
    source: Ints
    level: Ints
    own: Flags
    alias: Flags
    since: Ints

    def where(self, chosen: Flags) -> Links:
        """Return some of the links."""
        return Links(
            self.identifier[chosen],
            self.record[chosen],
            self.source[chosen],
            self.level[chosen],
            self.own[chosen],
            self.alias[chosen],
            self.since[chosen],
        )


@dataclass
class Ties:
    """Ties between records, shape (n,) each, of infinite weight where nothing may deny them; pairs that are `apart`.

    Those that are `undenied` hold against names and birth dates that contradict.
    """

    left: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    right: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    weight: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    apart: list[tuple[int, int]] = field(default_factory=list)
    undenied: Flags = field(default_factory=lambda: np.empty(0, np.bool_))

    def add(
        self, left: Ints, right: Ints, weight: float | NDArray[np.float64], *, undenied: bool = False
    ) -> None:
        """Add ties of one weight, or of a weight each."""
        self.left = np.concatenate([self.left, left])
        self.right = np.concatenate([self.right, right])
        self.weight = np.concatenate([self.weight, np.broadcast_to(weight, len(left))])
        self.undenied = np.concatenate([self.undenied, np.full(len(left), undenied)])


@dataclass(frozen=True)
class Likenesses:
    """Pairs of records that look like one person though no identifier says so, and the weight of each in bits."""

    left: Ints
    right: Ints
    weight: NDArray[np.float64]
    undenied: bool


@dataclass(frozen=True)
class People:
    """The person of each record (the smallest record of hers), the identifiers that tie nobody, and whose the rest are.

    `shared` are identifiers that too many people of one source carry. `owned` has `owner` as their person, element by
    element; what is in neither several people carry alike.
    """

    person: Ints
    shared: frozenset[int]
    owned: Ints
    owner: Ints


def people_of(
    links: Links,
    ties: Ties,
    cluster: Cluster,
    max_people: int,
    alike: Likenesses | None = None,
    known_shared: Collection[int] = (),
) -> People:
    """Return who the records' people are.

    `links` are those that count; `ties` has what people said already, and gets all that are made here. `cluster` says
    which records are one person by the ties so far, refusing those that contradict. Records that are `alike` are tied
    last: how many people carry an identifier is asked before. `known_shared` are e-mails and phones that too many carry
    of whom not all are among the records.
    """
    ties.add(*_own_ties(links), np.inf)  # one system, one id: whatever the names
    person = cluster(ties)
    shared: set[int] = set()
    standing = []
    for level in (ID, EMAIL, PHONE, DEVICE):
        carried = links.where(_is_of_level(links, level))
        if level == DEVICE:
            carried = _first_of_each_source(carried)
        else:
            carried = carried.where(_is_no_later_alias(carried))
            crowded = _shared(carried, person, max_people).union(known_shared)
            shared |= crowded
            carried = carried.where(carried.own | ~np.isin(carried.identifier, list(crowded)))
        left, right = _pairs(carried, person)
        if len(left):
            ties.add(left, right, _WEIGHTS[level])
            person = cluster(ties)
        standing.append(carried)
    if alike is not None and len(alike.left):
        ties.add(alike.left, alike.right, alike.weight, undenied=alike.undenied)
        person = cluster(ties)
    return People(person, frozenset(shared), *_owners(standing, person))


def _is_of_level(links: Links, level: int) -> Flags:
    """Return which links tie at a level: an alias ties a device as an id does, to the device's own record."""
    is_level: Flags = links.level == level
    if level != ID:
        return is_level & ~links.alias
    aliased = np.isin(links.identifier, links.identifier[links.alias])
    return is_level | (aliased & (links.own | links.alias))


def _is_no_later_alias(carried: Links) -> Flags:
    """Return which links are no alias, or the first of each source that names an identifier.

    A device that its first user's alias named is not the next one's, too, though the site makes an alias of each
    sign-in; and a former id of a user is that of one.
    """
    aliases = np.flatnonzero(carried.alias)
    order = aliases[
        np.lexsort(
            (
                carried.record[aliases],
                carried.since[aliases],
                carried.source[aliases],
                carried.identifier[aliases],
            )
        )
    ]
    later = (carried.identifier[order][1:] == carried.identifier[order][:-1]) & (
        carried.source[order][1:] == carried.source[order][:-1]
    )
    kept = np.ones(len(carried.record), np.bool_)
    kept[order[1:][later]] = False
    return kept


def _own_ties(links: Links) -> tuple[Ints, Ints]:
    """Return ties between the records that one identifier names."""
    own = links.where(links.own)
    order = np.lexsort((own.record, own.identifier))
    identifier, record = own.identifier[order], own.record[order]
    same = identifier[1:] == identifier[:-1]
    return record[:-1][same], record[1:][same]


def _shared(carried: Links, person: Ints, max_people: int) -> set[int]:
    """Return the identifiers that more people of one source carry than one person's duplicates would be."""
    others = carried.where(~carried.own)
    triples = np.stack([others.identifier, others.source, person[others.record]], axis=1)
    distinct = np.unique(triples, axis=0)
    _, first, count = np.unique(distinct[:, :2], axis=0, return_index=True, return_counts=True)
    return set(distinct[first[count > max_people], 0].tolist())


def _first_of_each_source(carried: Links) -> Links:
    """Return of the records that carry a device the first of each source, and the device's own record.

    The history before a sign-in belongs to the first who signs in; later people on the device are apart from them.
    """
    order = np.lexsort((carried.record, carried.since, carried.own, carried.source, carried.identifier))
    identifier, source, own = carried.identifier[order], carried.source[order], carried.own[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (identifier[1:] != identifier[:-1]) | (source[1:] != source[:-1]) | (own[1:] & ~own[:-1])
    chosen = np.zeros(len(order), np.bool_)
    chosen[order] = is_first
    return carried.where(chosen)


def _pairs(carried: Links, person: Ints) -> tuple[Ints, Ints]:
    """Return ties between the people who carry one identifier, as pairs of a record of each."""
    order = np.lexsort((carried.record, person[carried.record], carried.identifier))
    identifier, record = carried.identifier[order], carried.record[order]
    who = person[record]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (identifier[1:] != identifier[:-1]) | (who[1:] != who[:-1])
    identifier, record = identifier[is_first], record[is_first]
    starts = _starts(identifier)
    sizes = np.diff(np.r_[starts, len(identifier)])
    of_two = starts[sizes == 2]  # noqa: PLR2004 - most, by far
    left, right = [record[of_two]], [record[of_two + 1]]
    for start, size in zip(starts[sizes > 2], sizes[sizes > 2], strict=True):  # noqa: PLR2004
        pairs = np.array(list(combinations(record[start : start + size].tolist(), 2)), np.int64)
        left.append(pairs[:, 0])
        right.append(pairs[:, 1])
    return np.concatenate(left), np.concatenate(right)


def _owners(standing: list[Links], person: Ints) -> tuple[Ints, Ints]:
    """Return identifiers and the person of each: of the record that it names, else of who carried it first.

    A phone that several people carry is nobody's: a family shares it. An alias is stronger than a device's sign-ins.
    """
    found = [_owners_of_level(carried, person) for carried in standing]
    identifiers = np.concatenate([identifier for identifier, _ in found])
    people = np.concatenate([owner for _, owner in found])
    first = np.unique(identifiers, return_index=True)[1]
    return identifiers[first], people[first]


def _owners_of_level(carried: Links, person: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((carried.record, carried.since, ~carried.own, carried.identifier))
    identifier, who = carried.identifier[order], person[carried.record[order]]
    if not len(order):
        return identifier, who
    starts = _starts(identifier)
    differs = np.zeros(len(order), np.int64)
    differs[1:] = (identifier[1:] == identifier[:-1]) & (who[1:] != who[:-1])
    has_several = np.add.reduceat(differs, starts) > 0
    is_familys = has_several & (carried.level[order][starts] == PHONE) & ~carried.own[order][starts]
    return identifier[starts][~is_familys], who[starts][~is_familys]


def _starts(groups: Ints) -> Ints:
    """Return where each run of equal numbers begins."""
    return np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.empty(0, np.int64)
