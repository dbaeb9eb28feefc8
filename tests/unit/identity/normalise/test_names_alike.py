"""Two names may be one person's by sound, shape, order, initials, short forms and slips; brothers' names may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.identity.normalise.name_form import NO_NAME, PersonName
from lakehouse.identity.normalise.names import person_name
from lakehouse.identity.normalise.names_alike import names_alike, same_sound

NAMES = [
    *(
        "张伟",
        "张炜",
        "章伟",
        "伟张",
        "张先生",
        "张女士",
        "张",
        "王小明",
        "王小红",
        "王明",
        "欧阳修",
        "李伟",
        "快乐的猪",
    ),
    *(
        "买买提·吐尔逊",
        "买买提",
        "Zhang Wei",
        "Ms Holt",
        "Mr Holt",
        "Ben Holt",
        "Anna Maria Holt",
        "Anna",
        "A. Holt",
    ),
    *("Anna Holt", "Anne Holt", "Holt Anna", "快乐的猪"),
]


def alike(one: str, other: str) -> bool:
    left, right = person_name(one, None, None), person_name(other, None, None)
    assert names_alike(left, right) == names_alike(right, left)
    return names_alike(left, right)


@pytest.mark.parametrize(
    ("one", "other", "may_be_one"),
    [
        pytest.param("张伟", "张炜", True, id="sounds alike"),
        pytest.param("张伟", "伟张", True, id="another order"),
        pytest.param("王小明", "王明", True, id="a character is missing"),
        pytest.param("王小明", "王小红", False, id="sisters and brothers"),
        pytest.param("张伟", "李伟", False, id="another surname"),
        pytest.param("张伟", "张", True, id="the surname alone"),
        pytest.param("张先生", "张女士", False, id="another gender"),
        pytest.param("张伟", "Zhang Wei", True, id="romanised"),
        pytest.param("张伟", "Li Na", False, id="another one, romanised"),
        pytest.param("张伟", "Tony Zhang", True, id="an English first name"),
        pytest.param("张伟", "Tony Li", False, id="an English first name before another surname"),
        pytest.param("买买提·吐尔逊", "买买提", True, id="half of a name around a dot"),
        pytest.param("Anna Holt", "Holt Anna", True, id="words in another order"),
        pytest.param("Anna Holt", "A Holt", True, id="an initial"),
        pytest.param("Anna Holt", "B Holt", False, id="another initial"),
        pytest.param("Alexander Holt", "Alex Holt", True, id="a short form"),
        pytest.param("Alexander Holt", "Al Holt", False, id="too short a form"),
        pytest.param("Tim Holt", "Tom Holt", False, id="a letter of three"),
        pytest.param("Anna Holt", "Anne Holt", False, id="a letter of four"),
        pytest.param("Elena Holt", "Elina Holt", True, id="a letter of five"),
        pytest.param("An Holt", "Anh Holt", False, id="a letter more than two"),
        pytest.param("Paul Holt", "Paula Holt", False, id="a name as men have it, and women"),
        pytest.param("Jean Holt", "Jeanne Holt", False, id="the same of a name that either may have"),
        pytest.param("Robin Holt", "Robin Holt", True, id="one name that both have"),
        pytest.param("John Holt Sr.", "John Holt, Jr.", False, id="father and son"),
        pytest.param("John Holt", "John Holt III", True, id="one of several of that name"),
        pytest.param("Sr. García", "García", True, id="a form of address that is no generation"),
        pytest.param("김민수", "김영희", False, id="Korean without blanks"),
        pytest.param("김민수", "김 민수", True, id="the same with one"),
        pytest.param("남궁민수", "남궁 민수", True, id="a surname of two syllables"),
        pytest.param("田中さくら", "田中ゆき", False, id="Japanese without blanks"),
        pytest.param("山田 タロウ", "山田 ハナコ", False, id="Japanese with kana"),
        pytest.param("山田太郎", "山田 タロウ", True, id="whose reading nobody can tell"),
        pytest.param("Jon Holt", "John Holt", True, id="a letter more"),
        pytest.param("Jhon Holt", "John Holt", True, id="two letters that changed places"),
        pytest.param("Christopher Holt", "Christofer Holt", True, id="long words with a likeness"),
        pytest.param("Anna Maria Holt", "Anna Holt", True, id="a word more"),
        pytest.param("Anna Holt", "Anna Berg", False, id="another family"),
        pytest.param("Anna Holt", "annaholt", True, id="without a blank"),
        pytest.param("Anna", "Ben Holt", True, id="half a name denies nothing"),
        pytest.param("快乐的猪", "张伟", True, id="nor does a nickname"),
        pytest.param("Ms Holt", "Mr Holt", False, id="titles of two genders"),
    ],
)  # fmt: skip
def test_names_that_may_be_one(one: str, other: str, may_be_one: bool) -> None:
    assert alike(one, other) is may_be_one


def test_each_word_stands_for_one_word() -> None:
    """Two initials are not both the same word's."""
    assert alike("A A Holt", "Anna Alma Holt")
    assert not alike("A A Holt", "Anna Berta Holt")


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_likeness_has_no_direction(one: str, other: str) -> None:
    """And everybody is like oneself, and like who says nothing."""
    alike(one, other)
    assert alike(one, one)
    assert names_alike(person_name(one, None, None), NO_NAME)


words = st.text("aeiln", min_size=1, max_size=6)


@given(st.lists(words, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_words_says_nothing(listed: list[str], order) -> None:
    shuffled = [*listed]
    order.shuffle(shuffled)
    assert names_alike(PersonName(tuple(listed)), PersonName(tuple(shuffled)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("wei", "zhang"), ("wei", "zhang"), True),
        (("wei", "zhang"), ("wei",), False),
        ((), (), False),  # who has none sounds like nobody
    ],
)
def test_the_same_syllables(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:
    assert same_sound(PersonName(syllables=one), PersonName(syllables=other)) is same
