"""What is to be done about a person whom something was sent to that a recalled statement allowed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.engine.consent_terms import term_of, terms
from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.stages.consent_statements import Statement, state, to_do

DAY = datetime(2026, 3, 1, tzinfo=UTC)
PLAIN = {"customer_id": "c_1", "sync": "news", "other_id": None, "removed_at": None, "is_unknown": False}


@pytest.mark.parametrize(
    ("person", "begins"),
    [
        ({}, "the next run of news takes them off"),
        ({"is_unknown": True}, "look in the CRM whether they are there"),
        ({"other_id": "k_2"}, "look: k_2 may allow it still, `lakehouse consent explain c_1` tells"),
        ({"other_id": "k_2", "is_unknown": True}, "look: k_2 may allow it still"),
        ({"removed_at": DAY}, "nothing: news has taken them off since"),
        (
            {"removed_at": DAY, "other_id": "k_2", "is_unknown": True},
            "nothing: news has taken them off since",
        ),
    ],
)
def test_each_person_has_one_thing_to_be_done(person, begins):
    """Who was taken off already needs nothing; another statement is looked at before anybody is written off."""
    assert to_do(PLAIN | person).startswith(begins)


def test_the_end_of_a_recall_asks_for_nothing():
    """What it granted counts again."""
    assert to_do(PLAIN, undo=True).startswith("nothing: what it granted counts again")


@pytest.mark.parametrize(
    ("channel", "purpose", "granted", "told"),
    [
        ("fax", "marketing", True, "--channel fax: there is none of that name; there are email, sms, "),
        ("email", "spam", False, "--purpose spam: there is none of that name; there are marketing, "),
        ("all", "marketing", True, "--channel all: only a refusal may be of all"),
        ("email", "all", True, "--purpose all: only a refusal may be of all"),
    ],
)
def test_what_ingest_would_set_aside_is_refused_before_it_lands(channel, purpose, granted, told):
    """A person who typed a word of no list would never see that the statement counts nowhere."""
    statement = Statement("+14155550101", channel, purpose, granted, DAY)
    with pytest.raises(Terminal, match=told):
        state(Settings(), statement, "me", DAY)


def test_a_word_means_what_ingest_takes_it_for():
    """The lists are one, however a word is written."""
    assert [term_of("channel", word) for word in (" Text-Message ", "短信", "fax")] == ["sms", "sms", None]
    assert all(term_of("channel", word) == name for name, words in terms("channel").items() for word in words)
