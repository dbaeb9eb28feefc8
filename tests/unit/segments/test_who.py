"""A condition that contradicts itself, or that somebody meant otherwise, is told before it is asked."""

from __future__ import annotations

import json

import pytest

from lakehouse.definitions import read_yaml
from lakehouse.segments.definition import Segment
from lakehouse.segments.who import Who, bound, counts_of, fields_of

HEAD = "name: s\ntitle: S\ndoc: D\nwho:\n"


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("  {field: revenue, at_leest: 1}", "who.at_leest: unknown name; did you mean at_least? (line 5)"),
        ("  all:\n    - {field: city, is: Oslo}\n    - {feild: city, is: x}",
         "who.all.1.feild: unknown name; did you mean field"),
        ("  {all: [], field: city}", "all and field stand side by side"),
        ("  {is: 3}", "not a condition: say `field`, `count`, `all`, `any` or `not`"),
        ("  {all: []}", "who.all: an empty list says nothing"),
        ("  {any: [{field: city, is: x}], is: 3}", "who.is: `is` tests a field or a count"),
        ("  {field: city}", "it tests nothing of city: say is, at_least"),
        ("  {field: city, in: []}", "who.in: an empty list: nobody would be in it, or everybody"),
        ("  {field: city, not_in: []}", "who.not_in: an empty list"),
        ("  {field: city, in: [Oslo, null]}", "who.in: a value of the list is missing"),
        ("  {field: city, not_in: [Oslo, '']}", "who.not_in: a value of the list is missing"),
        ("  {field: city, in: Oslo}", "who.in: `in` takes a list, such as [Oslo, Bergen]"),
        ("  {field: city, is: [Oslo, Bergen]}", "who.is: `is` takes one value; `in` takes a list"),
        ("  {field: city, is: null}", "who.is: nothing to compare with: who has no value is `known: false`"),
        ("  {field: city, is_not: ' '}", "who.is_not: nothing to compare with"),
        ("  {field: city, is: {a: 1}}", "who.is: `is` takes one value"),
        ("  {field: city, known: maybe}", "who.known: `known` is true or false"),
        ("  {field: revenue, between: [5, 1]}", "who.between: between 5 and 1 is nothing"),
        ("  {field: last_order_on, between: [2026-03-02, 2026-03-01]}", "is nothing: the smaller one comes first"),
        ("  {field: revenue, between: 5}", "who.between: between takes two values"),
        ("  {field: last_order_on, in_last: 90 dayz}", "who.in_last: '90 dayz' is no length of time"),
        ("  {field: last_order_on, in_last: 0 days}", "who.in_last: '0 days' is no length of time"),
        ("  {field: last_order_on, in_last: -3}", "it must be one day at least"),
        ("  {field: city, that: {field: a, is: b}, is: x}", "who.that: `that` goes with `count` alone"),
        ("  {count: orders, in_last: 90 days}", "say how many: at_least"),
        ("  {count: orders, contains: x, at_least: 1}", "who.contains: a count is a number, and has no `contains`"),
        ("  {count: orders, known: true, at_least: 1}", "who.known: a count is a number"),
        ("  {field: city, is: $city}", "who: there is no parameter $city: name it below `parameters`"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_where_it_stands(who, told):
    """With the field, the line and what to do."""
    segment, problems = read_yaml(HEAD + who, Segment)
    assert segment is None
    assert told in "; ".join(map(str, problems))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("where: 'true'\nselect: SELECT 1", "select: `where` says who is in it already: keep one"),
        ("where: 'true'\nschedule: {every: day}\ntrigger: win_back", "trigger: `schedule` says when it is computed"),
        ("where: recency_days > $dayz\nparameters: {days: {type: integer, default: 1}}",
         "where: there is no parameter $dayz; did you mean days"),
        ("where: 'true'\nparameters: {days: {type: integer, default: 1}}", "parameters.days: nothing asks for $days"),
        ("where: a > $as_of\nparameters: {as_of: {type: date, default: 2026-01-01}}",
         "parameters.as_of: is there already"),
        ("where: a > $a\nparameters: {a: {type: integer, default: x}}", "parameters.a.default: 'x' is no integer"),
        ("where: 'true'\nschedule: {cron: '61 * * * *'}", "schedule.cron: minute: '61' is not within 0 and 59"),
        ("where: 'true'\nchannel: E-Mail", "channel: "),
    ],
)  # fmt: skip
def test_a_segment_says_one_thing(text, told):
    """Once."""
    segment, problems = read_yaml(f"name: s\ntitle: S\ndoc: D\n{text}\n", Segment)
    assert segment is None
    assert told in "; ".join(map(str, problems))


def test_a_condition_is_noted_as_it_was_written():
    """What a run asked can be read again, also from JSON, where days are texts."""
    said = {
        "all": [
            {"field": "last_order_on", "before": "2026-03-01"},
            {"not": {"count": "orders", "is": 0, "that": {"field": "value", "more_than": 5}}},
            {"any": [{"field": "churn_risk.chance", "in": [1, 2]}]},
        ]
    }  # fmt: skip
    segment = Segment.model_validate({"name": "s", "title": "S", "doc": "D", "who": said})
    noted = json.loads(segment.model_dump_json())
    assert noted["who"] == said
    assert Segment.model_validate(noted) == segment
    assert Segment.model_validate(noted).version == segment.version
    assert [*fields_of(Who.model_validate(said))] == ["last_order_on", "churn_risk.chance"]
    assert [*counts_of(Who.model_validate(said))] == ["orders"]


def test_parameters_take_their_places():
    """A list is its values, $$ is a dollar, and what is no parameter stays."""
    who = Who.model_validate({"all": [{"field": "a", "in": ["x", "$l"]}, {"field": "a", "is_not": "$$l"},
                                      {"field": "b", "in": "$l"}, {"field": "c", "at_least": "$n"}]})  # fmt: skip
    assert bound(who, {"l": ("y", "z"), "n": 3}).model_dump() == {
        "all": ({"field": "a", "in": ["x", "y", "z"]}, {"field": "a", "is_not": "$l"},
                {"field": "b", "in": ("y", "z")}, {"field": "c", "at_least": 3})
    }  # fmt: skip
