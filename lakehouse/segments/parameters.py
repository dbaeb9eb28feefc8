"""Parameters of a segment: values with a name that its condition or SELECT asks for, as `$days`. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, Self

import sqlglot
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlglot import TokenType
from sqlglot.errors import SqlglotError

from lakehouse.definitions import FieldsError, nearest
from lakehouse.engine.escape import literal

AS_OF: Final = "as_of"  # every SELECT and condition may ask it: the day that the marts look back from
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Type = Literal["text", "integer", "number", "date", "yes_no", "list"]


class Parameter(BaseModel):
    """A value that a segment asks for; `list` is a list of texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Type
    default: Any
    doc: str = Field("", description="what it is for")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            typed(self.default, self.type)
        except ValueError as error:
            raise FieldsError((("default",), str(error))) from None
        return self


def typed(value: Any, kind: Type) -> Any:
    """Return a value as its type has it, a list as a tuple; ValueError for one that the type does not allow."""
    if kind == "date" and isinstance(value, str):
        return _day(value)
    if not _ALLOWS[kind](value):
        raise ValueError(f"{value!r} is no {kind}{_HINTS.get(kind, '')}")
    return tuple(value) if kind == "list" else value


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return is_one and Decimal(str(value)).is_finite()


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, str) for each in value)


_ALLOWS: Final[Mapping[Type, Callable[[Any], bool]]] = {
    "yes_no": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "text": lambda value: isinstance(value, str),
    "list": _is_list,
    "date": lambda value: isinstance(value, date) and not isinstance(value, datetime),
}
_HINTS: Final = {
    "text": ": put it between quotes",
    "list": ": say a list of texts, such as ['Oslo', 'Bergen']",
    "date": ": say a day as 2026-03-01",
    "yes_no": ": say true or false",
}


def read(text: str, kind: Type) -> Any:
    """Return the value that a text of the command line says; ValueError for what the type does not allow."""
    stripped = text.strip()
    try:
        match kind:
            case "integer":
                return int(stripped)
            case "number":
                return typed(Decimal(stripped), kind)
            case "yes_no":
                return {"true": True, "yes": True, "false": False, "no": False}[stripped.lower()]
            case "date":
                return _day(stripped)
            case "list":
                return typed([each.strip() for each in stripped.split(",") if each.strip()], kind)
    except (KeyError, InvalidOperation, ValueError):
        raise ValueError(f"{text!r} is no {kind}{_HINTS.get(kind, '')}") from None
    return text


def given(parameters: Mapping[str, Parameter], settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of parameters: those that are set, by name, else the defaults; ValueError for a wrong one."""
    values = {name: typed(each.default, each.type) for name, each in parameters.items()}
    for name, text in settings.items():
        if name not in parameters:
            known = nearest(name, sorted(parameters)) if parameters else "; it has none"
            raise ValueError(f"there is no parameter {name}{known}")
        try:
            values[name] = read(text, parameters[name].type)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return values


def names_in(sql: str) -> tuple[str, ...]:
    """Return the parameters that SQL asks for, each once; none of what stands in texts and comments."""
    return tuple(dict.fromkeys(name for name, _, _ in _places(sql)))


def bind(sql: str, values: Mapping[str, Any]) -> str:
    """Return SQL with values in the places of its parameters; ValueError names one that there is not."""
    parts, end = [], 0
    for name, start, stop in _places(sql):
        if name not in values:
            raise ValueError(f"there is no parameter ${name}{nearest(name, sorted(values))}")
        parts += [sql[end:start], _value_sql(values[name])]
        end = stop
    return "".join([*parts, sql[end:]])


def _places(sql: str) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each parameter and where it stands. A number after $ is DuckDB's own, and none of these."""
    try:
        tokens = sqlglot.tokenize(sql, dialect="duckdb")
    except SqlglotError:
        return  # whoever reads it next says what is wrong
    for sign, name in itertools.pairwise(tokens):
        is_joined = sign.token_type is TokenType.PARAMETER and name.start == sign.end + 1
        if is_joined and name.token_type is not TokenType.NUMBER:
            yield name.text.lower(), sign.start, name.end + 1


def _value_sql(value: Any) -> str:
    match value:
        case None:
            return "CAST(NULL AS DATE)"
        case bool():
            return str(value).lower()
        case date():
            return f"(DATE {literal(value.isoformat())})"
        case int() | float() | Decimal():
            return f"({Decimal(str(value)):f})"
        case tuple():
            return f"[{', '.join(map(literal, value))}]"
    return literal(str(value))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date{_HINTS['date']}") from None
