"""By which words systems say that somebody consented, or did not."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import consent_words
from lakehouse.engine.consent_words import consent_word_sql, is_known_sql, opted_out_sql, words


def meaning(text: str | None) -> tuple[bool | None, bool | None]:
    """Return what a text says, and whether it is known."""
    row = duckdb.execute(
        f"SELECT {consent_word_sql('t')}, {is_known_sql('t')} FROM (SELECT ? AS t)", [text]
    ).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yes", True), (" YES ", True), ("Opted-In", True), ("opted__in", True), ("同意", True), ("1", True),
        ("no", False), ("Opted-Out", False), ("do not  e-mail", False), ("退订", False), ("0", False),
        ("n/a", None), ("Not set", None), ("", None), (None, None), ("maybe", None), ("yes please", None),
        ("not yes", None), ("yesno", None),
        # of other languages, of who answers a text message, and of what became of an address
        ("да", True), ("нет", False), ("не", None), ("いいえ", False), ("Nee", False), ("não", False), ("STOP", False),
        ("ARRÊT", False), ("cleaned", False), ("HARD_BOUNCED", False), ("Complained", False), ("Do Not Allow", False),
        ("Allow", True), ("NEVER_SUBSCRIBED", None), ("Pending", None), ("unconfirmed", None), ("double opt-in", True),
    ],
)  # fmt: skip
def test_a_word_says_yes_or_no_only_as_a_whole(text, says):
    """Case, blanks, hyphens and underscores do not matter; what merely holds a word says nothing."""
    assert meaning(text)[0] is says


@pytest.mark.parametrize(
    ("text", "known"), [("Opted-Out", True), ("n/a", True), ("maybe", False), ("yes please", False)]
)
def test_a_word_that_says_nothing_is_known_and_another_one_is_not(text, known):
    """The difference between no answer and one that must be looked at."""
    assert meaning(text)[1] is known


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("true", "true"), ("1", "true"), ("1.0", "true"), ("Ja", "true"), ("是", "true"), ("x", "true"), ("✓", "true"),
        ("Opted out", "true"), ("UNSUBSCRIBED", "true"), ("Do Not Allow", "true"), ("bounced", "true"),
        ("false", "false"), ("0", "false"), ("nein", "false"), ("否", "false"), ("Allow", "false"),
        ("subscribed", "false"), ("Opted-In", "false"), ("unchecked", "false"),
        ("n/a", None), ("2026-03-01", None), ("Austin", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_column_of_those_who_opted_out_is_read_the_other_way_round(text, says):
    """Yes is a refusal there, and so is a word that refuses; Dynamics calls what it forbids *Do Not Allow*."""
    assert duckdb.execute(f"SELECT {opted_out_sql('t')} FROM (SELECT ? AS t)", [text]).fetchone() == (says,)


def test_every_word_stands_as_it_is_compared():
    """Else it would never be met; each list says what its name does."""
    for says, expected in (
        (consent_words.GRANTED, True),
        (consent_words.REFUSED, False),
        (consent_words.NOTHING, None),
    ):
        assert words()[says]
        assert {word: meaning(word) for word in words()[says]} == dict.fromkeys(
            words()[says], (expected, True)
        )


def test_a_word_on_two_lists_is_refused(monkeypatch, tmp_path):
    """A list that says both yes and no of a word says neither."""
    (tmp_path / "consent_words.csv").write_text(
        "says,kind,words\ngranted,answer,yes|on\nrefused,consent,no|on\nnothing,consent,?\n", "utf-8"
    )
    monkeypatch.setattr(consent_words, "files", lambda _: tmp_path)
    words.cache_clear()
    try:
        with pytest.raises(ValueError, match="listed twice: on"):
            words()
    finally:
        words.cache_clear()
