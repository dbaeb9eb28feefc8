"""A segment definition: a name and a condition over what is known of a customer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from pydantic import BaseModel, ConfigDict, Field

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import parse_yaml
from lakehouse.errors import BadDefinition


class Segment(BaseModel):
    """`where` is SQL over the columns of `marts.customer_360` and `marts.rfm`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    doc: str
    where: str


def parse(text: str, where: str) -> Segment:
    """Read one definition; BadDefinition names the file, the field and its line."""
    segment = parse_yaml(text, where, Segment)
    if segment.name != PurePath(where).stem:
        raise BadDefinition(f"{where}: name: {segment.name!r} must be the file's own name")
    return segment


_load = DefinitionLoader(
    "segments", ("lakehouse.segments", "definitions"), parse, lambda segment: segment.name
)


@dataclass(frozen=True)
class Segments:
    """The segments that can be read, by name, and what is wrong with each file that cannot, by its name."""

    defined: tuple[Segment, ...]
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Return what changes when any definition changes."""
        content = [[segment.model_dump() for segment in self.defined], dict(self.wrong)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def load(overrides: Path | None = None) -> Segments:
    """Return every segment: those shipped, overridden by the files below `<overrides>/segments/`.

    A file that is wrong stops no other segment. Raises BadDefinition for an `overrides` that is not there.
    """
    loaded = _load.load_each(overrides)
    return Segments(tuple(loaded.definitions[name] for name in sorted(loaded.definitions)), loaded.wrong)
