"""A trigger's rule is read strictly: an error says what is wrong and where, and stops that rule alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import BadDefinition
from lakehouse.models.triggers import definition

RULE = (
    "name: r\ntitle: t\ndoc: d\nwithin: 2 days\n"
    "sql: SELECT customer_id, tag AS cause, now_at AS due_at, tag AS about FROM core.x\n"
)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("within: 2 days", "within: soon", "say a length of time"),
        ("within: 2 days", "within: 5 minutes", "within: at least 1:00:00"),
        ("within: 2 days", "within: 2 days\nagain: 1 day", "again: unknown name"),
        ("name: r", "name: s", "must be the file's own name"),
        ("tag AS about", "tag AS words", "yields customer_id, cause, due_at, about"),
        ("now_at AS due_at", "now() AS due_at", r"now\(\) gives another answer each time"),
        ("FROM core.x", "FROM read_csv('x')", "is no table"),
        ("SELECT customer_id", "DELETE customer_id", "not one SELECT|not SQL"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(old, new, says):
    """With the file and the line."""
    with pytest.raises(BadDefinition, match=says):
        definition.parse(RULE.replace(old, new, 1), "r.yaml")


def test_a_rule_reads_what_there_is_and_never_the_triggers(tmp_path):
    """Else each look would make the next one."""
    folder = tmp_path / "triggers"
    folder.mkdir()
    for name, table in (("a", "core.leadz"), ("b", "marts.triggers"), ("c", "marts.told")):
        sql = f"SELECT customer_id, customer_id AS cause, due_at, customer_id AS about FROM {table}"
        (folder / f"{name}.yaml").write_text(
            f"name: {name}\ntitle: t\ndoc: d\nwithin: 2 days\nsql: {sql}\n", "utf-8"
        )
    model = tmp_path / "models" / "marts" / "told.sql"
    model.parent.mkdir(parents=True)
    columns = "{name: customer_id, doc: d}, {name: due_at, type: timestamptz, doc: d}"
    header = f"doc: d\ngrain: g\nkey: [customer_id]\ncolumns: [{columns}]"
    model.write_text(f"/*\n{header}\n*/\nSELECT customer_id, due_at FROM marts.triggers\n", "utf-8")
    wrong = definition.load(tmp_path).wrong
    assert wrong.keys() == {"a", "b", "c"}
    assert "did you mean core.leads" in wrong["a"]
    assert "which it fills" in wrong["b"]
    assert "which it fills" in wrong["c"]


def test_rules_are_read_again_only_when_a_file_changed(tmp_path):
    """Each look at the triggers asks for them; a table that comes may be what one waits for."""
    (tmp_path / "triggers").mkdir()
    (tmp_path / "triggers" / "r.yaml").write_text(RULE.replace("core.x", "marts.x"), "utf-8")
    first = definition.load(tmp_path)
    assert first.wrong.keys() == {"r"}
    assert definition.load(tmp_path) is first
    model = tmp_path / "models" / "marts" / "x.sql"
    model.parent.mkdir(parents=True)
    columns = ", ".join(f"{{name: {name}, doc: d}}" for name in ("customer_id", "tag", "now_at"))
    header = f"doc: d\ngrain: g\nkey: [customer_id]\ncolumns: [{columns}]"
    select = "SELECT customer_id, customer_id AS tag, customer_id AS now_at FROM core.customers"
    model.write_text(f"/*\n{header}\n*/\n{select}\n", "utf-8")
    second = definition.load(tmp_path)
    assert not second.wrong
    assert "r" in second.defined


def parse(**changes: str):
    text = RULE
    for name, value in changes.items():
        text += f"{name}: {value}\n"
    return definition.parse(text, "r.yaml")


UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@given(st.integers(0, 99_999), st.sampled_from(sorted(UNITS)), st.sampled_from(["", "s"]))
def test_a_length_of_time_is_a_number_and_a_unit(number: int, unit: str, plural: str) -> None:
    assert parse(again_after=f"{number} {unit}{plural}").again_after == number * UNITS[unit]


@pytest.mark.parametrize(
    "text", ["7", "7d", "7  days", "-1 days", "1.5 days", "2 weeks", "100000 days", "7 days "]
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    """With its line, and what to write."""
    with pytest.raises(
        BadDefinition, match=r"r.yaml: .*again_after.*such as 90 minutes, 36 hours or 14 days"
    ):
        parse(again_after=f"'{text}'")


def test_what_is_not_said_of_a_rule() -> None:
    """Two reasons are two however near they are; the title in Chinese is empty."""
    rule = definition.parse(RULE, "r.yaml")
    assert (rule.name, rule.within, rule.again_after, rule.zh) == ("r", timedelta(days=2), timedelta(0), "")


@pytest.mark.parametrize(
    ("old", "new", "is_another"),
    [
        ("2 days", "3 days", True),
        ("2 days", "48 hours", False),  # the same length
        ("tag AS cause", "tag || '' AS cause", True),
        ("doc: d", "doc: Words", False),
        ("title: t", "title: Words\nzh: 字", False),
        ("title: t", "title: t\nagain_after: 1 day", True),
    ],
)
def test_a_version_changes_with_what_decides_the_rows(old: str, new: str, is_another: bool) -> None:
    before, after = (definition.parse(text, "r.yaml") for text in (RULE, RULE.replace(old, new, 1)))
    assert (after.version != before.version) is is_another


def test_the_shipped_rules_can_all_be_asked() -> None:
    """Each with the tables that it reads."""
    rules = definition.load()
    assert rules.wrong == {}
    assert rules.defined.keys() == rules.models.keys()
    assert "abandoned_cart" in rules.defined
    assert all(model.table == "marts.triggers" and model.inputs for model in rules.models.values())


def test_an_override_takes_the_place_of_a_shipped_rule(tmp_path) -> None:
    """A file that is wrong stops its own rule alone."""
    folder = tmp_path / "triggers"
    folder.mkdir()
    sql = "SELECT customer_id, '' AS cause, valid_from AS due_at, '' AS about FROM core.deals"
    text = f"name: abandoned_cart\ntitle: t\ndoc: d\nwithin: 2 days\nsql: {sql}\n"
    (folder / "abandoned_cart.yaml").write_text(text, "utf-8")
    (folder / "birthday.yaml").write_text("name: birthday\nwithin: soon\n", "utf-8")
    shipped, rules = definition.load(), definition.load(tmp_path)
    assert rules.models["abandoned_cart"].inputs == ("core.deals",)
    assert rules.wrong.keys() == {"birthday"}
    assert shipped.defined.keys() - rules.defined.keys() == {"birthday"}
    assert rules.defined["silent_app"] == shipped.defined["silent_app"]
