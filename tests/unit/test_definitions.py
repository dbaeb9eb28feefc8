"""What a person is told when a definition is wrong."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from lakehouse.definitions import FieldsError, find_line, nearest, parse_yaml, read_yaml
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
    owner: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")] = "me"


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
        ("name: a\nowner: My Own\n", r"owner: small letters, digits and _, .* \(line 2\)"),
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
