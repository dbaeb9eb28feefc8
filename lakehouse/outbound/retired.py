"""Syncs that ended: switched off, or their file is gone. What they wrote is taken off, by the definition they last had.

`outbound/<sync>/definition.json` is the definition of the latest run; a log of an earlier release has none, and its
chunks say enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from lakehouse import objects, telemetry
from lakehouse.outbound import log
from lakehouse.outbound.definition import Sync

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def note_definition(settings: Settings, sync: Sync) -> None:
    """Write down by which definition a run was planned."""
    body = sync.model_dump_json(by_alias=True).encode()
    objects.put(settings.ops_bucket, _key(sync.name), body)


def last_definition(settings: Settings, name: str) -> Sync | None:
    """Return the definition that a sync last had; None where it never sent anything."""
    body = objects.get(settings.ops_bucket, _key(name))
    if body is not None:
        try:
            return Sync.model_validate_json(body)
        except ValidationError:
            telemetry.warn("a sync's last definition is unreadable; its chunks are asked", sync=name)
    return _from_chunks(settings, name)


def _from_chunks(settings: Settings, name: str) -> Sync | None:
    """Return enough of a definition to take people off by, from the latest chunk that there is."""
    chunks = (
        log.chunk(settings, name, run.run, run.chunk_ids()[-1])
        for run in reversed(list(log.runs(settings, name)))
        if run.chunks
    )
    latest = next(chunks, None)
    if latest is None:
        return None
    return Sync.model_validate(
        {
            "name": name,
            "destination": latest.destination,
            "object": latest.object,
            "id": {"property": latest.id_property, "from": latest.id_property},
            "purpose": latest.purpose,
            "channel": latest.channel,
            "segments": ["ended"],
            "properties": dict.fromkeys(latest.rows[0].properties, "customer_id"),
        }
    )


def _key(name: str) -> str:
    return f"{log.ROOT}{name}/definition.json"
