"""Addresses are known to the projection by a keyed hash alone."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from lakehouse.errors import Terminal
from lakehouse.privacy import address_hash
from lakehouse.privacy.address_hash import AddressHasher, address_hasher
from lakehouse.settings import Settings

KEY = "k" * 32


def test_a_hash_is_hmac_sha_256_of_the_address_behind_a_word_of_its_own():
    """Hashed columns, which use the same key, never have an equal hash."""
    expected = hmac.digest(KEY.encode(), b"consent address\0ann@x.org", hashlib.sha256).hex()[:32]
    assert AddressHasher(KEY.encode()).hash("ann@x.org") == expected
    assert AddressHasher(KEY.encode()).hash("ann@x.org") != AddressHasher(b"other").hash("ann@x.org")


def test_the_fingerprint_tells_keys_apart_and_no_key():
    """Another key hashes nothing to what stands in the projection."""
    one, other = AddressHasher(KEY.encode()), AddressHasher(b"other")
    assert one.fingerprint != other.fingerprint
    assert KEY not in repr(one)


@pytest.mark.parametrize("held", [{}, {"key": "short"}, {"key": 12}])
def test_a_secret_without_a_long_key_is_told(monkeypatch, held):
    """What to write into it, and into which."""
    monkeypatch.setattr(address_hash, "secret", lambda _: held)
    with pytest.raises(Terminal, match="lakehouse/hash has no key of at least 32 characters"):
        address_hasher(Settings())


def test_the_key_comes_from_the_secret_store(monkeypatch):
    """From the secret that the settings name."""
    monkeypatch.setattr(address_hash, "secret", {"lakehouse/hash": {"key": KEY}}.__getitem__)
    assert address_hasher(Settings()) == AddressHasher(KEY.encode())
