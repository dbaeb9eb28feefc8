"""The tick stage: asks every stage whether its inputs changed. With every event lost, this alone suffices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import uuid4

from lakehouse import error_text, signals, telemetry
from lakehouse.settings import Settings
from lakehouse.stages import aggregate, consents, export

_TICK = {"tick": True}
_PENDING_OF = {"resolve": consents.pending, "aggregate": aggregate.pending, "export_segments": export.pending}


def tick(settings: Settings) -> list[str]:
    """Send a hint to every stage that has something to do; return their names.

    Books and `resolve` always get one: looking costs them little, and the consent projection ages. So does a stage
    that cannot say, because a definition is wrong, an object damaged or a service away: it reports that, and must not
    keep the others from their hints; nor must a queue that takes none.
    """
    due = [name for name in _PENDING_OF if _has_work(settings, name)]
    errors = [*_hint(settings, {*due, "resolve"}), _send(settings.books_queue_url, group="books")]
    telemetry.info("ticked", count=len(due))
    _raise_first(errors)
    return due


def hint(settings: Settings, stages: Collection[str]) -> None:
    """Send a hint to each of these stages, which are `resolve`, `aggregate` and `export_segments`.

    Raises `Transient` when a queue does not take it, and what boto3 raises when it cannot be asked; the others have
    theirs by then.
    """
    _raise_first(_hint(settings, stages))


def _hint(settings: Settings, stages: Collection[str]) -> list[Exception | None]:
    """Send a hint to each of these stages; return what kept some from their queue."""
    errors = []
    if "resolve" in stages:
        errors.append(_send(settings.resolve_queue_url))
    if "aggregate" in stages:
        errors.append(_send(settings.aggregate_queue_url))
    if "export_segments" in stages:
        errors.append(_send(settings.export_queue_url))
    return errors


def _send(queue_url: str, group: str | None = None) -> Exception | None:
    """Send a hint; return the error that kept it from its queue."""
    try:
        # A FIFO queue drops a body that it has seen in the last five minutes.
        signals.send(queue_url, [_TICK | ({"id": uuid4().hex} if group else {})], group=group)
    except Exception as error:  # noqa: BLE001 - returned, and raised when the other hints are sent
        telemetry.failed("a hint was not sent", error, queue=queue_url, reason=error_text.safe_text(error))
        return error
    return None


def _raise_first(errors: Sequence[Exception | None]) -> None:
    for error in errors:
        if error is not None:
            raise error


def pending(settings: Settings) -> list[str]:
    """Return the stages whose inputs changed since they last ran."""
    return [name for name, has_work in _PENDING_OF.items() if has_work(settings)]


def _has_work(settings: Settings, name: str) -> bool:
    try:
        return bool(_PENDING_OF[name](settings))
    except Exception as error:  # noqa: BLE001 - the stage meets it too, and reports it
        reason = error_text.safe_text(error)
        telemetry.failed("a stage cannot say whether it has work", error, stage=name, reason=reason)
        return True
