"""Reads the models: SQL files whose header names the table they fill and the inputs they read.

Those of the canonical entities are written by `lakehouse.models.entity_sql`, unless a file fills the table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from lakehouse.errors import BadDefinition
from lakehouse.models import entity_sql
from lakehouse.sources import definition
from lakehouse.sources.mappable_entities import ENTITIES
from lakehouse.tables.contract import Contract
from lakehouse.tables.contracts import BY_NAME, CORE, IDENTITIES, MARTS

# Raw tables are ingest's, the system's books are books', and who is who is resolve's.
FILLED = {contract.name for contract in (*CORE, *MARTS)} - {IDENTITIES.name}


@dataclass(frozen=True)
class Model:
    """One model. `inputs` are tables, or `mapped.<entity>` for what the sources map."""

    table: str
    inputs: tuple[str, ...]
    sql: str
    as_of: bool
    where: str = ""

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
    if header["table"] not in FILLED:
        raise BadDefinition(
            f"{where}: table: {header['table']!r} is none that models fill: {', '.join(sorted(FILLED))}"
        )
    if header.get("as_of", "no") not in ("yes", "no"):
        raise BadDefinition(f"{where}: as_of: {header['as_of']!r} is neither yes nor no")
    inputs = tuple(part.strip() for part in header["inputs"].split(",") if part.strip())
    return Model(header["table"], inputs, text, header.get("as_of") == "yes", where)


@lru_cache(maxsize=4)
def load(overrides: Path | None = None) -> tuple[Model, ...]:
    """Return every model, inputs before those who read them; `<overrides>/models/` overrides what is shipped.

    Raises BadDefinition for a header that is wrong, an input that nothing fills, and models in a circle.
    """
    written = (parse(text, f"core.{name}") for name, text in entity_sql.MODELS.items())
    models = {model.table: model for model in written} | _layer(files("lakehouse.models") / "sql")
    if overrides is not None and (overrides / "models").is_dir():
        models |= _layer(overrides / "models")
    raw = {source.table for source in definition.load(overrides).values()}
    for model in models.values():
        _check_inputs(model, raw)
    graph = {name: [i for i in model.inputs if i in models] for name, model in models.items()}
    try:
        return tuple(models[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BadDefinition(f"models read each other in a circle: {' → '.join(error.args[1])}") from error


def _layer(folder: Traversable | Path) -> dict[str, Model]:
    """Return the models of one folder by table; of two that fill the same one, neither may win by chance."""
    models: dict[str, Model] = {}
    for where, text in _texts(folder):
        model = parse(text, where)
        if model.table in models:
            raise BadDefinition(f"{where}: {models[model.table].where} fills {model.table} already")
        models[model.table] = model
    return models


def _check_inputs(model: Model, raw: set[str]) -> None:
    known = raw | BY_NAME.keys() | {f"mapped.{entity}" for entity in ENTITIES}
    for name in model.inputs:
        if name == "core.events":
            raise BadDefinition(
                f"{model.where}: inputs: core.events is a view of raw.events, core.identities: name both"
            )
        if name not in known:
            raise BadDefinition(f"{model.where}: inputs: there is no {name}")


def _texts(folder: Traversable | Path, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".sql"):
            found.append((prefix + entry.name, entry.read_text("utf-8")))
    return found
