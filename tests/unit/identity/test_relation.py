"""Relations that callers made are checked by name and columns before anything reads them."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.errors import Terminal
from lakehouse.identity.relation import Relation, create_table, scalar


@pytest.mark.parametrize(
    ("name", "message"), [("nowhere", "no relation 'nowhere'"), ("seen", "lacks the columns a, b")]
)
def test_a_relation_that_is_not_as_needed_is_refused(con, name, message):
    """By its name, and all columns that are missing."""
    con.execute("CREATE TABLE seen (c INTEGER)")
    with pytest.raises(Terminal, match=message):
        Relation(con, name, ["b", "a", "c"])


def test_a_name_is_escaped(con):
    """Whatever somebody calls a table."""
    con.execute('CREATE TABLE "odd ""name" (a INTEGER)')
    relation = Relation(con, 'odd "name', ["a"])
    assert relation.columns == {"a"}
    assert scalar(con, f"SELECT count(*) FROM {relation.sql}") == 0


def test_columns_become_a_table(con):
    """Again under the same name, too."""
    for count in (3, 2):
        create_table(con, "numbers", {"n": np.arange(count)})
        assert scalar(con, "SELECT sum(n) FROM numbers") == sum(range(count))
    assert scalar(con, "SELECT max(n) FROM numbers WHERE n > 9") == 0
