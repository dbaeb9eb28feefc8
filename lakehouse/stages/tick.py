"""The tick stage: with every event lost, this alone makes each stage look at its inputs."""

from __future__ import annotations

from lakehouse import signals, telemetry
from lakehouse.models import run as models
from lakehouse.segments import refresh as segments
from lakehouse.settings import Settings
from lakehouse.stages import export, resolve

_TICK = {"tick": True}


def tick(settings: Settings) -> list[str]:
    """Send a hint to every stage that has something to do; return their names.

    Books and the consent projection are always asked: looking costs them little, and the projection ages.
    """
    due = pending(settings)
    if "resolve" in due:
        signals.send(settings.resolve_queue_url, [_TICK])
    signals.send(settings.aggregate_queue_url, [_TICK])
    if "export_segments" in due:
        signals.send(settings.export_queue_url, [_TICK])
    signals.send(settings.books_queue_url, [_TICK], group="books")
    telemetry.info("ticked", count=len(due))
    return due


def pending(settings: Settings) -> list[str]:
    """Return the stages whose inputs moved since they last ran."""
    due = []
    if resolve.pending(settings):
        due.append("resolve")
    if models.pending(settings):
        due.append("aggregate")
    if segments.pending(settings) or export.open_chunks(settings):
        due.append("export_segments")
    return due
