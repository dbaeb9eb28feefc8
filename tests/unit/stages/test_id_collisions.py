"""Which ids that came twice are two people's: a few corrections are none, strangers are."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import normal_forms, sql_functions
from lakehouse.sources import definition
from lakehouse.stages.id_collisions import Shared, keys_sql
from lakehouse.stages.policy import CollisionPolicy
from tests.support.units import a_source

CONTACTS = a_source(
    columns=[{"name": name, "from": name, "doc": "x"} for name in ("id", "mail", "tel")],
    key=["id"],
    record="id",
    seen_at="_loaded_at",
    identifiers=[
        {"type": "crm_id", "value": "id"}, {"type": "email", "value": "mail"}, {"type": "phone", "value": "tel"},
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (("a@x.de", "1"), ("A@x.de ", None), (1, 0)),  # as it was
        (("a@x.de", "1"), ("b@x.de", "1"), (1, 0)),  # corrected
        (("a@x.de", "1"), ("b@x.de", "2"), (1, 1)),
        (("a@x.de", None), ("b@x.de", None), (1, 1)),
        (("a@x.de", None), (None, "2"), (1, 1)),
        (("a@x.de", None), (None, None), (0, 0)),  # nothing is said the second time
        ((None, None), (None, None), (0, 0)),
    ],
)
def test_two_files_say_one_key(first, last, expected):
    """Of each key the first file and the last; rows of one file are one statement."""
    con = duckdb.connect()
    sql_functions.create(con)
    con.execute(
        f"CREATE SCHEMA raw; CREATE TABLE {CONTACTS.table} "
        "(_file_id VARCHAR, _loaded_at TIMESTAMPTZ, id VARCHAR, mail VARCHAR, tel VARCHAR)"
    )
    for file, (mail, tel) in (("z", first), ("y", (None, None)), ("a", last)):
        day = {"z": "2026-01-01", "y": "2026-01-02", "a": "2026-01-03"}[file]
        con.execute(f"INSERT INTO {CONTACTS.table} VALUES (?, ?, '7', ?, ?)", [file, day, mail, tel])
    assert con.execute(keys_sql(CONTACTS)).fetchone() == expected


def test_sources_that_cannot_collide_are_not_read():
    """Of messages one key is loaded once; a record that says nothing but its key has no stranger."""
    assert keys_sql(definition.load()["web", "events"]) is None
    assert keys_sql(CONTACTS.model_copy(update={"identifiers": CONTACTS.identifiers[:1]})) is None
    assert keys_sql(CONTACTS.model_copy(update={"key": ()})) is None


@pytest.mark.parametrize("source", [each for each in definition.load().values() if each.identifiers], ids=str)
def test_the_query_of_every_source_runs(source):
    """By the shipped definitions, on tables without rows."""
    con = duckdb.connect()
    sql_functions.create(con)
    con.execute("CREATE SCHEMA raw")
    columns = ", ".join(f'"{column.name}" {column.duck_type}' for column in source.contract.columns)
    con.execute(f"CREATE TABLE {source.table} ({columns})")
    if (sql := keys_sql(source)) is not None:
        normal_forms.create_for(con, sql)
        assert con.execute(sql).fetchone() == (0, 0)


@pytest.mark.parametrize(
    ("ids", "strangers", "expected"), [(0, 0, False), (100, 20, False), (100, 21, True), (1, 1, True)]
)
def test_when_it_is_a_warning(monkeypatch, ids, strangers, expected):
    """Some people move, change their address and their phone: above a share it is no chance."""
    monkeypatch.setattr(CollisionPolicy, "most_strangers", 0.2)
    shared = Shared("a/b", "key", ids, strangers, "do it")
    assert shared.is_collision is expected
    assert (
        f"of {ids} ids that came twice {strangers} are of people with nothing in common: do it"
        in shared.warning().message
    )
