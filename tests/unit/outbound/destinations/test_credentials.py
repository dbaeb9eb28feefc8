"""Credentials come by name, and are shown nowhere."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import credentials
from lakehouse.outbound.destinations.credentials import Credentials
from lakehouse.outbound.destinations.definition import Definition
from lakehouse.settings import Settings

MINE = Definition(name="mine", kind="http")


def _of(monkeypatch, value):
    monkeypatch.setattr(credentials, "secret", lambda _: value)
    return credentials.credentials(Settings(), MINE)


def test_a_value_that_was_pasted_with_a_blank_line_still_opens(monkeypatch):
    """As editors and clipboards add one."""
    assert _of(monkeypatch, {"mine": {"token": " abc\n"}})["token"] == "abc"


@pytest.mark.parametrize("value", ["abc", ["abc"], {"token": 3}, {"token": None}, {"token": {"x": "abc"}}])
def test_what_is_no_object_of_texts_is_told(monkeypatch, value):
    """Without what it says."""
    with pytest.raises(Terminal, match="'mine' in the secret lakehouse/destinations") as caught:
        _of(monkeypatch, {"mine": value})
    assert "abc" not in str(caught.value)


def test_a_line_break_inside_is_told(monkeypatch):
    """It would end a header, and the HTTP library's error would quote it."""
    with pytest.raises(Terminal, match="token holds a line break") as caught:
        _of(monkeypatch, {"mine": {"token": "abc\ndef"}})
    assert "abc" not in str(caught.value)


def test_one_that_is_missing_is_told(monkeypatch):
    """By its name, and where to write it."""
    with pytest.raises(Terminal, match="'mine' in the secret lakehouse/destinations has no 'token'"):
        _of(monkeypatch, {"other": {"token": "abc"}})["token"]


def test_they_are_not_shown():
    """Neither as text nor for debugging."""
    held = Credentials({"token": "abc"}, "x")
    assert "abc" not in f"{held}{held!r}"
