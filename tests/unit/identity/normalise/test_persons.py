"""The veto: which names and birth dates deny that two records are one person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.identity.normalise.names_alike import names_alike
from lakehouse.identity.normalise.persons import contradicts, person_facts

MAY_BE_ONE = {
    "张伟": ["张炜", "章伟", "伟张", "張偉", "Zhang Wei", "WEI ZHANG", "张先生", "张", "Tony Zhang", "张总"],
    "李伟": ["匿名", "快乐的猪", "李"],
    "王小明": ["王明", "王晓明", "王小朋", "小明", "Wang Xiaoming", "王小明先生"],
    "欧阳修": ["欧阳女士", "Ouyang Xiu"],
    "买买提·吐尔逊": ["买买提", "买买提·吐尔逊"],
    "Anna Holt": ["A. Holt", "Anna", "holt anna", "Hanna Holt", "Anna Maria Holt", "Ms Holt", "Ana Holt", "annaholt"],
    "Jon Holt": ["John Holt", "Jonathan Holt", "J Holt"],
    "Alex Berger": ["Alexander Berger", "Alex Bergner", "Berger"],
    "Christopher Maier": ["Christoper Mayer"],
    "Müller": ["Mueller", "Anna Mueller"],
    "Ann": ["Ben", "Ben Holt"],
}  # fmt: skip
CONTRADICT = {
    "张伟": ["李伟", "张强", "李娜", "Li Na", "李先生", "Wang Fang"],
    "王小明": ["王小红", "李小明", "王建国", "小李"],
    "王强": ["李娜", "王丽"],
    "张先生": ["张女士", "李先生", "张太太"],
    "张伟先生": ["张薇女士"],
    "欧阳修": ["欧阳娜娜", "欧先生"],
    "Anna Holt": ["Ben Holt", "B. Holt", "Anna Berg", "Mr Berg", "Carla Diaz"],
    "Tim Holt": ["Tom Holt"],
    "Jon Holt": ["Jan Holt"],
    "Herr Huber": ["Frau Huber", "Herr Maier"],
}  # fmt: skip


def _pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(left, right) for left, names in table.items() for right in names]


@pytest.mark.parametrize(("left", "right"), _pairs(MAY_BE_ONE))
def test_names_that_may_be_one_persons(left: str, right: str) -> None:
    """Alike by sound, by shape, by a slip, in another order, half, short or as a form of address."""
    assert not contradicts(person_facts(left), person_facts(right))
    assert not contradicts(person_facts(right), person_facts(left))


@pytest.mark.parametrize(("left", "right"), _pairs(CONTRADICT))
def test_names_that_are_two_peoples(left: str, right: str) -> None:
    """A family on one phone, brothers, a couple: who has another name is another person."""
    assert contradicts(person_facts(left), person_facts(right))
    assert contradicts(person_facts(right), person_facts(left))


@pytest.mark.parametrize(
    ("left", "right", "denied"),
    [
        (("Anna Holt", "1980-02-01"), ("Anna Berg", "1980-02-01"), False),  # married
        (("Anna Holt", "1980-02-01"), ("Anna Berg", "1981-09-17"), True),
        (("Anna Holt", "1980-02-01"), ("Anna Berg", ""), True),
        (("Anna Holt", "1980-02-01"), ("Ben Holt", "1980-02-01"), True),  # twins
        (("Anna Holt", "1980-02-01"), ("Hanna Holt", "1955-07-09"), True),
        (("Anna Holt", "1980-02-01"), ("Hanna Holt", "1980-02-11"), False),  # one digit
        (("Anna Holt", "1980-02-01"), ("Hanna Holt", "1980-01-02"), False),  # day and month
        (("Anna Holt", "1980-02-01"), ("Anna Holt", "1955-07-09"), False),
        (("Anna Holt", "1980-02-01"), ("Holt Anna", "1955-07-09"), False),
        (("Anna Holt", "1980-02-01"), ("Hanna Holt", "1900-01-01"), False),  # nobody said when
        (("张伟", "1980-02-01"), ("张炜", "1955-07-09"), True),
        (("张伟", "1980-02-01"), ("Zhang Wei", "1955-07-09"), False),
        (("张伟", "1980-02-01"), ("张伟", "1955-07-09"), False),
        (("张伟", "1980-02-01"), (None, "1955-07-09"), False),
        (("王小明", "1980-02-01"), ("王小红", "1980-02-01"), True),  # twins
        (("张先生", "1980-02-01"), ("张伟", "1955-07-09"), True),  # half a name is not the same name
        (
            ("Mark Holt", "1980-02-01"),
            ("Marc Holt", "1980-02-01"),
            False,
        ),  # a letter of four, born on one day
        (("Mark Holt", "1980-02-01"), ("Marc Holt", ""), True),
        (("Mark Holt", "1980-02-01"), ("Mary Holt", "1983-07-09"), True),
        (("Mark Holt", "1980-02-01"), ("Mary Holt", "1980-02-01"), True),  # twins
        (("John Holt Jr", "1980-02-01"), ("John Holt", "1955-07-09"), True),  # father and son
        (("John Holt Jr", "1980-02-01"), ("John Holt", ""), False),
        (("John Holt Jr", "1980-02-01"), ("John Holt Sr", "1980-02-01"), True),
    ],
)
def test_birth_dates_count_where_names_differ(left, right, denied: bool) -> None:
    """Contradicting dates part names that are alike; equal ones excuse a married name, and nothing else."""
    one, other = (person_facts(name, birth_date=date) for name, date in (left, right))
    assert contradicts(one, other) is contradicts(other, one) is denied


@pytest.mark.parametrize(
    ("left", "right", "denied"),
    [
        ((None, "Anna", None), (None, "Ben", None), True),
        ((None, "Anna", None), (None, "Ben", "Holt"), True),
        ((None, "Anna", None), (None, "Anna Maria", "Holt"), False),
        ((None, "Anna", None), ("Ben", None, None), False),  # which may be a nickname
        ((None, "小明", None), (None, "小红", None), False),  # of which one may be a pet name
        ((None, None, "Holt"), (None, None, "Berg"), True),
        ((None, None, "Holt"), (None, "Anna", "Holt"), False),
    ],
)
def test_a_field_says_which_half_of_a_name_it_is(left, right, denied: bool) -> None:
    """Two of a family who leave their first names at a till are two."""
    assert contradicts(person_facts(*left), person_facts(*right)) is denied
    assert contradicts(person_facts(*right), person_facts(*left)) is denied


def test_who_says_nothing_denies_nothing() -> None:
    """No facts, and equal facts are one object."""
    assert person_facts("匿名", birth_date="1900-01-01") is None
    assert not contradicts(None, person_facts("张伟"))
    assert person_facts("张伟") is person_facts("张伟")
    facts = person_facts("", "Anna", "Holt", "1980-02-01T00:00:00Z")
    assert facts is not None
    assert facts.birth_date == "1980-02-01"


NAMES = st.one_of(
    st.sampled_from([*MAY_BE_ONE, *CONTRADICT, *(name for names in CONTRADICT.values() for name in names)]),
    st.text(max_size=12),
    st.text(alphabet="张王李伟强娜小明先生欧阳", max_size=5),
    st.text(alphabet="abhn .,", max_size=9),
)
DATES = st.sampled_from(["", "1980-02-01", "1980-01-02", "1955-07-09", "1980-2", "yesterday"])


@given(NAMES, DATES, NAMES, DATES)
def test_the_veto_is_symmetric_and_nobody_contradicts_himself(
    one: str, born: str, other: str, died: str
) -> None:
    """Whatever is written: the answer has no direction, and a record agrees with itself."""
    left, right = person_facts(one, birth_date=born), person_facts(other, birth_date=died)
    assert contradicts(left, right) is contradicts(right, left)
    assert not contradicts(left, left)
    if left is not None and right is not None:
        assert names_alike(left.name, right.name) is names_alike(right.name, left.name)
