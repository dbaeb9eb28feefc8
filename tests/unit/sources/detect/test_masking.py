"""A masked value shows what a value looks like, and nothing of what it says."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("", ""),
        ("Ann-Lee 7", "xxx-xxx 9"),
        ("张伟", "字字"),
        ("二〇二六", "字字字字"),
        ("٣½", "99"),
        ("é", "x"),
        ("Ⓐ™", "xx"),
        ("¥ 1,299.00", "¥ 9,999.99"),
        ("x" * 41, "x" * 40 + "…"),
    ],
)
def test_characters_become_their_class(text, masked):
    """Letters x, digits 9, Han 字, marks as they are; a letter in disguise is one, and long values are cut."""
    assert mask(text) == masked
