"""Training without labels finds chances that are there; what is not there stays as it was."""

from __future__ import annotations

import random

import pytest

from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.model import default_model
from lakehouse.identity.matching.training import adapt, train

COLUMNS = ("record", "given_name", "surname", "birth_date", "postcode", "street_number", "address")
PHONE_WRONG = 0.2


def _people(count: int) -> list[tuple[str, ...]]:
    """Return two records each of so many people; every fifth has another postcode in its second."""
    rng = random.Random(7)
    syllables = [a + b for a in "bdfghklmnprstw" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]
    rows = []
    for number in range(count):
        given, family, road = ("".join(rng.sample(syllables, 2)) for _ in range(3))
        born = f"{rng.randint(1940, 2000)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
        postcode, house = str(rng.randint(1000, 9999)), str(rng.randint(1, 300))
        rows.append((f"{number}a", given, family, born, postcode, house, f"{road} street"))
        moved = postcode if rng.random() >= PHONE_WRONG else str(rng.randint(1000, 9999))
        rows.append((f"{number}b", given, family, born, moved, house, f"{road} street"))
    return rows


def test_known_chances_are_found(con, people) -> None:
    """A fifth of the postcodes were made wrong: that is what training says, to within a few hundredths."""
    model = train(con, features(con, people(_people(800), COLUMNS)))
    postcode = model.chances["postcode"]
    assert postcode.m[0] == pytest.approx(1 - PHONE_WRONG, abs=0.05)
    assert postcode.u[0] < 0.002  # of 9,000 postcodes, and of what is one person's among the random pairs
    assert model.chances["phone"] == default_model().chances["phone"]
    assert model.records == 1_600


def test_frequencies_name_no_rare_value(con, people) -> None:
    """What fewer than five records share stands in no model; who has many records with one phone counts once."""
    rows = [(f"r{at}", "张伟", "13800138000" if at < 6 else None, None, None, None) for at in range(10)]
    model = adapt(con, features(con, people([*rows, ("x", "濮存昕", "13912345678", None, None, None)])))
    assert dict(model.frequencies["full_name"].shares) == {"张伟": pytest.approx(8 / 11)}
    assert model.frequencies["full_name"].other == pytest.approx(0.3 / 11)
    assert dict(model.frequencies["phone"].shares) == {"+8613800138000": pytest.approx(1 / 7)}
    assert "email" not in model.frequencies
    assert "13912345678" not in str(model.as_json())
