"""How deliveries stand: the counts of each sync's latest run, from the objects of its log alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lakehouse.outbound import acknowledged, log

if TYPE_CHECKING:
    from lakehouse.outbound.records import Run


def status() -> dict[str, dict[str, Any]]:
    """Return the deliveries of every sync that has a log, by its name."""
    return {sync: counts for sync in log.syncs() if (counts := sync_status(sync)) is not None}


def sync_status(sync: str) -> dict[str, Any] | None:
    """Return the counts of a sync's latest run, None before the first.

    `balanced`: whoever was selected was sent, unchanged, failed, unknown, is in flight or was withheld.
    `removed` and `to_remove` (leavers not removed yet) stand beside the balance: they are not selected.
    """
    latest = acknowledged.load(sync, renew=False).latest
    return None if latest is None else _counts(latest)


def _counts(run: Run) -> dict[str, Any]:
    rows: Counter[tuple[str, str]] = Counter()
    for _, outcome in log.outcomes(run):
        if outcome is not None:
            rows.update((result.action, result.status) for result in outcome.rows)
    settled = sum(number for (action, _), number in rows.items() if action == "upsert")
    withheld = {
        "consent": run.no_consent + run.withheld_waiting + rows["upsert", "withheld"],
        "cap": 0,
        "quiet_hours": 0,
        "control": 0,
        "suppressed": run.no_address + run.same_address,
    }
    counts: dict[str, Any] = {
        "selected": run.selected,
        "sent": rows["upsert", "sent"],
        "removed": rows["remove", "removed"],
        "unchanged": run.unchanged,
        "failed": run.failed_waiting + rows["upsert", "failed"],
        "unknown": run.unknown + rows["upsert", "unknown"],
        "in_flight": run.to_send - settled,
        "withheld": withheld,
    }
    parts = ("sent", "unchanged", "failed", "unknown", "in_flight")
    counts["balanced"] = run.selected == sum(counts[part] for part in parts) + sum(withheld.values())
    return {
        **counts,
        "to_remove": run.to_remove - rows["remove", "removed"],
        "run": run.run,
        "at": run.created_at,
    }
