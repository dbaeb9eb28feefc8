"""Ties level by level: who is counted, who owns what, and whose a device is."""

from __future__ import annotations

import time

import numpy as np
import pytest

from lakehouse.identity.clusters import cluster
from lakehouse.identity.ties import (
    DEVICE,
    EMAIL,
    ID,
    PHONE,
    Likenesses,
    Links,
    People,
    Ties,
    level_of,
    people_of,
)


def people(
    *links: tuple, records: int, most: int = 3, ties: Ties | None = None, alike: Likenesses | None = None
) -> People:
    """Return who is who of links (identifier, record, source, level, own, alias, since)."""
    columns = [np.array(column) for column in zip(*links, strict=True)]
    kinds = (np.int64, np.int64, np.int64, np.int64, np.bool_, np.bool_, np.int64)
    arrays = [column.astype(kind) for column, kind in zip(columns, kinds, strict=True)]

    def persons(made: Ties):
        return cluster(records, made.left, made.right, made.weight, {}.get, made.apart).labels

    return people_of(Links(*arrays), ties or Ties(), persons, most, alike)


def owners(found: People) -> dict[int, int]:
    return dict(zip(found.owned.tolist(), found.owner.tolist(), strict=True))


def own(identifier: int, record: int, level: int = ID) -> tuple:
    return identifier, record, 0, level, True, False, 0


@pytest.mark.parametrize(
    ("kind", "level"), [("email", EMAIL), ("phone", PHONE), ("anonymous_id", DEVICE), ("crm_id", ID), ("gym_id", ID)]
)  # fmt: skip
def test_levels(kind, level):
    """What is neither an address nor a device is an id."""
    assert level_of(kind) == level


def test_people_are_counted_and_not_records():
    """Four records of one account share a phone, which is hers; four strangers share one, which is nobody's."""
    one_account = [own(0, record) for record in range(4)]
    strangers = [own(10 + record, record) for record in range(4, 8)]
    hers = [(1, record, 0, PHONE, False, False, 1) for record in range(4)]
    theirs = [(2, record, 0, PHONE, False, False, 1) for record in range(4, 8)]
    found = people(*one_account, *strangers, *hers, *theirs, records=8)
    assert found.person.tolist() == [0, 0, 0, 0, 4, 5, 6, 7]
    assert found.shared == {2}
    assert 2 not in owners(found)
    assert owners(found)[1] == 0


def test_a_device_is_the_first_one_s_of_each_source():
    """Later people on it are apart; its own history is the first one's."""
    device = (9, 0, 0, DEVICE, True, False, 0)
    signed_in = [own(1, 1), own(2, 2), (9, 2, 0, DEVICE, False, False, 5), (9, 1, 0, DEVICE, False, False, 7)]
    crm = [(3, 3, 1, ID, True, False, 0), (9, 3, 1, DEVICE, False, False, 9)]
    found = people(device, *signed_in, *crm, records=4)
    assert found.person.tolist() == [0, 1, 0, 0]
    assert owners(found)[9] == 0


def test_of_aliases_of_one_identifier_the_first_ties():
    """The site makes one of each sign-in: who comes later on the device, or takes the old id, is apart."""
    device = (9, 0, 0, DEVICE, True, False, 0)
    aliases = [own(1, 1), own(2, 2), (9, 2, 0, DEVICE, False, True, 5), (9, 1, 0, DEVICE, False, True, 7)]
    assert people(device, *aliases, records=3).person.tolist() == [0, 1, 0]
    former = [own(1, 1), own(2, 2), own(8, 0), (8, 1, 0, ID, False, True, 3), (8, 2, 0, ID, False, True, 4)]
    assert people(*former, records=3).person.tolist() == [0, 0, 2]
    another_source = [(3, 3, 1, ID, True, False, 0), (8, 3, 1, ID, False, True, 9)]
    assert people(*former, *another_source, records=4).person.tolist() == [0, 0, 2, 0]


def test_an_alias_ties_a_device_whoever_was_first():
    """It says so."""
    device = (9, 0, 0, DEVICE, True, False, 0)
    found = people(
        device,
        own(1, 1),
        own(2, 2),
        (9, 2, 0, DEVICE, False, True, 5),
        (9, 1, 0, DEVICE, False, False, 1),
        records=3,
    )
    assert found.person.tolist() == [0, 0, 0]  # the first to sign in is tied, too
    alone = people(own(1, 1), own(2, 2), (9, 2, 0, DEVICE, False, True, 5), records=3)
    assert owners(alone)[9] == 2


def test_a_phone_of_two_people_is_nobody_s_and_an_address_the_first_one_s():
    """Where they are two by a person's word."""
    ties = Ties()
    ties.apart.append((0, 1))
    carried = [(5, record, 0, PHONE, False, False, record) for record in (0, 1)]
    mailed = [(6, record, 0, EMAIL, False, False, 9 - record) for record in (0, 1)]
    found = people(own(1, 0), own(2, 1), *carried, *mailed, records=2, ties=ties)
    assert found.person.tolist() == [0, 1]
    assert 5 not in owners(found)
    assert owners(found)[6] == 1


def test_who_is_alike_is_tied_last():
    """Four records that look alike share a phone with four people; how many people carry it was asked before."""
    links = [own(10 + record, record) for record in range(4)]
    links += [(1, record, 0, PHONE, False, False, 1) for record in range(4)]
    pairs = np.array([0, 1]), np.array([1, 2])
    found = people(*links, records=4, alike=Likenesses(*pairs, np.array([9.0, 8.0]), undenied=False))
    assert found.person.tolist() == [0, 0, 0, 3]
    assert found.shared == {1}


def test_likenesses_keep_their_own_weights():
    """And whether names may deny them."""
    ties = Ties()
    ties.add(np.array([0]), np.array([1]), 30.0)
    ties.add(np.array([1, 2]), np.array([2, 3]), np.array([7.0, 8.0]), undenied=True)
    assert ties.weight.tolist() == [30.0, 7.0, 8.0]
    assert ties.undenied.tolist() == [False, True, True]


def test_a_million_records_that_share_one_e_mail_tie_nobody():
    """Each has an id of its own: the address is shared, and no pair of them is looked at."""
    began = time.process_time()
    count = 1_000_000
    record = np.arange(count)
    own_id = [
        record,
        record,
        np.zeros(count),
        np.full(count, ID),
        np.ones(count),
        np.zeros(count),
        np.zeros(count),
    ]
    e_mail = [
        np.full(count, count),
        record,
        np.zeros(count),
        np.full(count, EMAIL),
        np.zeros(count),
        np.zeros(count),
        record,
    ]
    kinds = (np.int64, np.int64, np.int64, np.int64, np.bool_, np.bool_, np.int64)
    links = Links(
        *(np.concatenate(pair).astype(kind) for *pair, kind in zip(own_id, e_mail, kinds, strict=True))
    )
    asked = []

    def persons(made: Ties):
        asked.append(sum(map(len, made.left)) if isinstance(made.left, list) else len(made.left))
        return record

    found = people_of(links, Ties(), persons, 10)
    assert found.shared == {count}
    assert set(asked) == {0}
    assert time.process_time() - began < 20
