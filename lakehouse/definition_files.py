"""Definition files: those shipped in the package, overridden and added to by the folder that people name.

One loader for sources, models, metrics, segments and syncs. Nothing has to be restarted: a file that came, went or
changed counts from the next look on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Generic, TypeVar

from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

D = TypeVar("D")
K = TypeVar("K", bound=Hashable)
FolderState = tuple[tuple[str, int, int], ...]  # of each file: name, time of its last change, bytes

YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class DefinitionFile:
    """One file: its path below the folder of its kind, and its bytes."""

    name: str
    content: bytes

    @property
    def text(self) -> str:
        """Return the file's text; BadDefinition where it is not UTF-8."""
        try:
            return self.content.decode("utf-8-sig")  # editors of Windows put a mark in front
        except UnicodeDecodeError as error:
            raise BadDefinition(f"{self.name}: not UTF-8: save it as UTF-8") from error


@dataclass(frozen=True)
class Loaded(Generic[K, D]):
    """What was read of one kind: definitions by key, and, by name, what is wrong with files of people's own.

    A file's name is what stands before its suffix, or what `key_of_file` of its loader makes of its path. A shipped
    definition of that name is left out: a file that takes its place and is wrong must not bring it back.
    """

    definitions: dict[K, D]
    wrong: dict[str, str]


def _stem(name: str) -> str:
    return PurePath(name).stem


class DefinitionLoader(Generic[K, D]):
    """Loads all definitions of one kind by key, and again when one of people's own files came, went or changed."""

    def __init__(  # noqa: PLR0913, PLR0917 - what differs between the kinds
        self,
        folder: str,
        shipped: tuple[str, str],
        parse: Callable[[str, str], D],
        key: Callable[[D], K],
        suffixes: tuple[str, ...] = YAML,
        check_all: Callable[[dict[K, D]], None] = lambda _: None,
        key_of_file: Callable[[str], str] = _stem,
    ) -> None:
        """Name the `folder` below people's own, and where the shipped ones stand (package, folder in it).

        `parse` takes a text and the file's name, and raises BadDefinition. `key` is what an own definition
        overrides a shipped one by; of a file that is wrong, `key_of_file` says it by the file's path. `check_all`
        raises BadDefinition for definitions that contradict one another.
        """
        self._folder = folder
        self._shipped = shipped
        self._parse = parse
        self._key = key
        self._suffixes = suffixes
        self._check_all = check_all
        self._key_of_file = key_of_file
        self._load_cached = lru_cache(maxsize=4)(self._load)
        self._load_each_cached = lru_cache(maxsize=4)(self._load_each)
        self._shipped_cached = lru_cache(maxsize=1)(self._load_shipped)

    def __call__(self, overrides: Path | None = None) -> dict[K, D]:
        """Return the definitions by key: those shipped, overridden by the files below `<overrides>/<folder>/`.

        Raises BadDefinition for a file that is wrong, for two of one folder with the same key, and for an
        `overrides` that is not there. Callers must not change the dict.
        """
        return self._load_cached(overrides, self._state(overrides))

    def load_each(self, overrides: Path | None = None) -> Loaded[K, D]:
        """Return the definitions of which each stands by itself, so that a wrong file stops only its own.

        Raises BadDefinition for an `overrides` that is not there. Callers must not change what they get.
        """
        return self._load_each_cached(overrides, self._state(overrides))

    def cache_clear(self) -> None:
        """Forget what was read."""
        self._load_cached.cache_clear()
        self._load_each_cached.cache_clear()
        self._shipped_cached.cache_clear()

    def files(self, overrides: Path | None = None) -> Iterator[DefinitionFile]:
        """Yield every file, shipped ones first; those that are overridden, too."""
        package, folder = self._shipped
        yield from read_files(files(package) / folder, self._suffixes)
        if overrides is not None:
            yield from self.own_files(overrides)

    def own_files(self, overrides: Path) -> Iterator[DefinitionFile]:
        """Yield the files of people's own: none where they have no such folder."""
        if (overrides / self._folder).is_dir():
            yield from read_files(overrides / self._folder, self._suffixes)

    def _load(self, overrides: Path | None, _: FolderState) -> dict[K, D]:
        definitions = dict(self._shipped_cached())
        if overrides is not None and (overrides / self._folder).is_dir():
            definitions |= self._layer(overrides / self._folder)
        self._check_all(definitions)
        return definitions

    def _load_each(self, overrides: Path | None, _: FolderState) -> Loaded[K, D]:
        definitions = dict(self._shipped_cached())
        own: dict[K, tuple[str, D]] = {}
        wrong: dict[str, str] = {}
        for file in self.own_files(overrides) if overrides is not None else ():
            name = self._key_of_file(file.name)
            try:
                definition = self._parse(file.text, file.name)
            except BadDefinition as error:
                wrong[name] = str(error)
                continue
            key = self._key(definition)
            if key in own:  # neither of the two may win by chance
                wrong[name] = f"{file.name}: {_shown_key(key)} is defined by {own[key][0]} too"
            own[key] = file.name, definition
        definitions |= {key: definition for key, (_, definition) in own.items()}
        kept = {key: definition for key, definition in definitions.items() if key not in wrong}
        return Loaded(kept, wrong)

    def _load_shipped(self) -> dict[K, D]:
        package, folder = self._shipped
        return self._layer(files(package) / folder)

    def _layer(self, folder: Traversable | Path) -> dict[K, D]:
        """Return the definitions of one folder; of two with one key, neither may win by chance."""
        definitions: dict[K, D] = {}
        names: dict[K, str] = {}
        for file in read_files(folder, self._suffixes):
            definition = self._parse(file.text, file.name)
            key = self._key(definition)
            if key in definitions:
                raise BadDefinition(f"{file.name}: {_shown_key(key)} is defined by {names[key]} too")
            definitions[key], names[key] = definition, file.name
        return definitions

    def _state(self, overrides: Path | None) -> FolderState:
        """Return what changes when a file of people's own comes, goes or changes."""
        if overrides is None:
            return ()
        if not overrides.is_dir():
            raise BadDefinition(f"{overrides}: no such folder; LAKEHOUSE_DEFINITIONS names it")
        return tuple(
            file for file in folder_state(overrides / self._folder) if _has_suffix(file[0], self._suffixes)
        )


def folder_state(folder: Path) -> FolderState:
    """Return what changes when a file below a folder comes, goes or changes; nothing for a folder that is not there."""
    state = []
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # one that goes meanwhile
            status = path.stat()
            state.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(state)


def _has_suffix(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes)


def _shown_key(key: object) -> str:
    return "/".join(key) if isinstance(key, tuple) else str(key)


def read_files(
    folder: Traversable | Path, suffixes: tuple[str, ...], prefix: str = ""
) -> Iterator[DefinitionFile]:
    """Yield the definition files below a folder in the order of their names; hidden ones are none.

    A suffix may be in capitals, as some file systems and editors write it.
    """
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = prefix + entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from read_files(entry, suffixes, f"{name}/")
        elif _has_suffix(entry.name, suffixes):
            try:
                content = entry.read_bytes()
            except FileNotFoundError:  # it went meanwhile
                continue
            yield DefinitionFile(name, content)
