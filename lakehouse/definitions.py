"""Texts of definitions, and one way to say what is wrong in them: file, field, line, nearest name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]  # of a field: names, and numbers from 0 in lists

WHOLE_FILE = "the whole file"
_NEAR_NAMES: Final = 3  # as many as a sentence holds
_UNKNOWN_NAME = "extra_forbidden"
_MISSPELT: Final = "string_pattern_mismatch"
_SPELLING: Final = {  # the patterns of names, in words
    r"^[a-z][a-z0-9_]*$": "small letters, digits and _, and a letter first, such as quiet_regulars",
    r"^[a-z0-9][a-z0-9_]*$": "small letters, digits and _, such as orders_2",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong in a definition: the field, as names with dots between; its line from 1, or 0; what is wrong."""

    field: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" + (f" (line {self.line})" if self.line else "")


class FieldsError(ValueError):
    """What a validator of a model found wrong in fields below its own: (location, message) of each of them."""

    def __init__(self, *errors: tuple[Location, str]) -> None:
        super().__init__("; ".join(message for _, message in errors))
        self.errors = errors


def parse_yaml(text: str, where: str, model: type[M]) -> M:
    """Return a definition; BadDefinition names the file and all that is wrong in it."""
    definition, problems = read_yaml(text, model)
    if definition is None:
        raise BadDefinition(f"{where}: {'; '.join(map(str, problems))}")
    return definition


def read_yaml(text: str, model: type[M]) -> tuple[M | None, list[Problem]]:
    """Return a definition, or None and all that is wrong with it."""
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        twice = list(_duplicate_keys(root))
        content = loader.construct_document(root) if root is not None else None
    except yaml.YAMLError as error:
        return None, [_not_yaml(error)]
    finally:
        loader.dispose()
    if twice:
        return None, twice
    if not isinstance(content, dict):
        return None, [Problem(WHOLE_FILE, 0, "not a mapping: a definition is made of `name: value` lines")]
    try:
        return model.model_validate(content), []
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        return None, [problem for detail in details for problem in _problems(detail, root, model)]


def find_line(text: str, field: str, model: type[BaseModel]) -> int:
    """Return the line, from 1, at which a field stands in a YAML text; 0 where the text has nothing of it.

    `field` is as a `Problem` of the model says it. Of a field that is missing, it is the line of what it belongs to;
    of a name that stands in a list there, the line of that name.
    """
    root = yaml.compose(text, yaml.CSafeLoader)
    location: list[int | str] = []
    node = root
    for name in field.split("."):
        part = _item_number(node, name, model, location) if isinstance(node, yaml.SequenceNode) else name
        below = _below(node, part)
        if below is None:
            listed = _listed(node, name) if location else None
            return listed.start_mark.line + 1 if listed else _line_of(root, location)
        location.append(part)
        node = below
    return _line_of(root, location)


def nearest(name: str, known: list[str], shown_by: str = "") -> str:
    """Return what a name may have been meant to be, as the end of a sentence.

    Of names that are too many to be listed, `shown_by` is the command that lists them: then it is named, after the few
    that are near, if any.
    """
    near = get_close_matches(name, known, _NEAR_NAMES if shown_by else 1, cutoff=0.6)
    if not near:
        return f"; `{shown_by}` shows all" if shown_by else f"; there are {', '.join(known)}"
    others, last = near[:-1], near[-1]
    guess = f"{', '.join(others)} or {last}" if others else last
    return f"; did you mean {guess}?" + (f" `{shown_by}` shows all" if shown_by else "")


def _not_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or "it cannot be read"
    return Problem(WHOLE_FILE, mark.line + 1 if mark else 0, f"not YAML: {reason}")


def _duplicate_keys(node: yaml.Node | None, path: str = "") -> Iterator[Problem]:
    """Yield the keys that stand twice in one mapping: YAML would keep the last one silently."""
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first:
                yield Problem(f"{path}{name}", line, f"stands here and in line {first[name]}; keep one")
            first.setdefault(name, line)
            yield from _duplicate_keys(value, f"{path}{name}.")
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _duplicate_keys(value, f"{path}{number}.")


def _problems(detail: ErrorDetails, root: yaml.Node | None, model: type[BaseModel]) -> Iterator[Problem]:
    """Yield what one error of pydantic says: one problem, or several where a validator found several."""
    location = detail["loc"]
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, FieldsError):
        for below, message in cause.errors:
            yield _problem((*location, *below), message, root, model)
        return
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == _UNKNOWN_NAME:
        parent = _model_at(model, location[:-1])
        message = "unknown name" + (nearest(str(location[-1]), _field_names(parent)) if parent else "")
    if detail["type"] == _MISSPELT:
        message = _SPELLING.get(detail.get("ctx", {}).get("pattern", ""), message)
    yield _problem(location, message, root, model)


def _problem(location: Location, message: str, root: yaml.Node | None, model: type[BaseModel]) -> Problem:
    field = ".".join(_shown(root, location, model)) or WHOLE_FILE
    return Problem(field, _line_of(root, location), message)


def _shown(root: yaml.Node | None, location: Location, model: type[BaseModel]) -> Iterator[str]:
    """Yield the parts of a location as people see them.

    A model of a list's items may say as `called_by` which of its fields is the item's name; else an item goes by its
    number.
    """
    node = root
    for depth, part in enumerate(location):
        node = _below(node, part)
        label = _label(node, _model_at(model, location[: depth + 1])) if isinstance(part, int) else ""
        yield label if label.isidentifier() else str(part)


def _label(item: yaml.Node | None, model: type[BaseModel] | None) -> str:
    """Return what an item of a list is called; empty where its model has no such field, or the item lacks it."""
    value = _below(item, getattr(model, "called_by", ""))
    return str(value.value) if isinstance(value, yaml.ScalarNode) else ""


def _item_number(
    items: yaml.SequenceNode, name: str, model: type[BaseModel], location: Sequence[int | str]
) -> int | str:
    """Return the number of the one item of a list that is called so; the name itself where it is none or several."""
    if name.isdecimal():
        return int(name)
    item_model = _model_at(model, location)
    numbers = [number for number, item in enumerate(items.value) if _label(item, item_model) == name]
    return numbers[0] if len(numbers) == 1 else name


def _listed(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """Return a name that stands in one of a mapping's lists."""
    fields = node.value if isinstance(node, yaml.MappingNode) else []
    lists = (value for _, value in fields if isinstance(value, yaml.SequenceNode))
    return next(
        (item for item in itertools.chain(*(each.value for each in lists)) if item.value == name), None
    )


def _below(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    """Return what stands in a node at one part of a location; None where nothing does."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    key = _key(node, part)
    return None if key is None else key[1]


def _key(node: yaml.Node | None, name: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return a key of a mapping and its value; None where it has no such key."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((pair for pair in node.value if pair[0].value == str(name)), None)


def _field_names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel] | None, location: Sequence[int | str]) -> type[BaseModel] | None:
    """Return the model that stands at a location of another one, None where it is no model."""
    for part in location:
        if model is None or isinstance(part, int):
            continue
        by_name = {field.alias or name: field for name, field in model.model_fields.items()}
        field = by_name.get(part)
        model = next(_models_in(field.annotation), None) if field else None
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _line_of(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """Return the line, from 1, of the deepest part of a location that the text has; 0 where it has none."""
    line = 0
    for part in location:
        key = _key(node, part)
        node = _below(node, part)
        if node is None:
            break
        line = (key[0] if key else node).start_mark.line + 1
    return line
