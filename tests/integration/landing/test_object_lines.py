"""An object is read line by line, wherever its chunks end."""

from __future__ import annotations

import pytest

from lakehouse import objects
from lakehouse.landing.object_lines import lines
from lakehouse.landing.policy import ReadPolicy
from tests.support import cloud as clouds


@pytest.fixture(autouse=True)
def buckets(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a", [b"a"]),
        (b"a\nbc\n\n  \ndef\n", [b"a", b"bc", b"def"]),
        (b"a\xc3\xa9\r b\nc", [b"a\xc3\xa9\r b", b"c"]),
    ],
)
def test_lines_are_whole(monkeypatch, chunk, body, expected):
    """Blank ones are left out, the last one needs no newline."""
    monkeypatch.setattr(ReadPolicy, "chunk_bytes", chunk)
    objects.put(clouds.OPS, "x", body)
    assert list(lines(clouds.OPS, "x")) == expected


def test_no_object_has_no_lines():
    """It may have been erased between listing and reading."""
    assert list(lines(clouds.OPS, "nobody")) == []
