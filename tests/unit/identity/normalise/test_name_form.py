"""A name that was read: whether it names one person, and the keys under which its spellings meet."""

from __future__ import annotations

import pytest

from lakehouse.identity.normalise.name_form import NO_NAME, PersonName

ANNA = PersonName(("anna", "holt"))
WEI = PersonName(("张伟",), "张", "伟", han=True, syllables=("wei", "zhang"))


@pytest.mark.parametrize(
    ("name", "full"),
    [
        (NO_NAME, False),
        (PersonName(("anna",)), False),
        (PersonName(("holt",), family="holt", title="ms", gender="f"), False),
        (ANNA, True),
        (WEI, True),
        (PersonName(("张",), "张", han=True, syllables=("zhang",)), False),
        (PersonName(("快乐的猪",), han=True), False),
        (PersonName(("买买提", "吐尔逊"), han=True), True),
    ],
)
def test_a_full_name_is_of_one_person(name: PersonName, full: bool) -> None:
    """A word alone, and a Chinese name that begins with no surname, are not."""
    assert name.full is full


@pytest.mark.parametrize(
    ("name", "form", "sound", "initials"),
    [
        (ANNA, "anna holt", "", "ah"),
        (PersonName(("holt", "anna")), "anna holt", "", "ah"),
        (PersonName(("zhang", "wei"), syllables=("wei", "zhang")), "wei zhang", "wei zhang", "wz"),
        (WEI, "张伟", "wei zhang", "wz"),
        (NO_NAME, "", "", ""),
    ],
)
def test_keys_are_the_same_in_whatever_order(name: PersonName, form: str, sound: str, initials: str) -> None:
    """Words by the alphabet, syllables as they are sorted, initials of a Chinese name by its pinyin."""
    assert (name.form, name.sound, name.initials) == (form, sound, initials)
