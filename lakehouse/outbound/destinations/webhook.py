"""Webhooks signed as standardwebhooks.com says: one message a row, named the same whenever it is sent again.

The receiver keeps the ids of messages that it has seen, so that sending one again changes nothing there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import Answer, Declared
from lakehouse.outbound.destinations.client import Client, Request
from lakehouse.outbound.destinations.credentials import Credentials, credentials
from lakehouse.outbound.destinations.delivery import RowSender, done
from lakehouse.outbound.destinations.delivery import chunk_rows as rows_within_rate
from lakehouse.outbound.destinations.exchange import Answered, until_answered
from lakehouse.outbound.destinations.template_request import request_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.outbound.destinations.definition import WebhookDefinition
    from lakehouse.outbound.destinations.exchange import Asking
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

_PREFIX: Final = "whsec_"
_TYPES: Final = {"upsert": "customer.updated", "remove": "customer.removed"}


class Webhooks(RowSender):
    """A URL that takes signed webhooks. The credentials hold `secret`, and `next_secret` while it is being replaced."""

    def __init__(
        self,
        client: Client,
        definition: WebhookDefinition,
        secrets: Credentials,
        unix_time: Callable[[], float] = time.time,
        **timing: Callable[..., Any],
    ) -> None:
        super().__init__(**timing)
        self._client = client
        self._who = f"destination {definition.name}"
        self._keys = [signing_key(secrets[name]) for name in ("secret", "next_secret") if name in secrets]
        if not self._keys:
            self._keys = [signing_key(secrets["secret"])]
        self._unix_time = unix_time
        self.declared = declared(definition)

    @property
    def who(self) -> str:
        """Return how errors call it."""
        return self._who

    def upsert(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Say that a row changed; raises as `until_answered`."""
        return self._say(chunk, rows[0], asking)

    def remove(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Say that a row was removed; raises as `until_answered`."""
        return self._say(chunk, rows[0], asking)

    def _say(self, chunk: Chunk, row: Row, asking: Asking) -> Answered[dict[int, Answer]]:
        message_id = f"msg_{request_key(chunk, [row])}"
        body = _body(chunk, row)

        def once() -> dict[int, Answer]:
            timestamp = int(self._unix_time())  # of this try: a receiver refuses one that is five minutes old
            headers = {
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": sign(self._keys, message_id, timestamp, body),
            }
            request = Request("POST", "", content=body, headers=headers)
            if self._client.call(request, also=(httpx.codes.GONE,)).status_code == httpx.codes.GONE:
                raise Terminal(f"{self.who} says that it is gone for good (410): remove it from the syncs")
            return {row.row: Answer(done(row.action))}

        return until_answered(once, asking)


def _body(chunk: Chunk, row: Row) -> bytes:
    data = {
        "sync": chunk.sync,
        "object": chunk.object,
        chunk.id_property: row.id,
        "customer_id": row.customer_id,
        "properties": row.properties,
    }
    return json.dumps({"type": _TYPES[row.action], "data": data}, ensure_ascii=False).encode()


def sign(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one signature a key, with blanks between; `timestamp` in seconds."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def signing_key(secret: str) -> bytes:
    """Return the key of a secret, `whsec_` and base64; Terminal for what is none."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:  # an empty key would let everybody sign
        raise Terminal("a webhook's secret is not `whsec_` and base64; correct the secret")
    return key


def declared(definition: WebhookDefinition) -> Declared:
    """Return what a destination of webhooks declares."""
    return Declared(1, definition.rate, idempotent=True, removal="clear")


def chunk_rows(definition: WebhookDefinition) -> int:
    """Return how many rows a chunk has at most."""
    return rows_within_rate(declared(definition))


def open_destination(settings: Settings, definition: WebhookDefinition) -> Webhooks:
    """Return the receiver that a destination's file names; Terminal as `Client` and `credentials`."""
    return Webhooks(Client(settings, definition), definition, credentials(settings, definition))
