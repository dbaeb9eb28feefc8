"""An object store in a dict: what `lakehouse.objects` promises, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse import objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class ObjectsInMemory:
    """Keeps the bytes of each (bucket, key); its methods are those of the module `lakehouse.objects`."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[str, str], bytes] = {}

    def get(self, bucket: str, key: str) -> bytes | None:
        return self.bodies.get((bucket, key))

    def put(self, bucket: str, key: str, body: bytes, content_type: str = "") -> None:  # noqa: ARG002
        self.bodies[bucket, key] = body

    def put_once(self, bucket: str, key: str, body: bytes, content_type: str = "") -> bytes:  # noqa: ARG002
        return self.bodies.setdefault((bucket, key), body)

    def put_unless_there(self, bucket: str, key: str, body: bytes, content_type: str = "") -> None:
        self.put_once(bucket, key, body, content_type)

    def list_keys(self, bucket: str, prefix: str) -> Iterator[str]:
        keys = sorted(key for place, key in list(self.bodies) if place == bucket and key.startswith(prefix))
        return (key.removeprefix(prefix) for key in keys)

    def list_folders(self, bucket: str, prefix: str, after: str = "") -> Iterator[str]:
        names = {key.partition("/")[0] for key in self.list_keys(bucket, prefix) if "/" in key}
        return iter(sorted(name for name in names if name > after))


def objects_in_memory(monkeypatch: pytest.MonkeyPatch) -> ObjectsInMemory:
    """Put a store in memory in the place of object storage, for one test."""
    store = ObjectsInMemory()
    for name in ("get", "put", "put_once", "put_unless_there", "list_keys", "list_folders"):
        monkeypatch.setattr(objects, name, getattr(store, name))
    return store
