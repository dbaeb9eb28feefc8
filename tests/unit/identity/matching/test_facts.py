"""Facts out of features deny what facts out of the record itself deny."""

from __future__ import annotations

import itertools

from lakehouse.identity.matching.facts import facts_of
from lakehouse.identity.matching.features import features
from lakehouse.identity.normalise.persons import contradicts, person_facts

NAMES = (
    *(
        "张伟",
        "张炜",
        "李娜",
        "张先生",
        "张女士",
        "张",
        "Zhang Wei",
        "快乐的猪",
        "匿名",
        "欧阳修",
        "买买提·吐尔逊",
    ),
    *(
        "王小明",
        "王明",
        "Anna Holt",
        "Holt, Anna",
        "A. Holt",
        "Ms Holt",
        "Ben Holt",
        "Anna Berg",
        "Anna",
        "Mr Berg",
        "John Holt Sr",
        "John Holt Jr",
        "김민수",
        "김영희",
        "田中さくら",
    ),
)
DATES = (None, "1980-02-01", "1955-07-09", "1900-01-01")


def test_the_same_pairs_contradict(con, people) -> None:
    """Of all pairs of names and birth dates; equal facts are one object."""
    said = list(itertools.product(NAMES, DATES))
    rows = [(f"{at:03}", name, None, None, None, born) for at, (name, born) in enumerate(said)]
    found = facts_of(con, features(con, people([*rows, ("999", *rows[0][1:])])))
    direct = [person_facts(name, birth_date=born) for name, born in said]
    assert found[0] is found[-1]
    different = [
        (said[a], said[b])
        for a, b in itertools.combinations(range(len(said)), 2)
        if contradicts(found[a], found[b]) is not contradicts(direct[a], direct[b])
    ]
    assert different == []
