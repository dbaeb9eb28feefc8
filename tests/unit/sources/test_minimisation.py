"""What a column may say of how much is kept of it, and what contradicts it."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.errors import BadDefinition
from lakehouse.sources.definition import Source, parse

MORE = {"name": "more", "from": "More", "doc": "More"}
PEOPLE = {
    "source": "crm",
    "entity": "people",
    "doc": "People",
    "grain": "one row a person",
    "format": "ndjson",
    "columns": [{"name": "id", "from": "Id", "doc": "Id"}],
}


def text_of(*columns: dict, **more) -> str:
    return yaml.safe_dump(PEOPLE | {"columns": [*PEOPLE["columns"], *columns]} | more)


def source(*columns: dict, **more) -> Source:
    return parse(text_of(*columns, **more), "crm_people.yaml")


GOOD = [
    ({"collect": "drop"}, "dropped"),
    ({"collect": "drop", "type": "date"}, "dropped"),
    ({"collect": "hash"}, "hashed"),
    ({"collect": "hash", "type": "long", "formats": []}, "hashed"),
    ({"collect": "hash", "json_type": "string"}, "hashed"),
    ({"collect": {"hash": "lower"}, "allowed": ["a"], "required": True}, "hashed in lower case"),
    ({"collect": {"truncate": 1}}, "first character"),
    ({"collect": {"truncate": 3}}, "first 3 characters"),
    ({"collect": {"truncate": "network"}}, "network alone"),
    ({"collect": {"truncate": "month"}, "type": "date"}, "month alone"),
    ({"collect": {"truncate": "hour"}, "type": "timestamptz"}, "hour alone"),
    ({"collect": {"without": ["ip", "e-mail"]}, "json_type": "object"}, "without ip, e-mail"),
]


@pytest.mark.parametrize(("says", "message"), GOOD, ids=[message for _, message in GOOD])
def test_every_form_is_told_in_words(says, message):
    """The words are those of the data dictionary."""
    column = source(MORE | says).columns[1]
    assert column.collect is not None
    assert column.collect.description == message


BAD = {
    "no such rule": ({"collect": "forget"}, r"columns\.more\.collect: .*drop, hash, {hash: lower}"),
    "two rules": ({"collect": {"hash": "lower", "truncate": 3}}, r"columns\.more\.collect: "),
    "nothing": ({"collect": {}}, r"columns\.more\.collect: "),
    "a list": ({"collect": ["drop"]}, r"columns\.more\.collect: "),
    "drop with something": ({"collect": {"drop": True}}, r"columns\.more\.collect: "),
    "no such hash": ({"collect": {"hash": "md5"}}, r"columns\.more\.collect\.hash: "),
    "no characters": ({"collect": {"truncate": 0}}, r"columns\.more\.collect\.truncate"),
    "half a character": ({"collect": {"truncate": 1.5}}, r"columns\.more\.collect\.truncate"),
    "yes": ({"collect": {"truncate": True}}, r"columns\.more\.collect\.truncate"),
    "no such unit": ({"collect": {"truncate": "week"}}, r"columns\.more\.collect\.truncate"),
    "no keys": ({"collect": {"without": []}, "json_type": "object"}, r"columns\.more\.collect\.without"),
    "an empty key": (
        {"collect": {"without": [""]}, "json_type": "object"},
        r"columns\.more\.collect\.without",
    ),
    "dropped and required": ({"collect": "drop", "required": True}, "drop never reads .* required"),
    "dropped and allowed": ({"collect": "drop", "allowed": ["a"]}, "drop never reads .* allowed"),
    "dropped and formatted": ({"collect": "drop", "type": "date", "formats": ["ymd"]}, "take away formats"),
    "dropped and nested": ({"collect": "drop", "json_type": "object"}, "take away json_type"),
    "characters of a day": ({"collect": {"truncate": 4}, "type": "date"}, "of text, and the column is date"),
    "network of a day": ({"collect": {"truncate": "network"}, "type": "date"}, "of text"),
    "month of a text": ({"collect": {"truncate": "month"}}, "month does not fit string; nothing does"),
    "hour of a day": (
        {"collect": {"truncate": "hour"}, "type": "date"},
        "does not fit date; year, month does",
    ),
    "year of a number": ({"collect": {"truncate": "year"}, "type": "long"}, "does not fit long"),
    "hashed object": ({"collect": "hash", "json_type": "object"}, "neither hashed nor truncated"),
    "truncated object": ({"collect": {"truncate": 3}, "json_type": "object"}, "neither hashed nor"),
    "keys of a text": ({"collect": {"without": ["ip"]}}, "json_type: object"),
    "hash of no type": ({"collect": "hash", "type": "money"}, "money"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_rule_that_cannot_be_kept_is_refused(name):
    """When the definition is read, and it is said which column is meant, and what would fit."""
    says, message = BAD[name]
    with pytest.raises(BadDefinition, match=message):
        source(MORE | says)


HASHED, DROPPED = MORE | {"collect": "hash"}, MORE | {"collect": "drop"}
SHORT = MORE | {"collect": {"truncate": 3}}
WHEN = {"name": "more", "from": "More", "doc": "M", "type": "date", "collect": "hash"}
TWICE = {"name": "twice", "from": "MORE", "doc": "The same"}
SEEN = {"record": "id", "seen_at": "NULL::TIMESTAMPTZ"}
CONTRADICTIONS = {
    "a dropped key": ((DROPPED,), {"key": ["more"]}, "more is dropped: neither key"),
    "sorted by what is dropped": ((DROPPED,), {"sort": ["more"]}, "more is dropped"),
    "a dropped partition": ((DROPPED,), {"partition": ["identity(more)"]}, "more is dropped"),
    "dedupe by what is dropped": ((DROPPED,), {"dedupe": {"column": "more", "days": 1}}, "more is dropped"),
    "days of a hash": ((WHEN,), {"partition": ["day(more)"]}, "more is hashed: it has no day"),
    "a truncated key": ((SHORT,), {"key": ["more"]}, "more is truncated"),
    "dedupe by a beginning": ((SHORT,), {"dedupe": {"column": "more", "days": 1}}, "more is truncated"),
    "a hash for an address": (
        (HASHED,),
        SEEN | {"identifiers": [{"type": "email", "value": "more"}]},
        "more is hashed.*email_hash",
    ),
    "a beginning ties": (
        (SHORT,),
        SEEN | {"identifiers": [{"type": "user_id", "value": "more"}]},
        "would tie strangers",
    ),
    "hashed here, plain there": ((HASHED, TWICE), {}, "not each of them says `collect`"),
    "dropped here, plain there": ((DROPPED, TWICE), {}, "dropped by one column and read by another"),
    "dropped here, hashed there": ((DROPPED, TWICE | {"collect": "hash"}), {}, "dropped by one column"),
    "no days": ((), {"raw_days": 0}, "raw_days"),
    "perhaps strict": ((), {"strict": "perhaps"}, "strict"),
}


@pytest.mark.parametrize("name", sorted(CONTRADICTIONS))
def test_what_else_a_source_says_must_fit_its_rules(name):
    """Nothing is keyed, sorted, tied or read a second time by a value that is not there."""
    columns, more, message = CONTRADICTIONS[name]
    with pytest.raises(BadDefinition, match=message):
        source(*columns, **more)


def test_a_dropped_column_is_in_no_table_and_the_ids_go_on_behind_it():
    """A hashed one is text there, whatever it is in the file."""
    found = source(
        DROPPED, {"name": "born", "from": "Born", "type": "date", "doc": "Born", "collect": "hash"}
    )
    assert found.contract.field_ids() == {
        "_file_id": 1,
        "_row": 2,
        "_loaded_at": 3,
        "extra": 4,
        "id": 5,
        "born": 6,
    }
    assert [column.type for column in found.contract.columns[4:]] == ["string", "string"]
    assert [column.name for column in found.stored] == ["id", "born"]


def test_a_column_that_was_loaded_until_now_is_dropped_by_a_migration():
    """Its field id is used up; the rule stays, so that its values do not go to `extra` instead."""
    behind = {"name": "behind", "from": "Behind", "doc": "Behind"}
    change = {"number": 1, "why": "nobody needs it", "drop": {"more": 6}}
    before, after = source(MORE, behind), source(DROPPED, behind, migrations=[change])
    assert before.contract.field_ids()["behind"] == after.contract.field_ids()["behind"] == 7


def test_two_columns_may_keep_two_things_of_one_value():
    """Both have a rule, and neither is the value."""
    found = source(HASHED, TWICE | {"collect": {"truncate": 2}})
    assert found.guarded
    assert found.hashes


def test_what_asks_for_more_care():
    """A source is guarded by any rule and by being strict; only a hash takes the key."""
    plain = source(MORE)
    assert (plain.guarded, plain.hashes, plain.strict, plain.raw_days) == (False, False, False, None)
    assert (source(DROPPED).guarded, source(DROPPED).hashes) == (True, False)
    assert source(strict=True, raw_days=30).guarded
