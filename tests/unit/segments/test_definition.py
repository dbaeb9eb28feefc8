"""Segment definitions are read strictly, and one's own stand in for those that are shipped."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.segments import definition

GOOD = "name: big\ntitle: Big\ndoc: Spent much.\nwhere: revenue > 100\n"


def write(folder, **files: str):
    (folder / "segments").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "segments" / name.replace("__", ".")).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [big", "big.yaml: the whole file: not YAML"),
        ("- a list", "big.yaml: the whole file"),
        ("", "big.yaml: the whole file"),
        (GOOD.replace("where: revenue > 100\n", ""), "big.yaml: where: Field required"),
        (
            GOOD + "colour: red\n",
            "big.yaml: colour: unknown name; there are name, title, doc, where (line 5)",
        ),
        (GOOD.replace("name: big", "name: Big One"), "big.yaml: name: "),
        (GOOD.replace("name: big", "name: other"), "big.yaml: name: 'other' must be the file's own name"),
    ],
)
def test_an_error_names_file_and_field(tmp_path, text, says):
    """Nothing of a definition is guessed."""
    with pytest.raises(BadDefinition) as caught:
        definition.load(write(tmp_path, big__yaml=text))
    assert str(caught.value).startswith(says)


def test_definitions_of_ones_own_are_added_and_override(tmp_path):
    """By name, as .yaml or .yml; a new one is another version of the whole."""
    mine = definition.load(
        write(tmp_path, big__yml=GOOD, high_value__yaml=GOOD.replace("name: big", "name: high_value"))
    )
    assert [segment.name for segment in mine] == ["big", "high_value", "new_this_month", "sleeping_regulars"]
    assert mine[1].where == "revenue > 100"
    assert definition.version(mine) != definition.version(definition.load())


def test_without_a_folder_of_ones_own_the_shipped_ones_hold(tmp_path):
    """A definitions folder may hold models only."""
    assert definition.load(tmp_path) == definition.load()


def test_a_file_that_comes_changes_or_goes_counts_at_once(tmp_path):
    """Nothing has to be restarted."""
    assert "big" not in names(tmp_path)
    write(tmp_path, big__yaml=GOOD)
    assert "big" in names(tmp_path)
    (tmp_path / "segments" / "big.yaml").unlink()
    assert "big" not in names(tmp_path)


def test_two_files_for_one_segment_are_refused(tmp_path):
    """Neither may win by chance."""
    with pytest.raises(BadDefinition, match=r"big\.yml: big is defined by big\.yaml too"):
        definition.load(write(tmp_path, big__yaml=GOOD, big__yml=GOOD))


def names(folder) -> list[str]:
    return [segment.name for segment in definition.load(folder)]
