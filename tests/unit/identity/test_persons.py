"""What records say of their persons, ready to be compared."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.identity.persons import Described, clustering
from lakehouse.identity.relation import Relation
from lakehouse.identity.ties import Ties


@pytest.fixture
def tied(con):
    """Three records, each tied to the next, of which some have names."""

    def make(*names: str | None) -> list[int]:
        con.execute("CREATE OR REPLACE TABLE people (source TEXT, record TEXT, name TEXT, birth_date DATE)")
        con.execute("CREATE OR REPLACE TABLE identity_records (record_id BIGINT, source TEXT, record TEXT)")
        for number, name in enumerate(names):
            con.execute("INSERT INTO people VALUES ('crm', ?, ?, NULL)", [str(number), name])
            con.execute("INSERT INTO identity_records VALUES (?, 'crm', ?)", [number, str(number)])
        ties = Ties()
        ties.add(np.array([0, 1]), np.array([1, 2]), 30.0)
        return clustering(Described(con, Relation(con, "people", ("source", "record"))), 3)(ties).tolist()

    return make


def test_names_that_agree_or_say_nothing_are_one(tied):
    assert tied("Ann Lee", None, "Lee, Ann") == [0, 0, 0]


def test_names_that_contradict_are_two_also_across_a_record_without_one(tied):
    assert tied("Ann Lee", None, "Bob Ray") == [0, 0, 2]


def test_without_what_records_say_all_that_is_tied_is_one(con):
    ties = Ties()
    ties.add(np.array([0]), np.array([1]), 30.0)
    assert clustering(Described(con, None), 3)(ties).tolist() == [0, 0, 2]
