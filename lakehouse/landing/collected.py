"""What `collect` took: each request an object in the ops bucket, and then one line of a raw file; its body as it came.

    {"lakehouse_request":1,"id":"…","received_at":"…Z","source":"web","call":"batch","ip":"…","body":{…}}

The door writes it and ingest takes it apart (`lakehouse.sources.formats.collected_events`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

PREFIX: Final = "collected/"  # of requests that are in no raw file yet
MARK: Final = '{"lakehouse_request":1,'
BATCH: Final = "batch"
# By the last part of the path; the browser's SDK sends letters, Ruby's sends batches to `import`.
CALLS: Final = {
    name: call
    for call in ("track", "identify", "page", "screen", "group", "alias", BATCH)
    for name in (call, call[0])
} | {"import": BATCH}
# Code points that no message of a queue may hold; JSON says them in ASCII, too.
_NOT_IN_MESSAGES: Final = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


@dataclass(frozen=True)
class Collected:
    """One request that was let in. `call` is a type of event, or `batch`; `body` the text of a JSON object."""

    request_id: str
    received_at: datetime
    source: str
    call: str
    body: str
    ip: str = ""

    @property
    def key(self) -> str:
        """Return the key of its object."""
        return object_key(self.request_id, self.received_at)

    def line(self) -> str:
        """Return the line that it is in a raw file, and in the queue before."""
        said = {
            "id": self.request_id,
            "received_at": f"{self.received_at:%Y-%m-%dT%H:%M:%S.%f}Z",
            "source": self.source,
            "call": self.call,
            "ip": self.ip,
        }
        head = json.dumps(said, separators=(",", ":"))[1:-1]
        body = self.body.replace("\r", " ").replace("\n", " ").translate(_NOT_IN_MESSAGES)
        return f'{MARK}{head},"body":{body}}}'


def object_key(request_id: str, received_at: datetime) -> str:
    """Return the key of a request's object; requests of one minute stand together."""
    return f"{PREFIX}{received_at:%Y/%m/%d/%H/%M}/{hashlib.sha256(request_id.encode()).hexdigest()}.json"
