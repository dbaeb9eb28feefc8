"""A segment to begin with is one: what the file says is read, and the name is its own."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition, Terminal
from lakehouse.segments import definition
from lakehouse.segments.new_segment import FORMS, new_segment


def test_a_new_segment_is_read(tmp_path):
    """Under its name and a title made of it; it is commented."""
    path = new_segment(tmp_path, "quiet_regulars")
    assert path == tmp_path / "segments" / "quiet_regulars.yaml"
    assert path.read_text("utf-8").count("#") > 10
    [made] = [each for each in definition.load(tmp_path).defined if each.name == "quiet_regulars"]
    assert (made.title, made.include, made.where) == (
        "Quiet regulars",
        (),
        "purchase_days >= 4 AND recency_days > 90",
    )


@pytest.mark.parametrize("form", sorted(FORMS))
def test_each_form_is_read(tmp_path, form):
    """With its own field, and none of the others."""
    new_segment(tmp_path, "mine", form)
    [made] = [each for each in definition.load(tmp_path).defined if each.name == "mine"]
    assert made.form == form


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_file_that_is_there_stays(tmp_path, suffix):
    """Whichever of the two endings it has."""
    new_segment(tmp_path, "mine").rename(tmp_path / "segments" / f"mine{suffix}")
    with pytest.raises(Terminal, match="is there already"):
        new_segment(tmp_path, "mine")


@pytest.mark.parametrize("name", ["Quiet Regulars", "../x", "", "a\nb", "yes: 1", "a" * 300 + "/b"])
def test_a_name_that_none_may_have_writes_nothing(tmp_path, name):
    """It becomes no path."""
    with pytest.raises(BadDefinition):
        new_segment(tmp_path, name)
    assert list(tmp_path.rglob("*")) == []
