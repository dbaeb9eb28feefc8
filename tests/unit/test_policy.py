"""Every tunable number says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest

from lakehouse.policy import Knob, Policy


@dataclass(frozen=True)
class Example(Policy):
    """A policy."""

    most: Annotated[int, "files in one commit"] = 3


def test_a_policy_lists_its_knobs() -> None:
    """Name, value and meaning come from the class; an instance may differ."""
    assert Example.knobs() == [Knob("Example.most", 3, "files in one commit", __name__)]
    assert (Example.most, Example(most=5).most) == (3, 5)


def test_a_number_without_a_meaning_is_refused() -> None:
    """A knob nobody explains would be turned by guess."""

    @dataclass(frozen=True)
    class Silent(Policy):
        most: int = 3

    with pytest.raises(TypeError, match=r"Silent\.most"):
        Silent.knobs()
