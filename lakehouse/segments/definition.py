"""A segment definition: a name, and who is in it by what is known of a customer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakehouse.definition_files import DefinitionFile, DefinitionLoader
from lakehouse.definitions import FieldsError, Location, nearest, parse_yaml
from lakehouse.errors import BadDefinition
from lakehouse.segments.condition import problem_in, problems_in_select
from lakehouse.segments.known import NAMESPACES
from lakehouse.segments.parameters import AS_OF, Parameter, bind, given, names_in
from lakehouse.segments.parameters import Name as ParameterName
from lakehouse.segments.schedule import Schedule
from lakehouse.segments.who import Who, parameters_in


class GuardRails(BaseModel):
    """What a segment's size must be, else it keeps its members and is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    never_empty: bool = False
    most_members: Annotated[int | None, Field(ge=1)] = None
    most_change: Annotated[float | None, Field(gt=0, description="share of the members, come and gone")] = (
        None
    )


_FORMS: Final = ("where", "who", "select")


class Segment(BaseModel):
    """Who is in it is said in one of three ways.

    `where` is SQL over the columns of `marts.customer_360` and `marts.rfm`, `who` the same without SQL, over other
    tables, too, and `select` a SELECT of `customer_id`. Who is in a segment of `include` is in, too, whatever that
    says; who is in one of `exclude` is not. A random share of the members, `control_share`, is the control group: no
    sync writes to it for this segment. Syncs that name it take `purpose` and `channel` from it. It is computed with
    each change of what it asks, or by its `schedule`, or when a `trigger` of this name has news.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    doc: str
    where: str = ""
    owner: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    guard_rails: GuardRails = GuardRails()
    control_share: Annotated[float, Field(ge=0, le=0.5, description="share of the members")] = 0.0
    who: Who | None = None
    select: str = ""
    parameters: dict[ParameterName, Parameter] = Field(default_factory=dict)
    purpose: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")] | None = None
    channel: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")] | None = None
    schedule: Schedule | None = None
    trigger: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the segments that it is made of."""
        return (*self.include, *self.exclude)

    @property
    def form(self) -> str:
        """Return in which of the three ways it says who is in it: where, who or select."""
        return "who" if self.who is not None else "select" if self.select else "where"

    @property
    def version(self) -> str:
        """Return what changes when the definition does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    def has_times(self) -> bool:
        """Return whether it is computed at times of its own, and not with each change."""
        return self.schedule is not None or self.trigger is not None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        wrong = [*self._wrong_forms()] or [*self._wrong_parameters()]
        if wrong:
            raise FieldsError(*wrong)
        return self

    def _wrong_forms(self) -> Iterator[tuple[Location, str]]:
        forms = [name for name in _FORMS if getattr(self, name)]
        if not forms and "where" not in self.model_fields_set:  # one that is blank is told by who reads it
            yield (
                ("where",),
                "Field required: say who is in it, with `who`, or in SQL with `where` or `select`",
            )
        for name in forms[1:]:
            yield (name,), f"`{forms[0]}` says who is in it already: keep one"
        if self.schedule is not None and self.trigger is not None:
            yield ("trigger",), "`schedule` says when it is computed already: keep one"

    def _wrong_parameters(self) -> Iterator[tuple[Location, str]]:
        asked = self._asked_parameters()
        known = sorted(self.parameters)
        for name in sorted(asked - self.parameters.keys() - {AS_OF}):
            hint = nearest(name, known) if known else ": name it below `parameters`"
            yield (self.form,), f"there is no parameter ${name}{hint}"
        for name in known:
            if name == AS_OF:
                yield ("parameters", name), "is there already: the day that the marts look back from"
            elif name not in asked:
                yield ("parameters", name), f"nothing asks for ${name}"

    def _asked_parameters(self) -> set[str]:
        if self.who is not None:
            return set(parameters_in(self.who))
        return set(names_in(self.select or self.where))


def parse(text: str, where: str) -> Segment:
    """Read one definition; BadDefinition names the file, the field and its line."""
    segment = parse_yaml(text, where, Segment)
    if segment.name != PurePath(where).stem:
        raise BadDefinition(f"{where}: name: {segment.name!r} must be the file's own name")
    if problem := problem_of(segment):
        raise BadDefinition(f"{where}: {problem}")
    return segment


def problem_of(segment: Segment) -> str:
    """Return what is wrong with a segment's SQL whatever tables there are, after its field; "" where nothing is."""
    values = {**given(segment.parameters, {}), AS_OF: None}
    if segment.where:
        problem = problem_in(bind(segment.where, values), (), NAMESPACES)
        return f"where: {problem}" if problem else ""
    if segment.select:
        problems = problems_in_select(bind(segment.select, values), NAMESPACES)
        return f"select: {problems[0]}" if problems else ""
    return ""


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
        content = [[segment.model_dump(mode="json") for segment in self.defined], dict(self.wrong)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def load(overrides: Path | None = None) -> Segments:
    """Return every segment: those shipped, overridden by the files below `<overrides>/segments/`.

    A file that is wrong stops no other segment. Raises BadDefinition for an `overrides` that is not there.
    """
    loaded = _load.load_each(overrides)
    return Segments(tuple(loaded.definitions[name] for name in sorted(loaded.definitions)), loaded.wrong)
