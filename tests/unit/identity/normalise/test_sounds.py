"""Chinese characters by sound and shape: surnames as they are read, syllables of romanised words, slips of the pen."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lakehouse.identity.normalise.sounds import (
    characters_alike,
    split_syllables,
    surnames,
    syllable,
    syllables_of,
)


@pytest.mark.parametrize(
    ("family", "given", "expected"),
    [
        ("张", "伟", "zhang wei"),
        ("单", "田芳", "shan tian fang"),
        ("仇", "英", "qiu ying"),
        ("曾", "国藩", "zeng guo fan"),
        ("区", "志", "ou zhi"),
        ("欧阳", "修", "ou yang xiu"),
        ("尉迟", "恭", "yu chi gong"),
        ("吕", "布", "lu bu"),
    ],
)
def test_surnames_are_read_as_people_say_them(family: str, given: str, expected: str) -> None:
    """A surname has its own reading; ü is u."""
    assert " ".join(syllables_of(family, given)) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("xiaoming", ("xiao", "ming")),
        ("xian", ("xian",)),
        ("zhang", ("zhang",)),
        ("lyu", ("lu",)),
        ("lv", ("lu",)),
        ("nana", ("na", "na")),
        ("holt", ()),
        ("", ()),
        ("张", ()),
    ],
)
def test_romanised_words_fall_into_syllables(word: str, expected: tuple[str, ...]) -> None:
    """As few syllables as may be, none where the word is no pinyin."""
    assert split_syllables(word) == expected


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        ("伟", "炜", True),
        ("静", "婧", True),
        ("诗", "思", True),  # retroflex or not
        ("丽", "妮", True),  # n and l
        ("兰", "南", True),
        ("英", "音", True),  # -n and -ng
        ("未", "末", True),
        ("杨", "扬", True),
        ("强", "娜", False),
        ("张", "李", False),
    ],
)
def test_characters_that_may_be_mistaken(left: str, right: str, alike: bool) -> None:
    """By sound as dialects confuse it, by shape as hands do; either way round."""
    assert characters_alike(left, right) is alike
    assert characters_alike(right, left) is alike


def test_every_surname_has_syllables_of_letters() -> None:
    """The table's readings and those of the library are toneless and plain, one for each character."""
    wrong = {
        name: sounds
        for name, sounds in surnames().items()
        if len(sounds) != len(name) or not all(sound.isascii() and sound.isalpha() for sound in sounds)
    }
    assert wrong == {}
    assert len(surnames()) > 600
    assert syllable("☃") == "☃"


def test_readings_are_the_library_s_and_its_words_are_not_loaded() -> None:
    """50 MiB and 0.2 s, of which a function that resolves few people has none to spare."""
    code = (
        "import sys; from lakehouse.identity.normalise.sounds import _readings, syllable; "
        "print(syllable('张'), 'pypinyin' in sys.modules); "
        "from pypinyin.constants import PINYIN_DICT; print(_readings() == PINYIN_DICT)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["zhang", "False", "True"]
