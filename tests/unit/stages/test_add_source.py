"""What adding a definition will do, as far as definitions say it; what the lake says is tried in tests/integration."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.stages import add_source
from lakehouse.stages.add_source import Plan, added_columns, check_table_is_free
from tests.support.units import a_source

SOURCE = a_source()
OTHER = a_source(doc="Another text")


@pytest.mark.parametrize(
    ("current", "own_text", "state"),
    [
        (None, None, "new"),
        (SOURCE, None, "same"),  # as it is shipped
        (OTHER, None, "instead of the shipped one"),
        (SOURCE, "text", "same"),
        (SOURCE, "other text", "changed"),  # in a comment, say
    ],
)
def test_how_a_definition_stands_to_the_current_one(tmp_path, current, own_text, state):
    """By its text where people have a file of their own."""
    target = tmp_path / "a_b.yaml"
    if own_text is not None:
        target.write_text(own_text)
    assert add_source._state(SOURCE, "text", current, target) == state


@pytest.mark.parametrize(("state", "writes"), [("new", True), ("changed", True), ("same", False)])
def test_what_is_the_same_is_not_written_again(tmp_path, state, writes):
    """Nor does the plan say so."""
    plan = Plan(SOURCE, "text", tmp_path / "a_b.yaml", state)
    assert plan.writes is writes
    assert (plan.source_name, plan.as_json()["place"], plan.as_json()["state"]) == ("a/b", "a/b", state)


def test_which_columns_are_added():
    """All of a new source, in their order; of one that is known those that it did not name."""
    narrow = a_source(columns=[{"name": "id", "from": "id", "doc": "Id"}])
    assert added_columns(SOURCE, None) == ("id", "day")
    assert added_columns(SOURCE, narrow) == ("day",)
    assert added_columns(narrow, SOURCE) == ()


def test_two_sources_cannot_share_a_table():
    """Their rows could not be told apart; a source does not stand in its own way."""
    check_table_is_free(SOURCE, {("a", "b"): OTHER, ("c", "d"): a_source(source="c", entity="d")})
    first, second = a_source(source="a", entity="b_c"), a_source(source="a_b", entity="c")
    with pytest.raises(BadDefinition, match=r"a/b_c and a_b/c share raw\.a_b_c: rename the source"):
        check_table_is_free(first, {("a_b", "c"): second})
