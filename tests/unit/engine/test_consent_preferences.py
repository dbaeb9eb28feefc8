"""What a tracked event says of consent, category by category."""

from __future__ import annotations

import json

import duckdb
import pytest

from lakehouse.engine import sql_functions

MAPPED = (
    "MAP {'newsletter': [{'purpose': 'marketing', 'channel': 'email'}], "
    "'marketing sms': [{'purpose': 'marketing', 'channel': 'sms'}], "
    "'messages': [{'purpose': 'marketing', 'channel': 'push'}, {'purpose': 'marketing', 'channel': 'chat'}]}"
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        sql_functions.create(con)
        yield con


def preferences(con, said: str | None) -> dict[str, list[bool]]:
    """Return what is granted by channel."""
    [listed] = con.execute(f"SELECT consent_preferences(?, {MAPPED})", [said]).fetchone()
    found: dict[str, list[bool]] = {}
    for each in json.loads(listed or "[]"):
        assert each["purpose"] == "marketing"
        found.setdefault(each["channel"], []).append(each["granted"])
    return found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('{"newsletter": true, "marketing sms": false}', {"email": [True], "sms": [False]}),
        ('{"Newsletter": true, "Marketing-SMS": true}', {"email": [True], "sms": [True]}),
        ('{"marketing_sms": true}', {"sms": [True]}),
        ('{"newsletter": true, "Newsletter": false}', {"email": [True, False]}),
        ('{"messages": true}', {"push": [True], "chat": [True]}),
        ("{}", {"email": [False], "sms": [False], "push": [False], "chat": [False]}),
    ],
)
def test_mapped_categories_say_yes_or_no(con, said, found):
    """By their words; an object without categories refuses them all."""
    assert preferences(con, said) == found


@pytest.mark.parametrize(
    "said",
    [
        '{"Advertising": true, "C0004": false}',
        '{"newsletter": "maybe"}',
        '{"newsletter": "true"}',
        '{"newsletter": "yes"}',
        '{"newsletter": 1}',
        '{"newsletter": null}',
        '{"newsletter": {}}',
        '{"newsletter": {"granted": true}}',
        '{"newsletter": [true]}',
        '{"newsletter": true, "newsletter": false}',
        '{"a\\"b/~": true}',
        None,
        "",
        "null",
        "[]",
        "true",
        "newsletter",
        '{"newsletter": true',
    ],
)
def test_what_is_no_answer_says_nothing(con, said):
    """A category that nobody mapped, a value that is no boolean, a name that stands twice: never a yes."""
    assert preferences(con, said) == {}


@pytest.mark.parametrize("said", ['"false"', '"no"', '"Opted-Out"', "0"])
def test_a_plain_no_is_one_however_it_is_written(con, said):
    """A refusal counts; the same in the other direction does not."""
    assert preferences(con, f'{{"newsletter": {said}}}') == {"email": [False]}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            '{"allowedConsentIds": ["newsletter"], "deniedConsentIds": ["C0002"], "provider": "oneTrust"}',
            {"newsletter": True, "C0002": False},
        ),
        ('{"allowedConsentIds": ["a"]}', {"a": True}),
        ('{"deniedConsentIds": ["a", "a"]}', {"a": False}),
        ('{"allowedConsentIds": ["a", "b"], "deniedConsentIds": ["b"]}', {"a": True, "b": False}),
        ('{"allowedConsentIds": ["a", null, 7], "deniedConsentIds": "b"}', {"a": True, "7": True}),
        ('{"allowedConsentIds": {"a": true}}', None),
        ('{"allowedConsentIds": [], "deniedConsentIds": []}', None),
        ('{"initialized": true}', None),
        ("[]", None),
        ("{", None),
        ("", None),
        (None, None),
    ],
)
def test_lists_of_categories_mean_an_object(con, said, meant):
    """What stands in both is denied; a null in a list is no category; lists that are empty say nothing."""
    [text] = con.execute("SELECT consent_lists(?)", [said]).fetchone()
    assert (None if text is None else json.loads(text)) == meant


def test_lists_answer_as_an_object_does(con):
    """Allowed is a yes, denied a no, and what is not mapped says nothing."""
    said = '{"allowedConsentIds": ["Newsletter", "C0001"], "deniedConsentIds": ["marketing-sms"]}'
    [text] = con.execute("SELECT consent_lists(?)", [said]).fetchone()
    assert preferences(con, text) == {"email": [True], "sms": [False]}
