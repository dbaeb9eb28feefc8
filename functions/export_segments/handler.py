"""Segments → members, changes, files, and chunks for the CRM."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.signals import announces, committed_tables
from lakehouse.stages import aggregate, consents
from lakehouse.stages.debounce import when_quiet
from lakehouse.stages.export import export, export_triggered
from lakehouse.tables.contracts import TRIGGERS
from lakehouse.telemetry import observed


@observed
@redelivered(lambda: current().export_queue_url)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in: its messages are hints that all say the same, so the stage runs once for all of them.

    News of triggers wait for no other stage: what is written because of them is due now.
    """
    settings = current()
    queue = settings.export_queue_url
    try:
        if announces(event, TRIGGERS.name):
            when_quiet(export_triggered, settings, queue, event, for_files=timedelta())
    finally:  # whatever becomes of these, the others are not to miss their hints
        if committed_tables(event) != frozenset({TRIGGERS.name}):
            when_quiet(export, settings, queue, event, consents.pending, aggregate.pending)
    return {"batchItemFailures": []}
