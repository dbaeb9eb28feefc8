"""One loader for all definitions: what overrides what, and that a wrong file stops what it should, and nothing else."""

from __future__ import annotations

import os
import time

import pytest
from pydantic import BaseModel, ConfigDict

from lakehouse.definition_files import DefinitionLoader, folder_state
from lakehouse.definitions import parse_yaml
from lakehouse.errors import BadDefinition


class Thing(BaseModel):
    """Something defined."""

    model_config = ConfigDict(extra="forbid")

    name: str
    size: int = 0


@pytest.fixture
def load():
    """A loader of things; the shipped folder holds definitions of another shape, and is left out by its suffix."""
    return DefinitionLoader(
        "things",
        ("lakehouse", "identity"),
        lambda text, where: parse_yaml(text, where, Thing),
        lambda thing: thing.name,
    )


@pytest.fixture
def folder(tmp_path):
    """People's own definitions."""
    (tmp_path / "things").mkdir()
    return tmp_path


def write(folder, name, text):
    """Write one file of the kind."""
    path = folder / "things" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_files_are_found_by_their_suffix(load, folder) -> None:
    """`.yaml` and `.yml`, in small letters and capitals, in folders too; hidden files and other ones are none."""
    write(folder, "a.yaml", "name: a\n")
    write(folder, "b.YML", "name: b\n")
    write(folder, "deep/c.yaml", "name: c\n")
    write(folder, ".d.yaml", "name: d\n")
    write(folder, "e.yaml.part", "name: e\n")
    assert list(load(folder)) == ["a", "b", "c"]
    assert [file.name for file in load.files(folder)] == ["a.yaml", "b.YML", "deep/c.yaml"]


def test_two_files_for_one_thing_are_refused(load, folder) -> None:
    """Neither may win by chance."""
    write(folder, "a.yaml", "name: a\n")
    write(folder, "b.yaml", "name: a\n")
    with pytest.raises(BadDefinition, match=r"b\.yaml: a is defined by a\.yaml too"):
        load(folder)


def test_what_is_not_utf8_is_told(load, folder) -> None:
    """By the file's name; an editor on Windows writes such."""
    write(folder, "a.yaml", "name: ä\n".encode("latin-1"))
    with pytest.raises(BadDefinition, match=r"a\.yaml: not UTF-8"):
        load(folder)


def test_a_folder_that_is_not_there_is_told(load, tmp_path) -> None:
    """A typo in the setting would otherwise mean: nothing of ours counts."""
    with pytest.raises(BadDefinition, match="no such folder"):
        load(tmp_path / "nowhere")
    assert load(tmp_path) == {}


def test_changes_are_seen_without_a_restart(load, folder) -> None:
    """A file that comes, changes or goes counts from the next look on; what stands still is read once."""
    path = write(folder, "a.yaml", "name: a\n")
    first = load(folder)
    assert load(folder) is first
    path.write_text("name: a\nsize: 5\n")
    assert load(folder)["a"].size == 5
    same_size = path.stat()
    path.write_text("name: a\nsize: 6\n")
    os.utime(path, ns=(time.time_ns(), same_size.st_mtime_ns + 1_000_000))
    assert load(folder)["a"].size == 6
    write(folder, "b.yaml", "name: b\n")
    assert list(load(folder)) == ["a", "b"]
    path.unlink()
    assert list(load(folder)) == ["b"]


def test_definitions_that_contradict_one_another_are_refused(folder) -> None:
    """Each may be good by itself."""

    def check(found: dict[str, Thing]) -> None:
        if sum(thing.size for thing in found.values()) > 5:
            raise BadDefinition("too large together")

    load = DefinitionLoader(
        "things",
        ("lakehouse", "identity"),
        lambda text, where: parse_yaml(text, where, Thing),
        lambda thing: thing.name,
        check_all=check,
    )
    write(folder, "a.yaml", "name: a\nsize: 3\n")
    assert list(load(folder)) == ["a"]
    write(folder, "b.yaml", "name: b\nsize: 3\n")
    with pytest.raises(BadDefinition, match="too large together"):
        load(folder)


def test_of_definitions_that_stand_alone_a_wrong_file_stops_only_its_own(load, folder) -> None:
    """It is told by name; neither of two with one name counts, and the others do."""
    write(folder, "a.yaml", "name: a\n")
    write(folder, "b.yaml", "name: [b\n")
    write(folder, "c.yaml", "name: ä\n".encode("latin-1"))
    write(folder, "d.yaml", "name: d\n")
    write(folder, "d.yml", "name: d\n")
    loaded = load.load_each(folder)
    assert list(loaded.definitions) == ["a"]
    assert {name: reason.partition(":")[0] for name, reason in loaded.wrong.items()} == {
        "b": "b.yaml", "c": "c.yaml", "d": "d.yml",
    }  # fmt: skip
    (folder / "things" / "d.yml").unlink()
    assert list(load.load_each(folder).definitions) == ["a", "d"]


def test_a_wrong_file_does_not_bring_back_what_it_takes_the_place_of(tmp_path) -> None:
    """Else a typo in somebody's own definition would put the shipped one to work."""
    load = DefinitionLoader(
        "segments",
        ("lakehouse.segments", "definitions"),
        lambda text, where: parse_yaml(text, where, Condition),
        lambda condition: condition.name,
    )
    shipped = set(load.load_each().definitions)
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "high_value.yaml").write_text("nmae: high_value\n")
    loaded = load.load_each(tmp_path)
    assert set(loaded.definitions) == shipped - {"high_value"}
    assert set(loaded.wrong) == {"high_value"}


class Condition(BaseModel):
    """A segment, as far as it matters here."""

    name: str


def test_the_state_of_a_folder_says_what_changed(folder) -> None:
    """A file that comes, changes or goes; a folder that is not there has none."""
    before = folder_state(folder)
    path = write(folder, "deep/a.sql", "select 1")
    after = folder_state(folder)
    assert before != after
    path.unlink()
    assert folder_state(folder) != after
    assert folder_state(folder / "nowhere") == ()
