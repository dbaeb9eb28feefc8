"""A webhook's body becomes lines, byte for byte; what is no JSON is refused without being quoted."""

from __future__ import annotations

import pytest

from lakehouse.landing.signatures import BadSignature
from lakehouse.landing.webhook import BadBody, _secrets, split


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"a": 1}', ['{"a": 1}']),
        (b'\n[ {"a":\r\n1.10} ,\t{"b": 1e400}\n]\n', ['{"a":  1.10}', '{"b": 1e400}']),
        (b"[[1, 2], 3, null]", ["[1, 2]", "3", "null"]),
        ('["王\\n\u2028", {"a": {"b": []}}]'.encode(), ['"王\\n\u2028"', '{"a": {"b": []}}']),
        (b'[{"a": 1, "a": 2}]', ['{"a": 1, "a": 2}']),
        (b"[12345678901234567890.123456789]", ["12345678901234567890.123456789"]),
        (b"7", ["7"]),
    ],
)
def test_elements_stay_as_they_came(body, lines):
    """Digits, repeated names, order: only breaks between tokens become spaces."""
    assert split(body) == lines


def test_bad_body_says_no_more_than_needed():
    """No byte of the body is in the message."""
    with pytest.raises(BadBody) as caught:
        split(b'{"name": "Li Wei"')
    assert "Li Wei" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"[1,]", b"[1 2]", b"{} {}", b"[NaN]", b"\xff{}", b"[" * 99_999]
)
def test_what_is_no_json_is_refused(body):
    """Also bytes that are no UTF-8, and lists within lists without end."""
    with pytest.raises(BadBody, match="the body is not JSON"):
        split(body)


@pytest.mark.parametrize(
    ("shared", "names", "secrets"),
    [
        ({"shop": ["a", "b"]}, ("shop", "default"), ["a", "b"]),
        ({"default": ["d"]}, ("shop", "default"), ["d"]),
        ({"shop": [""], "default": ["d"]}, ("shop", "default"), ["d"]),
        ({"shop": "text", "default": [7]}, ("shop", "default"), ["7"]),
    ],
)
def test_the_first_name_with_secrets_counts(shared, names, secrets):
    """An empty secret is none, for everybody could sign with it."""
    assert _secrets(shared, *names) == secrets


def test_without_a_secret_nobody_is_known():
    """The message says what to do."""
    with pytest.raises(BadSignature, match="no secret is shared with shop: add one"):
        _secrets({"other": ["x"]}, "shop", "default")
