"""Which file was put last under a name: bytes that came before, but are not the newest, say something new.

An export that reads on Wednesday as it did on Monday says that Tuesday's is over. So `put` notes under each name, in
the ops bucket, which content came last and under which key: `landed/<source>/<entity>/names/<hash>.json`. A file in
a folder that somebody puts has two names: its path below that folder, by which the folder may be put again as a
whole, and what the file itself is called.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass

from lakehouse import objects


@dataclass(frozen=True)
class Newest:
    """The content that was put last under a name, by its sha-256, and the key that it has in the landing bucket."""

    digest: str
    key: str


class NewestNotes:
    """The notes of one file's names, the more exact name first."""

    def __init__(self, ops_bucket: str, source_key: str, names: tuple[str, ...]) -> None:
        self._bucket = ops_bucket
        self._keys = [
            f"landed/{source_key}/names/{hashlib.sha256(os.fsencode(name)).hexdigest()}.json"
            for name in names
        ]

    def read(self) -> Newest | None:
        """Return what was put last under the first of the names that anything was put under."""
        for key in self._keys:
            body = objects.get(self._bucket, key)
            if body is not None:
                return Newest(**json.loads(body))
        return None

    def write(self, newest: Newest) -> None:
        """Note what is put now under each of the names."""
        for key in self._keys:
            objects.put(self._bucket, key, json.dumps(asdict(newest)).encode())
