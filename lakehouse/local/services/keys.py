"""The keys of one data folder: random, made once, readable by their owner alone."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.local.private_file import write_private

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """What opens the services of one stack."""

    access_key: str
    secret_key: str
    hubspot_token: str
    hubspot_webhook: str  # HubSpot signs its webhooks with the app's client secret
    webhook: str  # everybody else's, in the form of standardwebhooks.com
    events_token: str  # between SeaweedFS and the listener for its events
    hash_key: str  # what sources that say `collect: hash` hash with
    write_key: str  # what senders of tracked events show

    def hubspot_secret(self) -> str:
        """Return the value of the secret that holds HubSpot's token."""
        return json.dumps({"token": self.hubspot_token})

    def webhook_secret(self) -> str:
        """Return the value of the secret that holds the webhooks' signing secrets, by source."""
        return json.dumps({"hubspot": [self.hubspot_webhook], "default": [self.webhook]})

    def collect_secret(self) -> str:
        """Return the value of the secret that holds the write keys of tracked events, by source."""
        return json.dumps({"web": [self.write_key]})

    def hash_secret(self) -> str:
        """Return the value of the secret that holds the key of `collect: hash`."""
        return json.dumps({"key": self.hash_key})


def load_keys(path: Path) -> Keys:
    """Return the keys kept at `path`, making them the first time, and those that an older folder lacks.

    Raises `Terminal` for a damaged file: with new keys the object store would be locked.
    """
    new_keys = _make_keys()
    kept: dict[str, str] = {}
    try:
        kept = json.loads(path.read_text("utf-8"))
        keys = Keys(**{"hash_key": new_keys.hash_key, "write_key": new_keys.write_key, **kept})
    except FileNotFoundError:
        keys = new_keys
    except (ValueError, TypeError) as error:
        raise Terminal(f"{path} holds no keys ({error}): restore it, or start with a new --data") from None
    if asdict(keys) != kept:
        write_private(path, asdict(keys))
    return keys


def _make_keys() -> Keys:
    return Keys(
        access_key=f"local{secrets.token_hex(8)}",
        secret_key=secrets.token_urlsafe(30),
        hubspot_token=f"pat-local-{secrets.token_hex(16)}",
        hubspot_webhook=secrets.token_hex(16),
        webhook="whsec_" + base64.b64encode(secrets.token_bytes(24)).decode("ascii"),
        events_token=secrets.token_hex(16),
        hash_key=secrets.token_hex(32),
        write_key=secrets.token_hex(16),
    )
