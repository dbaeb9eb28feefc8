"""Contradicting names at one door: two people where birth dates differ, mistakes where they do not."""

from __future__ import annotations

import pytest

from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.neighbours import names_tell

GIVEN = ("Anna", "Ben", "Carla", "Dora", "Emil", "Frida", "Gustav", "Hilde")


def _doors(born) -> list[tuple[str, ...]]:
    return [
        (
            f"{door}{at}",
            f"{GIVEN[(door + 3 * at) % 8]} Holt",
            None,
            None,
            f"{door + 1} High Street, Bath",
            born(door, at),
        )
        for door in range(25)
        for at in range(2)
    ]


@pytest.mark.parametrize(
    ("born", "share"),
    [
        (lambda door, at: f"19{40 + door}-0{1 + 7 * at}-1{7 * at}", 1.0),  # families
        (lambda door, _: f"19{40 + door}-01-11", 0.0),  # overwritten names
        (lambda door, at: f"19{40 + door}-01-1{at}", 0.0),  # and a slip
        (lambda *_: None, None),  # nobody can tell
    ],
)
def test_birth_dates_tell(con, people, born, share: float | None) -> None:
    """The share of pairs that were born on different days; too few pairs say nothing."""
    assert names_tell(con, features(con, people(_doors(born)))) == share
