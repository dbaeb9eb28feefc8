"""One loader for all definitions: what overrides what, and what a person is told when one is wrong."""

from __future__ import annotations

import os
import time
from typing import ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from lakehouse.definitions import DefinitionLoader, FieldsError, find_line, nearest, parse_yaml, read_yaml
from lakehouse.errors import BadDefinition


class Part(BaseModel):
    """A part of a thing."""

    model_config = ConfigDict(extra="forbid")

    column: str
    type: str = "string"


class Thing(BaseModel):
    """Something defined."""

    model_config = ConfigDict(extra="forbid")

    name: str
    size: int = 0
    parts: tuple[Part, ...] = ()


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nsize: many\n", r"a\.yaml: size: .*integer.* \(line 2\)"),
        ("name: a\nsiez: 3\n", r"a\.yaml: siez: unknown name; did you mean size\? \(line 2\)"),
        (
            "name: a\nparts:\n- column: x\n  typ: int\n",
            r"parts\.0\.typ: unknown name; did you mean type\? \(line 4\)",
        ),
        ("name: a\nparts:\n- column: x\n- type: int\n", r"parts\.1\.column: Field required \(line 4\)"),
        ("size: 3\n", r"a\.yaml: name: Field required"),
        ("name: a\nname: b\n", r"a\.yaml: name: stands here and in line 1; keep one \(line 2\)"),
        ("name: [a\n", r"a\.yaml: the whole file: not YAML: .*\(line 2\)"),
        ("- a\n- b\n", r"a\.yaml: the whole file: not a mapping"),
        ("", r"a\.yaml: the whole file: not a mapping"),
        ("name: a\nsize: x\nzise: 1\n", r"size: .*\(line 2\); zise: unknown name"),
    ],
)
def test_what_is_wrong_is_told_with_file_field_and_line(text, message) -> None:
    """A person finds the place, all of them at once, and the name that was meant."""
    with pytest.raises(BadDefinition, match=message):
        parse_yaml(text, "a.yaml", Thing)


@pytest.mark.parametrize(
    ("name", "shown_by", "hint"),
    [
        ("shop/order", "", "; did you mean shop/orders?"),
        ("qqq", "", "; there are shop/orders, shop/ordered, shop/border, shop/orderly, web/events"),
        (
            "shop/order",
            "all",
            "; did you mean shop/orders, shop/border or shop/orderly? `all` shows all",
        ),
        ("web/event", "all", "; did you mean web/events? `all` shows all"),
        ("qqq", "all", "; `all` shows all"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, shown_by, hint) -> None:
    """One where all could be listed; of very many up to three, and the command that lists them."""
    known = ["shop/orders", "shop/ordered", "shop/border", "shop/orderly", "web/events"]
    assert nearest(name, known, shown_by) == hint


def test_files_are_found_by_their_suffix(load, folder) -> None:
    """`.yaml` and `.yml`, in folders too; hidden files and other ones are none."""
    write(folder, "a.yaml", "name: a\n")
    write(folder, "b.yml", "name: b\n")
    write(folder, "deep/c.yaml", "name: c\n")
    write(folder, ".d.yaml", "name: d\n")
    write(folder, "e.yaml.part", "name: e\n")
    assert list(load(folder)) == ["a", "b", "c"]
    assert [file.name for file in load.files(folder)] == ["a.yaml", "b.yml", "deep/c.yaml"]


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


class Ingredient(BaseModel):
    """An item that is called by its name."""

    called_by: ClassVar[str] = "name"

    name: str
    grams: int = 0


class Recipe(BaseModel):
    """A definition whose validator finds several things at once."""

    ingredients: tuple[Ingredient, ...] = ()
    steps: dict[str, str] = {}

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, steps: dict[str, str]) -> dict[str, str]:
        short = [((name,), "too short") for name, text in steps.items() if len(text) < 3]
        if short:
            raise FieldsError(*short)
        return steps


RECIPE = """\
ingredients:
- {name: salt, grams: 3}
- name: pepper
  grams: much
- {grams: x}
steps:
  stir: a
  wait: an hour
  serve: b
  listed: [salt, oil]
"""


def test_items_are_called_by_their_name_and_each_problem_has_its_line() -> None:
    """An item without a name goes by its number; a validator may report several fields of its own."""
    text = RECIPE.replace("  listed: [salt, oil]\n", "")
    _, problems = read_yaml(text, Recipe)
    assert [(problem.field, problem.line) for problem in problems] == [
        ("ingredients.pepper.grams", 4),
        ("ingredients.2.name", 5),
        ("ingredients.2.grams", 5),
        ("steps.stir", 7),
        ("steps.serve", 9),
    ]
    assert problems[-1].message == "too short"


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("steps", 6),
        ("steps.wait", 8),
        ("steps.missing", 6),
        ("steps.oil", 10),
        ("ingredients.salt.grams", 2),
        ("ingredients.pepper.grams", 4),
        ("ingredients.pepper.missing", 3),
        ("ingredients.sugar.grams", 1),
        ("ingredients.2.grams", 5),
        ("ingredients.9.grams", 1),
        ("missing", 0),
        ("the whole file", 0),
    ],
)
def test_a_field_has_a_line(field, line) -> None:
    """A field that is missing has the line of what it belongs to."""
    assert find_line(RECIPE, field, Recipe) == line


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
