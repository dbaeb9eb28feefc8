"""Names of people."""

from __future__ import annotations

import random

from lakehouse.sample.purchases import names


def test_chinese_names_have_one_or_two_characters_and_their_pinyin() -> None:
    """Latin letters are ASCII and lower case, as e-mail addresses need them."""
    rng = random.Random(1)
    drawn = [names.chinese_name(rng) for _ in range(200)]
    assert {len(name.given) for name in drawn} == {1, 2}
    for name in drawn:
        latin = name.latin_family + name.latin_given
        assert latin.isascii()
        assert latin.islower()
        assert not (name.family + name.given).isascii()


def test_latin_letters_of_english_names_have_no_apostrophe() -> None:
    """O'Brien's address is written without."""
    rng = random.Random(2)
    drawn = [names.english_name(rng) for _ in range(2_000)]
    assert {"O'Brien"} == {name.family for name in drawn if "'" in name.family}
    assert all(name.latin_family.isalpha() for name in drawn)
