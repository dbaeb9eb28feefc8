"""Names of people: read in any script, width and order; what is no name is none, and nothing is an exception."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.identity.normalise.name_form import NO_NAME
from lakehouse.identity.normalise.names import person_name
from lakehouse.identity.normalise.policy import NamePolicy


@pytest.mark.parametrize(
    ("name", "form", "family", "title", "gender"),
    [
        ("张伟", "张伟", "张", "", ""),
        ("张 伟", "张伟", "张", "", ""),
        ("张先生", "张", "张", "先生", "m"),
        ("欧阳女士", "欧阳", "欧阳", "女士", "f"),
        ("欧阳娜娜", "欧阳娜娜", "欧阳", "", ""),
        ("张伟老师", "张伟", "张", "老师", ""),
        ("王总经理", "王", "王", "总经理", ""),
        ("张总", "张", "张", "总", ""),
        ("小王", "王", "王", "小", ""),
        ("小明", "小明", "", "", ""),
        ("王小明（朋友）", "王小明", "王", "", ""),
        ("快乐的猪", "快乐的猪", "", "", ""),
        ("张伟 David", "张伟", "张", "", ""),
        ("买买提·吐尔逊", "买买提 吐尔逊", "", "", ""),
        ("Ａｎｎａ　Ｈｏｌｔ", "anna holt", "", "", ""),  # full width
        ("  ANNA\tholt ", "anna holt", "", "", ""),
        ("Holt, Anna", "anna holt", "holt", "", ""),
        ("Mrs. Anna Holt", "anna holt", "", "mrs", "f"),
        ("Herr Prof. Dr. Müller", "muller", "muller", "herr prof dr", "m"),
        ("José Núñez", "jose nunez", "", "", ""),
        ("O’Brien Straße", "obrien strasse", "", "", ""),
        ("Łukasz Ødegård", "lukasz odegard", "", "", ""),
        ("Ludwig van Beethoven", "beethoven ludwig", "", "", ""),
        ("Van Morrison", "morrison van", "", "", ""),
        ("anna88 Holt", "holt", "", "", ""),
        ("Иван Петров", "иван петров", "", "", ""),
        ("\u202eAnna\u200f Holt\x00\x07 😀", "anna holt", "", "", ""),
        ("Robert'); DROP TABLE Students", "", "", "", ""),  # `;` parts several names
    ],
)
def test_one_field(name: str, form: str, family: str, title: str, gender: str) -> None:
    """Words, family name where it is known, title and what it says of the gender."""
    read = person_name(name)
    assert (read.form, read.family, read.title, read.gender) == (form, family, title, gender)


@pytest.mark.parametrize(
    ("given", "family", "form", "known"),
    [
        ("伟", "张", "张伟", ("张", "伟")),
        ("张", "伟", "张伟", ("张", "伟")),  # the wrong way round
        ("张伟", "张", "张伟", ("张", "伟")),  # the whole name in one of two
        ("先生", "张", "张", ("张", "")),
        ("Anna", "Holt", "anna holt", ("holt", "anna")),
        ("Ms", "Holt", "holt", ("holt", "")),
        ("Anna Maria", "van der Berg", "anna berg maria", ("berg", "anna maria")),
        ("Anna", "", "anna", ("", "anna")),
        ("", "Holt", "holt", ("holt", "")),
        ("test", "Holt", "holt", ("holt", "")),
        ("John", "Holt Jr", "holt john", ("holt", "john")),
        ("さくら", "田中", "さくら 田中", ("田中", "さくら")),
    ],
)
def test_two_fields(given: str, family: str, form: str, known: tuple[str, str]) -> None:
    """Given and family name, also the wrong way round, doubled, or half."""
    read = person_name(None, given, family)
    assert (read.form, (read.family, read.given)) == (form, known)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "匿名",
            "客户",
            "微信用户",
            "用户12345",
            "测试",
            "test",
            "TEST  user",
            "N/A",
            "n.a.",
            "unknown",
            "Guest-77",
        ),
        *(
            "",
            " ",
            "---",
            "😀",
            "先生",
            "138 0013 8000",
            "\x00",
            "Anna & Ben Holt",
            "张伟/李娜",
            "Anna and Ben Holt",
        ),
        *("x" * 10_000, "张" * 10_000),
    ],
)
def test_what_is_no_name(text: str) -> None:
    """Placeholders, numbers, several people, and what somebody pasted name nobody."""
    assert person_name(text) is NO_NAME


@pytest.mark.parametrize(
    "romanised", ["Zhang Wei", "WEI ZHANG", "zhang, wei", "Zhāng Wěi", "Zhang  wei", "ZhangWei"]
)
def test_a_romanised_name_has_the_sound_of_the_chinese_one(romanised: str) -> None:
    """Sorted toneless syllables are one key for both."""
    assert person_name(romanised).sound == person_name("张伟").sound == "wei zhang"
    assert person_name("Anna Holt").sound == ""


def test_initials_and_full() -> None:
    """Initials are sorted; a family name alone, a word alone and a nickname are no full name."""
    assert person_name("张伟").initials == person_name("Wei Zhang").initials == "wz"
    full = [
        name
        for name in ("张伟", "张先生", "快乐的猪", "Anna", "Ms Holt", "A. Holt", "Anna Holt")
        if person_name(name).full
    ]
    assert full == ["张伟", "A. Holt", "Anna Holt"]


@given(
    st.text(max_size=300),
    st.one_of(st.none(), st.text(max_size=40)),
    st.one_of(st.none(), st.text(max_size=40)),
)
def test_any_text_is_read(name: str, given_name: str | None, family: str | None) -> None:
    """No text is an exception, and no form is longer than names are."""
    read = person_name(name, given_name, family)
    assert len(read.words) <= NamePolicy.most_words
    assert len(read.form) <= 18 * NamePolicy.longest_name  # NFKC makes 18 characters of one at most
    assert bool(read.words) is (read is not NO_NAME)


@given(st.lists(st.sampled_from(["anna", "holt", "maria", "li", "wei", "zhang"]), min_size=2, max_size=4))
def test_a_form_is_a_fixed_point(words: list[str]) -> None:
    """What has been normalised stays as it is."""
    form = person_name(" ".join(words)).form
    assert person_name(form).form == form


def test_a_million_names_take_less_than_a_minute() -> None:
    """A twentieth of them, all distinct, in a twentieth of the time."""
    given = [f"{a}{b}{c}" for a in "abcdeh" for b in "aeiou" for c in "lmnrst"]
    surnames = [
        f"{a}{b}{c}"
        for a in "bhkmpt"
        for b in ("or", "an", "en", "ing", "ow", "ell")
        for c in ("son", "er", "t")
    ]
    names = [f"{one} {other}{end}" for one in given for other in surnames for end in ("", "s", "h")][:50_000]
    began = time.process_time()
    for name in names:
        person_name.__wrapped__(name)
    assert time.process_time() - began < 3 * len(names) / 50_000
