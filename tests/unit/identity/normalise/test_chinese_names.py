"""A Chinese name is parted into surname and given name, and the words that people are addressed by come off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.identity.normalise.chinese_names import chinese_name, chinese_parts, surname_of
from lakehouse.identity.normalise.name_form import NO_NAME
from lakehouse.identity.normalise.sounds import surnames


@pytest.mark.parametrize(
    ("text", "family", "given_name", "sound"),
    [
        ("张伟", "张", "伟", "wei zhang"),
        ("王小明", "王", "小明", "ming wang xiao"),
        ("欧阳修", "欧阳", "修", "ou xiu yang"),
        ("欧阳小修", "欧阳", "小修", "ou xiao xiu yang"),
        ("欧阳小明修", "欧阳", "小明修", "ming ou xiao xiu yang"),  # five characters, of a compound surname
        ("单田芳", "单", "田芳", "fang shan tian"),  # as surnames are read
        ("张", "张", "", "zhang"),
        ("wei 张伟", "张", "伟", "wei zhang"),  # other letters are left out
        ("快乐的猪", "", "", "de kuai le zhu"),
        ("张小明明明", "", "", "ming ming ming xiao zhang"),  # too long for a name
    ],
)
def test_family_and_given_name(text: str, family: str, given_name: str, sound: str) -> None:
    """Both empty for what is no full name; its sound is there all the same."""
    name = chinese_name(text)
    assert (name.family, name.given, name.sound, name.han) == (family, given_name, sound, True)


@pytest.mark.parametrize(
    ("text", "family", "given_name", "title", "gender"),
    [
        ("张先生", "张", "", "先生", "m"),
        ("张伟先生", "张", "伟", "先生", "m"),
        ("李女士", "李", "", "女士", "f"),
        ("王老师", "王", "", "老师", ""),
        ("小王", "王", "", "小", ""),
        ("老李", "李", "", "老", ""),
        ("张总", "张", "", "总", ""),
        ("小明", "", "", "", ""),  # a given name: 明 is no common surname
    ],
)
def test_forms_of_address(text: str, family: str, given_name: str, title: str, gender: str) -> None:
    """They say a family, and often a gender."""
    name = chinese_name(text)
    assert (name.family, name.given, name.title, name.gender) == (family, given_name, title, gender)


@pytest.mark.parametrize("text", ["先生", "匿名", "匿名女士"])
def test_who_is_addressed_without_a_name_has_none(text: str) -> None:
    assert chinese_name(text) is NO_NAME


def test_a_field_of_the_family_name_says_where_it_ends() -> None:
    """Also of a surname that no table knows; unless the text begins otherwise."""
    assert (chinese_name("欧阳修", "欧").family, chinese_name("欧阳修", "欧").given) == ("欧", "阳修")
    assert chinese_name("欧阳修", "张").family == "欧阳"


def test_names_around_a_dot_are_words() -> None:
    """Without family and given name, since other peoples have none in this order."""
    name = chinese_name("买买提·吐尔逊")
    assert (name.words, name.family, name.given, name.full) == (("买买提", "吐尔逊"), "", "", True)


@pytest.mark.parametrize(
    ("given_name", "family", "parts"),
    [
        ("伟", "张", ("张伟", "张")),
        ("张", "伟", ("张伟", "张")),  # the wrong way round
        ("张伟", "张", ("张伟", "张")),  # the whole name stands in one field
        ("小 明", "王", ("王小明", "王")),
        ("修", "欧阳", ("欧阳修", "欧阳")),
        ("张", "李", ("李张", "李")),  # two surnames: as the fields say
        ("", "张", ("张", "张")),
    ],
)
def test_two_fields_make_one_name(given_name: str, family: str, parts: tuple[str, str]) -> None:
    assert chinese_parts(given_name, family) == parts


@given(st.sampled_from(sorted(surnames())), st.text("伟芳娜敏静", min_size=1, max_size=2))
def test_every_surname_is_found(surname: str, rest: str) -> None:
    """The longest that the name begins with."""
    found = surname_of(surname + rest)
    assert found.startswith(surname)
    assert len(found) == 2 or surname_of(surname + rest) == surname
    assert chinese_name(surname + rest, surname).family == surname


@pytest.mark.parametrize(("text", "surname"), [("", ""), ("的", ""), ("欧阳", "欧阳"), ("张伟", "张")])
def test_what_begins_with_a_surname(text: str, surname: str) -> None:
    assert surname_of(text) == surname
