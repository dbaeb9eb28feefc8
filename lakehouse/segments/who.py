"""Who belongs to a segment, said without SQL: tests of fields, counts of what somebody did, and all, any and not.

Every test is answered yes or no. A value that is missing, which is null or a blank text, fulfils none; `is_not` and
`not_in` are the exact opposites of `is` and `in`, so that somebody of whom nothing is known fulfils them. See
`docs/segments.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from lakehouse.definitions import FieldsError, Location
from lakehouse.segments import relative_dates

EQUAL: Final = ("is", "is_not", "in", "not_in")
TEXT: Final = ("contains", "starts_with", "ends_with")
NUMBER: Final = ("more_than", "at_least", "less_than", "at_most")
DATE: Final = ("before", "after", "on", "on_or_before", "on_or_after")
WINDOW: Final = ("in_last", "in_next")
TESTS: Final = ("known", *EQUAL, *TEXT, *NUMBER, "between", *DATE, *WINDOW)
# What a count takes: numbers of what was counted, and days on which it was done.
_OF_COUNT: Final = frozenset({"is", "is_not", *NUMBER, "between", *WINDOW, *DATE})
_ALIASES: Final = {"not_": "not", "is_": "is", "in_": "in"}
_FORMS: Final = ("all", "any", "not", "field", "count")
_PAIR: Final = 2


class FieldTest(NamedTuple):
    """One test of a condition: its operator, such as `at_least`, and what it compares with."""

    operator: str
    value: Any


class Who(BaseModel):
    """A condition: `all` or `any` of others, `not` of one, tests of a `field`, or a `count` of rows and its tests.

    Several tests of one condition must all hold. `that` says which rows count, `distinct` and `by` name columns of
    theirs: what is counted once, and the day that the window is of.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    all: tuple[Who, ...] | None = None
    any: tuple[Who, ...] | None = None
    not_: Who | None = Field(None, alias="not")
    field: str | None = None
    count: str | None = None
    that: Who | None = None
    distinct: str | None = None
    by: str | None = None
    known: Any = None
    is_: Any = Field(None, alias="is")
    is_not: Any = None
    in_: Any = Field(None, alias="in")
    not_in: Any = None
    contains: Any = None
    starts_with: Any = None
    ends_with: Any = None
    more_than: Any = None
    at_least: Any = None
    less_than: Any = None
    at_most: Any = None
    between: Any = None
    before: Any = None
    after: Any = None
    on: Any = None
    on_or_before: Any = None
    on_or_after: Any = None
    in_last: Any = None
    in_next: Any = None

    @property
    def form(self) -> str:
        """Return which kind of condition it is: all, any, not, field or count."""
        return next(name for name in _FORMS if name in self._given)

    @property
    def tests(self) -> tuple[FieldTest, ...]:
        """Return its tests as they stand."""
        return tuple(FieldTest(name, value) for name, value in self._given.items() if name in TESTS)

    @property
    def below(self) -> tuple[Who, ...]:
        """Return the conditions that it is made of."""
        return self.all or self.any or tuple(filter(None, (self.not_, self.that)))

    @property
    def _given(self) -> dict[str, Any]:
        return {_ALIASES.get(name, name): getattr(self, name) for name in self.model_fields_set}

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        """Return what stands in the file, and nothing that does not."""
        return self._given

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        wrong = list(_wrong(self._given))
        if wrong:
            raise FieldsError(*wrong)
        return self


def fields_of(who: Who) -> Iterator[str]:
    """Yield the fields that are tested, as they are written; those of rows that are counted are no fields of these."""
    if who.field is not None:
        yield who.field
    for below in () if who.count is not None else who.below:
        yield from fields_of(below)


def counts_of(who: Who) -> Iterator[str]:
    """Yield what is counted."""
    if who.count is not None:
        yield who.count
    for below in who.below:
        yield from counts_of(below)


def parameters_in(who: Who) -> Iterator[str]:
    """Yield the parameters that values name."""
    for test in who.tests:
        for value in test.value if isinstance(test.value, list | tuple) else (test.value,):
            if name := relative_dates.parameter_name(value):
                yield name
    for below in who.below:
        yield from parameters_in(below)


def bound(who: Who, values: Mapping[str, Any]) -> Who:
    """Return a condition with the values of parameters in their places; `values` has all that it names."""
    return Who.model_validate(_bound(who.model_dump(), values))


def _bound(content: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(content, Mapping):
        return {name: _bound(value, values) for name, value in content.items()}
    if isinstance(content, list | tuple):
        listed = [_bound(value, values) for value in content]
        # a parameter that is a list stands for its values
        return [item for one in listed for item in (one if isinstance(one, tuple) else [one])]
    if name := relative_dates.parameter_name(content):
        return values[name]
    return content[1:] if isinstance(content, str) and content.startswith("$$") else content


def _wrong(given: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    forms = [name for name in _FORMS if name in given]
    if len(forms) > 1:
        yield (), f"{' and '.join(forms)} stand side by side: put them below `all` or `any`"
    elif not forms:
        yield (), "not a condition: say `field`, `count`, `all`, `any` or `not`"
    else:
        yield from _wrong_beside(forms[0], given)


def _wrong_beside(form: str, given: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield what does not go with what a condition is."""
    tests = [name for name in given if name in TESTS]
    if form != "count":
        for name in sorted({"that", "distinct", "by"}.intersection(given)):
            yield (name,), f"`{name}` goes with `count` alone"
    if form in {"all", "any", "not"}:
        if not given[form]:
            yield (form,), "an empty list says nothing: name conditions, or leave it out"
        if tests:
            yield (tests[0],), f"`{tests[0]}` tests a field or a count: it stands beside `field` or `count`"
        return
    if form == "count":
        yield from _wrong_count(tests)
    elif not tests:
        yield (), f"it tests nothing of {given['field']}: say is, at_least, in_last, known or another"
    for name in tests:
        if message := _wrong_value(name, given[name]):
            yield (name,), message


def _wrong_count(tests: list[str]) -> Iterator[tuple[Location, str]]:
    for name in tests:
        if name not in _OF_COUNT:
            yield (name,), f"a count is a number, and has no `{name}`: `that` says which rows are counted"
    if not any(name in {"is", "is_not", *NUMBER, "between"} for name in tests):
        yield (), "say how many: at_least, at_most, more_than, less_than, between or is"


def _wrong_value(operator: str, value: Any) -> str:
    """Return what is wrong with a value whatever field it is compared with; "" where nothing is."""
    if operator in {"in", "not_in"}:
        return _wrong_list(operator, value)
    if operator == "between":
        return _wrong_pair(value)
    if isinstance(value, list | tuple | Mapping):
        is_list = not isinstance(value, Mapping)
        return (
            f"`{operator}` takes one value{'; `in` takes a list' if is_list else ', such as 5 or 2026-03-01'}"
        )
    if _is_nothing(value):
        return "nothing to compare with: who has no value is `known: false`"
    return "" if relative_dates.parameter_name(value) else _wrong_kind(operator, value)


def _wrong_kind(operator: str, value: Any) -> str:
    if operator == "known" and not isinstance(value, bool):
        return "`known` is true or false"
    return relative_dates.wrong_period(value) if operator in WINDOW else ""


def _wrong_pair(value: Any) -> str:
    values = value if isinstance(value, list | tuple) else ()
    if len(values) != _PAIR or any(map(_is_nothing, values)):
        return "between takes two values, [from, until]; both count"
    return _wrong_order(values)


def _wrong_list(operator: str, value: Any) -> str:
    if relative_dates.parameter_name(value):
        return ""
    if not isinstance(value, list | tuple):
        return f"`{operator}` takes a list, such as [Oslo, Bergen]"
    if not value:
        return "an empty list: nobody would be in it, or everybody; leave the condition out, or name values"
    if any(map(_is_nothing, value)):
        return "a value of the list is missing: who has no value is `known: false`"
    return ""


def _wrong_order(values: Any) -> str:
    first, last = values
    comparable = isinstance(first, int | float) and isinstance(last, int | float)
    if (comparable or (isinstance(first, date) and type(first) is type(last))) and first > last:
        return f"between {first} and {last} is nothing: the smaller one comes first"
    return ""


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
