"""The tick stage: with every event lost, this alone makes each stage look at its inputs."""

from __future__ import annotations

from lakehouse import signals, telemetry
from lakehouse.errors import BadDefinition
from lakehouse.models import runner as models
from lakehouse.settings import Settings
from lakehouse.stages import export, resolve

_TICK = {"tick": True}
_ASKED = {"resolve": resolve.pending, "aggregate": models.pending, "export_segments": export.pending}


def tick(settings: Settings) -> list[str]:
    """Send a hint to every stage that has something to do; return their names.

    Books and the consent projection are always asked: looking costs them little, and the projection ages. A stage
    with a wrong definition is asked too, and tells: it must not keep the others from being asked.
    """
    due = [name for name in _ASKED if _has_work(settings, name)]
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
    return [name for name, has_work in _ASKED.items() if has_work(settings)]


def _has_work(settings: Settings, name: str) -> bool:
    try:
        return bool(_ASKED[name](settings))
    except BadDefinition as error:
        telemetry.failed("a stage cannot say whether it has work", error, stage=name, reason=str(error))
        return True
