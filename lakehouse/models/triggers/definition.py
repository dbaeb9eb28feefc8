"""A trigger's rule: a SELECT of the reasons that there are to act, each with the moment from which it counts.

A rule asks no clock: it gives all reasons of recent days, also those of which the moment is to come. When a row is made
of a reason, and when it is taken back, `standing` decides alike for all rules.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lakehouse.definition_files import DefinitionLoader, Loaded, SameObject
from lakehouse.definitions import Problem, find_line, nearest, parse_yaml
from lakehouse.errors import BadDefinition
from lakehouse.models import lineage, registry
from lakehouse.models.model import Model
from lakehouse.models.policy import TriggerPolicy
from lakehouse.models.select_statement import SelectStatement, StatementError, read_statement
from lakehouse.sources import definition
from lakehouse.sources.mappable_entities import VIEWS
from lakehouse.tables.contracts import TRIGGERS

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceKey

COLUMNS: Final = ("customer_id", "cause", "due_at", "about")
_SPAN: Final = re.compile(r"(\d{1,5}) (minute|hour|day)s?")


def _span(text: Any) -> Any:
    """Return the length of time that `36 hours` says."""
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("say a length of time, such as 90 minutes, 36 hours or 14 days")
    return timedelta(**{f"{match[2]}s": int(match[1])})


Span = Annotated[timedelta, BeforeValidator(_span)]


class Rule(BaseModel):
    """One rule. `sql` yields `customer_id`, `cause`, `due_at` and `about`.

    `cause` is what the reason is about, so that the same reason has the same key whenever it is asked for; `due_at` is
    the moment from which it counts. `within` says how long after that it is of use, `again_after` how far apart two
    reasons of a customer must be to be two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    zh: str = ""
    doc: str
    within: Span
    again_after: Span = timedelta(0)
    sql: str

    @property
    def version(self) -> str:
        """Return what changes when the rule does."""
        content = (self.name, self.within, self.again_after, self.sql.strip())
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Rules:
    """The rules and what they read, by name; and what is wrong with each file that is none, by its name."""

    defined: Mapping[str, Rule]
    models: Mapping[str, Model]
    wrong: Mapping[str, str]


def parse(text: str, where: str) -> Rule:
    """Read one definition; BadDefinition names the file, all that is wrong, and its line."""
    rule = parse_yaml(text, where, Rule)
    problems = [
        Problem(field, find_line(text, field, Rule), message) for field, message in _problems(rule, where)
    ]
    if problems:
        raise BadDefinition(f"{where}: {'; '.join(map(str, problems))}")
    return rule


def _problems(rule: Rule, where: str) -> list[tuple[str, str]]:
    found = []
    if rule.name != PurePath(where).stem:
        found.append(("name", f"{rule.name!r} must be the file's own name"))
    if rule.within < TriggerPolicy.least_within:
        found.append(
            ("within", f"at least {TriggerPolicy.least_within}: what stands still that long loses rows")
        )
    try:
        statement = read_statement(rule.sql)
    except StatementError as error:
        return [*found, ("sql", str(error))]
    if statement.columns is None or sorted(statement.columns) != sorted(COLUMNS):
        found.append(("sql", f"yields {', '.join(COLUMNS)}, each by its name, and nothing else"))
    return found


_load = DefinitionLoader(
    "triggers", ("lakehouse.models.triggers", "definitions"), parse, lambda rule: rule.name
)


def load(overrides: Path | None = None) -> Rules:
    """Return every rule: those shipped, overridden by the files below `<overrides>/triggers/`.

    A file that is wrong stops its own rule alone, and so do a table that is not there, and one that is made of the
    triggers themselves. Raises BadDefinition for an `overrides` that is not there, and for a source that is wrong.
    """
    read = (_load.load_each(overrides), registry.load(overrides), definition.load(overrides))
    return _checked(*map(SameObject, read))


@lru_cache(maxsize=4)
def _checked(
    loaded: SameObject[Loaded[str, Rule]],
    models: SameObject[registry.Models],
    sources: SameObject[dict[SourceKey, Source]],
) -> Rules:
    """Return the rules of what the loaders gave: they give the same objects until a file comes, goes or changes."""
    tables = {source.table for source in sources.it.values()} | {f"mapped.{each}" for each in VIEWS}
    known = models.it.contracts.keys() | tables
    wrong, read = dict(loaded.it.wrong), {}
    for name in sorted(loaded.it.definitions):
        rule = loaded.it.definitions[name]
        statement = read_statement(rule.sql)
        if reason := _unreadable(statement, known, models.it):
            wrong[name] = f"{name}.yaml: sql: {reason}"
        else:
            read[name] = registry.behind_views(_model(rule, statement), models.it.views)
    return Rules({name: loaded.it.definitions[name] for name in read}, read, wrong)


def _unreadable(statement: SelectStatement, known: set[str], models: registry.Models) -> str:
    for name in statement.tables:
        if name in models.wrong:
            return f"waits for {name}: {models.wrong[name]}"
        if name not in known:
            return f"there is no {name}{nearest(name, sorted(known), shown_by='lakehouse models list')}"
        made_of = {each for inputs in lineage.upstream(models, name).values() for each in inputs}
        if TRIGGERS.name in {name, *made_of}:
            return f"reads {TRIGGERS.name}, which it fills"
    return ""


def _model(rule: Rule, statement: SelectStatement) -> Model:
    return Model(
        TRIGGERS,
        statement.tables,
        rule.sql,
        as_of="as_of" in statement.variables,
        time_zone="time_zone" in statement.variables,
        where=f"{rule.name}.yaml",
    )
