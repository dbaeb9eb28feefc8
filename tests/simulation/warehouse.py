"""The tables' files, the catalog and DuckDB's COPY, each call of them an I/O point."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.io import FileIO, InputFile, OutputFile

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from tests.simulation.history import History
    from tests.simulation.world import World

_COPY = re.compile(r"^\s*COPY\b.*\)\s*TO\s+'((?:[^']|'')*)'", re.IGNORECASE | re.DOTALL)
_NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Place:
    """Where the current world is; pyiceberg makes its FileIO by itself and cannot be handed one."""

    world: World


def _path(location: str) -> Path:
    return Path(location.removeprefix("file://"))


def _short(location: str) -> str:
    """Return a file's name as the trace tells it."""
    path = _path(location)
    return "/".join(path.parts[-2:]) if path.suffix == ".parquet" else path.name


def _date(path: Path) -> None:
    """Let a file be as old as the world says: orphans go by their age."""
    os.utime(path, (Place.world.now, Place.world.now))


def _gone(told: bool) -> Exception:
    return OSError("SLOW_DOWN" if told else "connection reset by peer")


class SimulatedIO(FileIO):
    """Files on disk, whole or not at all, as an object store has them."""

    def new_input(self, location: str) -> InputFile:
        return _Input(location)

    def new_output(self, location: str) -> OutputFile:
        return _Output(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        name = location if isinstance(location, str) else location.location
        Place.world.io(f"delete {_short(name)}", lambda: _path(name).unlink(missing_ok=True), error=_gone)


class _Input(InputFile):
    def __len__(self) -> int:
        return _path(self.location).stat().st_size

    def exists(self) -> bool:
        found: bool = Place.world.io(
            f"head {_short(self.location)}", _path(self.location).exists, error=_gone, write=False
        )
        return found

    def open(self, seekable: bool = True) -> Any:  # noqa: ARG002
        read = _path(self.location).read_bytes
        return pa.BufferReader(
            Place.world.io(f"read {_short(self.location)}", read, error=_gone, write=False)
        )


class _Output(OutputFile):
    def __len__(self) -> int:
        return _path(self.location).stat().st_size

    def exists(self) -> bool:
        return _path(self.location).exists()

    def to_input_file(self) -> InputFile:
        return _Input(self.location)

    def create(self, overwrite: bool = False) -> Any:
        return _Stream(self.location, overwrite)


class _Stream:
    """Bytes that become a file when they are complete; what breaks off becomes none."""

    def __init__(self, location: str, overwrite: bool) -> None:
        self.location = location
        self.overwrite = overwrite
        self._bytes = bytearray()
        self._closed = False

    def write(self, piece: Any) -> int:
        self._bytes += piece
        return len(piece)

    def tell(self) -> int:
        return len(self._bytes)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            Place.world.io(f"write {_short(self.location)}", self._write, error=_gone)

    def _write(self) -> None:
        path = _path(self.location)
        if path.exists() and not self.overwrite:
            raise FileExistsError(f"{path.name} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._bytes)
        _date(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()


def watch(catalog: Catalog, world: World, history: History) -> None:
    """Make every call of a catalog an I/O point, and note each commit that it takes."""
    _keep(catalog, world, history)
    catalog.properties["py-io-impl"] = f"{__name__}.SimulatedIO"
    for name in ("load_table", "list_tables", "list_namespaces", "namespace_exists"):
        _watch(catalog, world, name, name, write=False)
    for name in ("create_namespace", "create_table"):
        _watch(catalog, world, name, name, write=True)
    _watch(catalog, world, "commit_table", "commit", write=True)


def _keep(catalog: Any, world: World, history: History) -> None:
    real = catalog.commit_table

    def commit_table(table: Any, *arguments: Any) -> Any:
        answer = real(table, *arguments)
        history.note(".".join(table.name()), answer.metadata, world.now)
        return answer

    catalog.commit_table = commit_table


def _watch(catalog: Any, world: World, name: str, told: str, *, write: bool) -> None:
    real = getattr(catalog, name)

    def call(*arguments: Any, **named: Any) -> Any:
        def refused() -> Any:  # an SDK tried again what had taken effect already, and was refused
            raise CommitFailedException("the table has changed")

        subject = (
            arguments[0].name() if hasattr(arguments[0:1] and arguments[0], "metadata") else arguments[0:1]
        )
        return world.io(
            f"{told} {'.'.join(map(str, subject))}",
            lambda: real(*arguments, **named),
            error=_unanswered if told == "commit" else _away,
            write=write,
            again=refused if told == "commit" else None,
        )

    setattr(catalog, name, call)


def _unanswered(told: bool) -> Exception:
    return ConnectionRefusedError("refused") if told else CommitStateUnknownException("504 Gateway Time-out")


def _away(told: bool) -> Exception:
    return ConnectionError("refused" if told else "reset")


class Connection:
    """A DuckDB connection whose COPY into the warehouse is an I/O point, and names its files as the seed says."""

    def __init__(self, real: duckdb.DuckDBPyConnection, world: World, warehouse: str) -> None:
        self._real = real
        self._world = world
        self._warehouse = warehouse.removeprefix("file://")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def cursor(self) -> Connection:
        return Connection(self._real.cursor(), self._world, self._warehouse)

    def execute(self, query: str, parameters: Any = None) -> Any:
        copy = _COPY.match(query)
        if copy is None or self._warehouse not in copy[1]:
            return self._real.execute(query, *([] if parameters is None else [parameters]))
        name = str(self._world.uuid4())
        written: list[tuple[Any, ...]] = []

        def write() -> Any:
            rows = self._real.execute(query, *([] if parameters is None else [parameters])).fetchall()
            written.extend(_renamed(rows, name))
            return _Rows(written)

        def half() -> None:
            write()
            for row in written[::2]:
                _path(row[0]).unlink()

        return self._world.io(f"copy {_told(copy[1])}", write, error=_broken, torn=half)


class _Rows:
    """What a COPY answers."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None


def _renamed(rows: list[tuple[Any, ...]], name: str) -> list[tuple[Any, ...]]:
    """Give the files of a COPY names that do not come from DuckDB's own dice."""
    renamed = []
    for number, row in enumerate(sorted(rows, key=lambda row: _NAMES.sub("", str(row[0])))):
        path = Path(row[0]) if isinstance(row[0], str) else None
        if path is not None:
            _date(path)
        if path is None or not _NAMES.search(path.name):
            renamed.append(row)
            continue
        new = path.with_name(_NAMES.sub(f"{name}-{number}", path.name))
        path.replace(new)
        _date(new)
        renamed.append((str(new), *row[1:]))
    return renamed


def _told(target: str) -> str:
    return "/".join(Path(target).parts[-3:])


def _broken(told: bool) -> Exception:
    return duckdb.IOException("SlowDown" if told else "connection reset")
