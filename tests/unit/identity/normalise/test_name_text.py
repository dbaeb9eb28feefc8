"""The text of a name's field: what differs in no letter is one; nobody and several people are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.identity.normalise.name_text import name_words, plain_name, word_table
from lakehouse.identity.normalise.policy import NamePolicy


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Anna\t HOLT ", "anna holt"),
        ("Ａｎｎａ Holt", "anna holt"),  # full width
        ("Zoë Müller", "zoe muller"),
        ("Zoe\u0308 Muller", "zoe muller"),
        ("Søren Đặng Łukasz", "soren dang lukasz"),
        ("Æsa", "aesa"),
        ("Holt, Anna", "holt, anna"),
        ("O'Hara", "ohara"),
        ("O’Hara", "ohara"),
        ("Anna-Maria Holt", "anna maria holt"),
        ("Anna Holt (work)", "anna holt"),
        ("张伟（销售）", "张伟"),
        ("Anna\u200bHolt", "annaholt"),
        ("🎉 Anna Holt 🎉", "anna holt"),
        ("买买提・吐尔逊", "买买提·吐尔逊"),
        ("Anna Holt,", "anna holt"),
        ("anna holt 2", "anna holt 2"),
        ("Anna & Ben Holt", ""),
        ("Anna Holt / Ben Holt", ""),
        ("张伟、李娜", ""),
        ("12345", ""),
        ("--", ""),
        ("", ""),
        ("匿名", ""),
        ("匿名 17", ""),
    ],
)
def test_a_field_in_plain_letters(text: str, plain: str) -> None:
    assert plain_name(text) == plain


def test_what_is_too_long_was_pasted() -> None:
    """The longest name still is one."""
    longest = "a" * NamePolicy.longest_name
    assert (plain_name(longest), plain_name(longest + "a")) == (longest, "")


@given(st.text(max_size=40))
def test_plain_is_plain_already(text: str) -> None:
    """Read again, it stays; it holds no blank but single ones, and its case does not matter."""
    once = plain_name(text)
    assert plain_name(once) in (once, "")
    assert once == " ".join(once.split()) == once.casefold()
    assert plain_name(f"  {text} ") == once


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ("holt, anna", ["holt", "anna"]),
        ("买买提·吐尔逊", ["买买提", "吐尔逊"]),
        ("anna holt2 7", ["anna"]),
        ("anna ٣ holt", ["anna", "holt"]),  # Arabic digits are digits
        ("", []),
    ],
)
def test_words_of_a_name_hold_no_digits(plain: str, words: list[str]) -> None:
    assert name_words(plain) == words


@pytest.mark.parametrize(
    ("kind", "word", "gender"),
    [
        ("title", "mr", "m"),
        ("title", "frau", "f"),
        ("title", "dr", ""),
        ("title", "fraulein", "f"),  # written with an umlaut in the table
        ("title", "senora", "f"),
        ("han_title", "先生", "m"),
        ("generation", "jr", "2"),
    ],
)
def test_words_say_a_gender_or_none(kind: str, word: str, gender: str) -> None:
    """They are found without accents, as fields are folded."""
    assert word_table()[kind][word] == gender


def test_every_word_of_the_table_is_found_as_fields_are_folded() -> None:
    """A word that a folded field cannot equal would never be found."""
    lost = [
        (kind, word)
        for kind, words in word_table().items()
        for word, gender in words.items()
        if word != word.casefold() or gender not in ("", "m", "f", *"1234")
    ]
    assert lost == []
