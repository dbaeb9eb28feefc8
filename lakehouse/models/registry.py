"""Reads the models: SQL files whose header names the table they fill and the inputs they read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from lakehouse.errors import BadDefinition
from lakehouse.tables.contract import Contract
from lakehouse.tables.contracts import BY_NAME


@dataclass(frozen=True)
class Model:
    """One model. `inputs` are tables, or `mapped.<entity>` for what the sources map."""

    table: str
    inputs: tuple[str, ...]
    sql: str
    as_of: bool

    @property
    def contract(self) -> Contract:
        """Return the contract of the table the model fills."""
        return BY_NAME[self.table]

    @property
    def version(self) -> str:
        """Return what changes when the SQL changes: its rows are then computed anew."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


def parse(text: str, where: str) -> Model:
    """Read one SQL file; BadDefinition names the file and the header line that is missing or wrong."""
    header: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        name, _, value = line.removeprefix("--").partition(":")
        header.setdefault(name.strip(), value.strip())
    for name in ("table", "inputs"):
        if name not in header:
            raise BadDefinition(f"{where}: the header lacks `-- {name}: …`")
    if header["table"] not in BY_NAME:
        raise BadDefinition(f"{where}: table {header['table']} has no contract")
    inputs = tuple(part.strip() for part in header["inputs"].split(",") if part.strip())
    return Model(header["table"], inputs, text, header.get("as_of") == "yes")


@lru_cache(maxsize=4)
def load(overrides: Path | None = None) -> tuple[Model, ...]:
    """Return every model in an order in which inputs come first; shipped ones overridden by `<overrides>/models/`."""
    texts = dict(_texts(files("lakehouse.models") / "sql"))
    if overrides is not None and (overrides / "models").is_dir():
        texts |= dict(_texts(overrides / "models"))
    models = {model.table: model for model in (parse(text, where) for where, text in texts.items())}
    graph = {name: [i for i in model.inputs if i in models] for name, model in models.items()}
    try:
        return tuple(models[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BadDefinition(f"models read each other in a circle: {' → '.join(error.args[1])}") from error


def _texts(folder: Traversable | Path, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".sql"):
            found.append((prefix + entry.name, entry.read_text("utf-8")))
    return found
