"""Keyed hashes of addresses, under which the consent projection knows them.

Whoever reads the projection learns no address, and without the key cannot even try one. The key is that of hashed
columns; the hashes are none of theirs, since what is hashed begins with a word of its own.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse.engine.subject_words import ADDRESS_TYPES, OF_ADDRESSES, OF_IDENTIFIERS, SUBJECT_DIGITS
from lakehouse.errors import Terminal
from lakehouse.privacy.policy import AddressHashPolicy
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_OF_THE_KEY = "consent key"


@dataclass(frozen=True, slots=True)
class AddressHasher:
    """Hashes addresses with HMAC-SHA-256 (RFC 2104)."""

    key: bytes = field(repr=False)

    def hash(self, address: str) -> str:
        """Return the hash of an address in its normal form, as 32 hexadecimal digits."""
        return self._digest(OF_ADDRESSES, address)

    def hash_identifier(self, kind: str, value: str) -> str:
        """Return the hash of an identifier, as SQL's `subject_hash` gives it: of an e-mail or phone as an address."""
        return self.hash(value) if kind in ADDRESS_TYPES else self._digest(OF_IDENTIFIERS, kind, value)

    @property
    def fingerprint(self) -> str:
        """Return what tells this key from another one, and says nothing of it."""
        return self._digest(_OF_THE_KEY, "")

    def _digest(self, *words: str) -> str:
        return hmac.new(self.key, "\0".join(words).encode(), hashlib.sha256).hexdigest()[:SUBJECT_DIGITS]


def address_hasher(settings: Settings) -> AddressHasher:
    """Return the hasher with the key of the secret store.

    Raises Transient when the secret cannot be read, Terminal when it holds no key that is long enough.
    """
    key = secret(settings.hash_secret).get("key")
    if not isinstance(key, str) or len(key) < AddressHashPolicy.min_characters:
        raise Terminal(
            f"secret {settings.hash_secret} has no key of at least {AddressHashPolicy.min_characters} characters, "
            'which the consent projection hashes addresses with: write {"key": "…"} into it, such as what '
            "`openssl rand -hex 32` prints"
        )
    return AddressHasher(key.encode())
