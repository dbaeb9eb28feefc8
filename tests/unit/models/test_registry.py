"""Definitions of models are read strictly: an error names file and line, before anything runs."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.tables.contracts import CORE, MARTS
from lakehouse.tables.people import EVIDENCE, IDENTITIES, MATCH_KEYS, MATCHES, OBSERVATIONS

GOOD = "-- table: core.orders\n-- inputs: mapped.orders\nSELECT 1"


def write(folder, **files: str):
    """Write overrides; names have `__` for the slash."""
    for name, text in files.items():
        path = folder / "models" / (name.replace("__", "/") + ".sql")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT 1", "lacks `-- table: …`"),
        ("-- table: core.orders\nSELECT 1", "lacks `-- inputs: …`"),
        ("\n" + GOOD, "lacks `-- table: …`"),
        (GOOD.replace("core.orders", "core.nonsense"), "'core.nonsense' is none that models fill"),
        (GOOD.replace("core.orders", "raw.events"), "'raw.events' is none that models fill"),
        (GOOD.replace("core.orders", "ops.ingest_ledger"), "'ops.ingest_ledger' is none that models fill"),
        (GOOD.replace("core.orders", "core.identities"), "'core.identities' is none that models fill"),
        (GOOD.replace("\nSELECT", "\n-- as_of: 2026\nSELECT"), "as_of: '2026' is neither yes nor no"),
        (GOOD.replace("\nSELECT", "\n-- time_zone: UTC\nSELECT"), "time_zone: 'UTC' is neither yes nor no"),
        (GOOD + ", getvariable('time_zone')", "say `-- time_zone: yes` in the header"),
        (GOOD + ", getvariable('as_of')", "say `-- as_of: yes` in the header"),
        (GOOD.replace("mapped.orders", "mapped.nonsense"), "inputs: there is no mapped.nonsense"),
        (GOOD.replace("mapped.orders", "mapped.order"), "did you mean mapped.orders? (line 2)"),
        (GOOD.replace("core.orders", "core.order"), "did you mean core.orders? (line 1)"),
        (GOOD.replace("mapped.orders", "raw.typo"), "inputs: there is no raw.typo"),
        (
            GOOD.replace("mapped.orders", "core.events"),
            "core.events is a view of raw.events",
        ),
    ],
)
def test_a_wrong_header_names_the_file_and_what_is_wrong(tmp_path, text, says):
    """A model that would fail, wait for ever, or overwrite the system's own books is refused when it is read."""
    with pytest.raises(BadDefinition, match=r"mine\.sql: ") as caught:
        registry.load(write(tmp_path, mine=text))
    assert says in str(caught.value)


def test_inputs_come_before_those_who_read_them():
    """The order is right for one pass."""
    models = registry.load()
    position = {model.table: number for number, model in enumerate(models)}
    by_resolve = {contract.name for contract in (OBSERVATIONS, EVIDENCE, IDENTITIES, MATCHES, MATCH_KEYS)}
    assert position.keys() == {contract.name for contract in (*CORE, *MARTS)} - by_resolve
    for model in models:
        assert all(position[name] < position[model.table] for name in model.inputs if name in position)


@pytest.mark.parametrize(
    "circle",
    [
        {"a": "-- table: core.orders\n-- inputs: core.orders\nSELECT 1"},
        {
            "a": "-- table: core.orders\n-- inputs: core.deals\nSELECT 1",
            "b": "-- table: core.deals\n-- inputs: core.orders\nSELECT 1",
        },
    ],
)
def test_models_in_a_circle_are_refused_by_name(tmp_path, circle):
    """There is no order in which they could be run."""
    with pytest.raises(BadDefinition, match=r"in a circle: .*core\.orders"):
        registry.load(write(tmp_path, **circle))


def test_two_files_for_one_table_are_refused(tmp_path):
    """Which one would win is nobody's choice."""
    with pytest.raises(BadDefinition, match=r"two\.sql: core\.orders is defined by one\.sql too"):
        registry.load(write(tmp_path, one=GOOD, two=GOOD))


def test_a_definition_of_ones_own_stands_in_for_the_shipped_one(tmp_path):
    """Whatever its file is called, and wherever below models/ it lies."""
    mine = {model.table: model for model in registry.load(write(tmp_path, deep__down__mine=GOOD))}
    shipped = {model.table: model for model in registry.load()}
    assert mine["core.orders"].sql == GOOD
    assert mine["core.orders"].version != shipped["core.orders"].version
    assert {name for name in mine if mine[name] != shipped[name]} == {"core.orders"}


def test_remarks_after_the_header_say_nothing_about_it():
    """Only the first word of its kind counts, and only before the SQL begins."""
    text = (
        GOOD.replace("SELECT", "-- a remark: of any kind\n-- inputs: are explained here\nSELECT")
        + "\n-- as_of: yes"
    )
    model = registry.parse(text, "x.sql")
    assert (model.inputs, model.as_of) == (("mapped.orders",), False)


def test_a_definition_that_comes_changes_or_goes_counts_at_once(tmp_path):
    """Nothing has to be restarted."""
    write(tmp_path)
    (tmp_path / "models").mkdir()
    shipped = sql_of(tmp_path)
    write(tmp_path, mine=GOOD)
    assert sql_of(tmp_path) == GOOD
    write(tmp_path, mine=GOOD + " AS changed")
    assert sql_of(tmp_path) == GOOD + " AS changed"
    (tmp_path / "models" / "mine.sql").unlink()
    assert sql_of(tmp_path) == shipped


def sql_of(folder, table: str = "core.orders") -> str:
    return next(model.sql for model in registry.load(folder) if model.table == table)
