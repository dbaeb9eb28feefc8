"""A segment definition: a name and a condition over what is known of a customer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePath

from pydantic import BaseModel, ConfigDict, Field

from lakehouse.definitions import DefinitionLoader, parse_yaml
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


def load(overrides: Path | None = None) -> tuple[Segment, ...]:
    """Return every segment by name: those shipped, overridden by the files below `<overrides>/segments/`.

    Raises BadDefinition naming file and field.
    """
    segments = _load(overrides)
    return tuple(segments[name] for name in sorted(segments))


def version(segments: tuple[Segment, ...]) -> str:
    """Return what changes when any definition changes."""
    text = json.dumps([segment.model_dump() for segment in segments], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
