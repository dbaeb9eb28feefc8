"""What a segment asks of a customer's row, as SQL, whichever way its file says it: `who`, `where` or `select`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.segments import condition_parts, parameters, who_sql
from lakehouse.segments.condition import problem_in, problems_in, problems_in_select, tables_in
from lakehouse.segments.condition_parts import Part
from lakehouse.segments.countable import WORDS
from lakehouse.segments.known import NAMESPACES
from lakehouse.segments.who import bound, counts_of, fields_of
from lakehouse.segments.who_columns import WhoError
from lakehouse.segments.who_words import words

if TYPE_CHECKING:
    from lakehouse.segments.definition import Segment
    from lakehouse.segments.known import Known


class WrongQuestionError(ValueError):
    """Why a segment cannot be asked: the field of its file, as `where` or `who.all.0.field`, and what is wrong."""

    def __init__(self, where: str, *messages: str) -> None:
        super().__init__(f"{where}: {messages[0]}")
        self.where = where
        self.messages = messages


@dataclass(frozen=True)
class Question:
    """A condition over a customer's row. `text` is how people read it, `select` the SELECT that it was made of.

    `parts` are the condition taken apart, `required` those parts that all must hold, `columns` those of the customer's
    row that it names.
    """

    condition: str
    text: str
    parts: tuple[Part, ...]
    required: tuple[Part, ...]
    columns: tuple[str, ...]
    select: str = ""


def question_of(segment: Segment, known: Known, set_to: Mapping[str, str] | None = None) -> Question:
    """Return what a segment asks; `set_to` are parameters that are set otherwise than in its file.

    Raises WrongQuestionError for what there is not, with the nearest name.
    """
    try:
        values = {**parameters.given(segment.parameters, set_to or {}), parameters.AS_OF: known.as_of}
    except ValueError as error:
        raise WrongQuestionError("parameters", str(error)) from None
    if segment.who is not None:
        return _of_who(segment, known, values)
    if segment.select:
        return _of_select(segment, values)
    return _of_where(segment, known, values)


def _of_who(segment: Segment, known: Known, values: Mapping[str, Any]) -> Question:
    assert segment.who is not None  # noqa: S101 - whoever calls has looked
    try:
        who = bound(segment.who, values)
        parts, needed = who_sql.outline(who, known), who_sql.required(who, known)
    except WhoError as error:
        raise WrongQuestionError(error.where, str(error)) from None
    except ValueError as error:  # a value of a parameter that does not go where it stands
        raise WrongQuestionError("who", _first_line(error)) from None
    columns = tuple(dict.fromkeys(name for part in parts for name in part.columns))
    return Question(parts[0].value_sql, words(who), tuple(parts), tuple(needed), columns)


def _of_where(segment: Segment, known: Known, values: Mapping[str, Any]) -> Question:
    try:
        where = parameters.bind(segment.where, values)
    except ValueError as error:
        raise WrongQuestionError("where", str(error)) from None
    if problems := problems_in(where, list(known.columns), NAMESPACES):
        raise WrongQuestionError("where", *problems)
    parts = condition_parts.outline(where)
    columns = condition_parts.columns_of(where)
    # of the whole, what stands there is asked as it is when members are computed; its parts say why
    return Question(where, where.strip(), tuple(parts), tuple(condition_parts.required(where)), columns)


def _of_select(segment: Segment, values: Mapping[str, Any]) -> Question:
    try:
        select = parameters.bind(segment.select, values)
    except ValueError as error:
        raise WrongQuestionError("select", str(error)) from None
    if problems := problems_in_select(select, NAMESPACES):
        raise WrongQuestionError("select", *problems)
    # whoever is there twice is in it once, a row without an id is nobody's, and an unknown id no customer
    condition = f"customer_id IN (SELECT customer_id FROM (\n{select}\n) WHERE customer_id IS NOT NULL)"
    part = Part(0, "condition", "is selected by the SQL of the segment", (), f"({condition})")
    return Question(condition, select.strip(), (part,), (part,), (), select)


def text_of(segment: Segment) -> str:
    """Return what a definition asks, as people read it, with its parameters as they are called."""
    return words(segment.who) if segment.who is not None else (segment.select or segment.where).strip()


def tables_of(segments: Iterable[Segment]) -> set[str]:
    """Return the tables of core and marts that segments may ask, besides those that customers' rows are made of.

    Of a name without its namespace both are asked for. What cannot be read names none: it is told when it is asked.
    """
    return {name for segment in segments for name in _tables_of(segment)}


def _tables_of(segment: Segment) -> set[str]:
    if segment.who is not None:
        of_fields = {name.rpartition(".")[0].lower() for name in fields_of(segment.who)}
        named = of_fields.union(map(_counted_table, counts_of(segment.who))) - {""}
        return {full for name in named for full in _full_names(name)}
    sql = _unbound(segment.select or segment.where)
    if segment.select:
        return set() if problems_in_select(sql, NAMESPACES) else set(tables_in(sql))
    return set() if problem_in(sql, (), NAMESPACES) else set(tables_in(sql))


def _counted_table(name: str) -> str:
    word = WORDS.get(name.lower())
    return word.table if word is not None else name.lower()


def _full_names(name: str) -> list[str]:
    namespace, dot, _ = name.partition(".")
    if dot:
        return [name] if namespace in NAMESPACES and name.count(".") == 1 else []
    return [f"{each}.{name}" for each in NAMESPACES]


def _unbound(sql: str) -> str:
    """Return SQL with nothing in the places of its parameters, to see which tables it reads."""
    return parameters.bind(sql, dict.fromkeys(parameters.names_in(sql)))


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0]
