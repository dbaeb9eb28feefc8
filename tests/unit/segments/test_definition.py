"""Segment definitions are read strictly, and one's own stand in for those that are shipped."""

from __future__ import annotations

import pytest

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
            "big.yaml: colour: unknown name; there are name, title, doc, where, owner, include, exclude, ",
        ),
        (GOOD.replace("name: big", "name: Big One"), "big.yaml: name: "),
        (GOOD.replace("name: big", "name: other"), "big.yaml: name: 'other' must be the file's own name"),
    ],
)
def test_an_error_names_file_and_field(tmp_path, text, says):
    """Nothing of a definition is guessed; the others are there."""
    loaded = definition.load(write(tmp_path, big__yaml=text))
    assert loaded.wrong["big"].startswith(says)
    assert loaded.defined == definition.load().defined


def test_definitions_of_ones_own_are_added_and_override(tmp_path):
    """By name, as .yaml or .yml; a new one is another version of the whole."""
    mine = definition.load(
        write(tmp_path, big__yml=GOOD, high_value__yaml=GOOD.replace("name: big", "name: high_value"))
    )
    assert names(tmp_path) == ["big", "high_value", "new_this_month", "sleeping_regulars"]
    assert mine.defined[1].where == "revenue > 100"
    assert mine.version != definition.load().version


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
    loaded = definition.load(write(tmp_path, big__yaml=GOOD, big__yml=GOOD))
    assert loaded.wrong == {"big": "big.yml: big is defined by big.yaml too"}
    assert "big" not in names(tmp_path)


def test_what_is_wrong_is_part_of_the_version(tmp_path):
    """So that a file that was mended, or broken, is looked at again."""
    good = definition.load(write(tmp_path, big__yaml=GOOD)).version
    wrong = definition.load(write(tmp_path, big__yaml="name: [big")).version
    assert len({good, wrong, definition.load().version}) == 3


def names(folder) -> list[str]:
    return [segment.name for segment in definition.load(folder).defined]
