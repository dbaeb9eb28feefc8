"""Definition files: those shipped in the package, overridden and added to by the folder that people name.

One loader for sources, models, segments and syncs, and one way to say what is wrong: file, field, line, nearest name.
Nothing has to be restarted: a file that came, went or changed counts from the next look on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
D = TypeVar("D")
K = TypeVar("K", bound=Hashable)
FolderState = tuple[tuple[str, int, int], ...]  # of each file: name, time of its last change, bytes

YAML = (".yaml", ".yml")
WHOLE_FILE = "the whole file"
_UNKNOWN_NAME = "extra_forbidden"


@dataclass(frozen=True)
class Problem:
    """Something wrong in a definition: the field, as names with dots between; its line from 1, or 0; what is wrong."""

    field: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" + (f" (line {self.line})" if self.line else "")


@dataclass(frozen=True)
class DefinitionFile:
    """One file: its path below the folder of its kind, and its text."""

    name: str
    text: str


class DefinitionLoader(Generic[K, D]):
    """Loads all definitions of one kind by key, and again when a file of people's own came, went or changed."""

    def __init__(
        self,
        folder: str,
        shipped: tuple[str, str],
        parse: Callable[[str, str], D],
        key: Callable[[D], K],
        suffixes: tuple[str, ...] = YAML,
    ) -> None:
        """Name the `folder` below people's own, and where the shipped ones stand (package, folder in it).

        `parse` takes a text and the file's name, and raises BadDefinition. `key` is what an own definition
        overrides a shipped one by.
        """
        self._folder = folder
        self._shipped = shipped
        self._parse = parse
        self._key = key
        self._suffixes = suffixes
        self._load_cached = lru_cache(maxsize=4)(self._load)
        self._shipped_cached = lru_cache(maxsize=1)(self._load_shipped)

    def __call__(self, overrides: Path | None = None) -> dict[K, D]:
        """Return the definitions by key: those shipped, overridden by the files below `<overrides>/<folder>/`.

        Raises BadDefinition for a file that is wrong, for two of one folder with the same key, and for an
        `overrides` that is not there. Callers must not change the dict.
        """
        return self._load_cached(overrides, self._state(overrides))

    def cache_clear(self) -> None:
        """Forget what was read."""
        self._load_cached.cache_clear()
        self._shipped_cached.cache_clear()

    def files(self, overrides: Path | None = None) -> Iterator[DefinitionFile]:
        """Yield every file, shipped ones first; BadDefinition for one that is not UTF-8."""
        package, folder = self._shipped
        yield from read_files(files(package) / folder, self._suffixes)
        if overrides is not None and (overrides / self._folder).is_dir():
            yield from read_files(overrides / self._folder, self._suffixes)

    def _load(self, overrides: Path | None, _: FolderState) -> dict[K, D]:
        found = dict(self._shipped_cached())
        if overrides is not None and (overrides / self._folder).is_dir():
            found |= self._layer(overrides / self._folder)
        return found

    def _load_shipped(self) -> dict[K, D]:
        package, folder = self._shipped
        return self._layer(files(package) / folder)

    def _layer(self, folder: Traversable | Path) -> dict[K, D]:
        """Return the definitions of one folder; of two with one key, neither may win by chance."""
        found: dict[K, D] = {}
        names: dict[K, str] = {}
        for file in read_files(folder, self._suffixes):
            definition = self._parse(file.text, file.name)
            key = self._key(definition)
            if key in found:
                shown = "/".join(key) if isinstance(key, tuple) else key
                raise BadDefinition(f"{file.name}: {shown} is defined by {names[key]} too")
            found[key], names[key] = definition, file.name
        return found

    def _state(self, overrides: Path | None) -> FolderState:
        """Return what changes when a file of people's own comes, goes or changes."""
        if overrides is None:
            return ()
        if not overrides.is_dir():
            raise BadDefinition(f"{overrides}: no such folder; LAKEHOUSE_DEFINITIONS names it")
        state = []
        for path in sorted((overrides / self._folder).rglob("*")):
            if path.suffix in self._suffixes:
                with suppress(FileNotFoundError):  # one that goes meanwhile
                    status = path.stat()
                    state.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(state)


def read_files(
    folder: Traversable | Path, suffixes: tuple[str, ...], prefix: str = ""
) -> Iterator[DefinitionFile]:
    """Yield the definition files below a folder in the order of their names; hidden ones are none."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = prefix + entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from read_files(entry, suffixes, f"{name}/")
        elif entry.name.endswith(suffixes):
            try:
                yield DefinitionFile(name, entry.read_text("utf-8"))
            except UnicodeDecodeError as error:
                raise BadDefinition(f"{name}: not UTF-8: save it as UTF-8") from error
            except FileNotFoundError:  # it went meanwhile
                continue


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
        return None, [
            _problem(one, root, model) for one in error.errors(include_input=False, include_url=False)
        ]


def nearest(name: str, known: list[str]) -> str:
    """Return what a name may have been meant to be, as the end of a sentence."""
    close = get_close_matches(name, known, 1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"


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


def _problem(error: ErrorDetails, root: yaml.Node | None, model: type[BaseModel]) -> Problem:
    location = error["loc"]
    field = ".".join(map(str, location)) or WHOLE_FILE
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == _UNKNOWN_NAME:
        parent = _model_at(model, location[:-1])
        message = "unknown name" + (nearest(str(location[-1]), _field_names(parent)) if parent else "")
    return Problem(field, _line_of(root, location), message)


def _field_names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel] | None, location: tuple[int | str, ...]) -> type[BaseModel] | None:
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


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Return the line, from 1, of the deepest part of a location that the text has; 0 where it has none."""
    line = 0
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            entry = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        else:
            break
    return line
