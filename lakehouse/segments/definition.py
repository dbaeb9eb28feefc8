"""A segment definition: a name and a condition over what is known of a customer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lakehouse.definition_files import DefinitionFile, DefinitionLoader
from lakehouse.definitions import parse_yaml
from lakehouse.errors import BadDefinition
from lakehouse.segments.condition import problem_in


class GuardRails(BaseModel):
    """What a segment's size must be, else it keeps its members and is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    never_empty: bool = False
    most_members: Annotated[int | None, Field(ge=1)] = None
    most_change: Annotated[float | None, Field(gt=0, description="share of the members, come and gone")] = (
        None
    )


class Segment(BaseModel):
    """`where` is SQL over the columns of `marts.customer_360` and `marts.rfm`.

    Who is in a segment of `include` is in, too, whatever `where` says; who is in one of `exclude` is not. A
    random share of the members, `control_share`, is the control group: no sync writes to it for this segment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    doc: str
    where: str
    owner: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    guard_rails: GuardRails = GuardRails()
    control_share: Annotated[float, Field(ge=0, le=0.5, description="share of the members")] = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the segments that it is made of."""
        return (*self.include, *self.exclude)


def parse(text: str, where: str) -> Segment:
    """Read one definition; BadDefinition names the file, the field and its line."""
    segment = parse_yaml(text, where, Segment)
    if segment.name != PurePath(where).stem:
        raise BadDefinition(f"{where}: name: {segment.name!r} must be the file's own name")
    if problem := problem_in(segment.where):
        raise BadDefinition(f"{where}: where: {problem}")
    return segment


_load = DefinitionLoader(
    "segments", ("lakehouse.segments", "definitions"), parse, lambda segment: segment.name
)


def files(overrides: Path | None = None) -> list[DefinitionFile]:
    """Return the files that define segments by name: of two for one, that of people's own."""
    by_name = {PurePath(file.name).stem: file for file in _load.files(overrides)}
    return [by_name[name] for name in sorted(by_name)]


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
