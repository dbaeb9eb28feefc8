"""The tick stage: asks every stage whether its inputs changed. With every event lost, this alone suffices."""

from __future__ import annotations

from collections.abc import Collection

from lakehouse import signals, telemetry
from lakehouse.errors import BadDefinition
from lakehouse.models import runner as models
from lakehouse.settings import Settings
from lakehouse.stages import export, resolve

_TICK = {"tick": True}
_PENDING_OF = {"resolve": resolve.pending, "aggregate": models.pending, "export_segments": export.pending}


def tick(settings: Settings) -> list[str]:
    """Send a hint to every stage that has something to do; return their names.

    Books and `aggregate` always get one: looking costs them little, and the consent projection ages. So does a stage
    that cannot say because a definition is wrong: it reports that, and must not keep the others from their hints.
    """
    due = [name for name in _PENDING_OF if _has_work(settings, name)]
    hint(settings, {*due, "aggregate"})
    signals.send(settings.books_queue_url, [_TICK], group="books")
    telemetry.info("ticked", count=len(due))
    return due


def hint(settings: Settings, stages: Collection[str]) -> None:
    """Send a hint to each of these stages, which are `resolve`, `aggregate` and `export_segments`.

    Raises `Transient` when a queue does not take it, and what boto3 raises when it cannot be asked.
    """
    if "resolve" in stages:
        signals.send(settings.resolve_queue_url, [_TICK])
    if "aggregate" in stages:
        signals.send(settings.aggregate_queue_url, [_TICK])
    if "export_segments" in stages:
        signals.send(settings.export_queue_url, [_TICK])


def pending(settings: Settings) -> list[str]:
    """Return the stages whose inputs changed since they last ran."""
    return [name for name, has_work in _PENDING_OF.items() if has_work(settings)]


def _has_work(settings: Settings, name: str) -> bool:
    try:
        return bool(_PENDING_OF[name](settings))
    except BadDefinition as error:
        telemetry.failed("a stage cannot say whether it has work", error, stage=name, reason=str(error))
        return True
