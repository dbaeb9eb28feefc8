"""How deliveries stand: the counts of each sync's latest run, from the objects of its log alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lakehouse.outbound import log
from lakehouse.outbound.policies.reasons import CAP, ERASED, PROJECTION, QUIET_HOURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.outbound.records import Outcome, Run
    from lakehouse.settings import Settings


def status(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the deliveries of every sync that has a log, by its name."""
    counts = {sync: sync_status(settings, sync) for sync in log.syncs(settings)}
    return {sync: counted for sync, counted in counts.items() if counted is not None}


def sync_status(settings: Settings, sync: str) -> dict[str, Any] | None:
    """Return the counts of a sync's latest run as `count_rows` does, None before the first."""
    latest = log.latest_run(settings, sync)
    if latest is None:
        return None
    return count_rows(latest, (outcome for _, outcome in log.outcomes(settings, latest)))


def count_rows(run: Run, outcomes: Iterable[Outcome | None]) -> dict[str, Any]:
    """Return what became of those whom a run selected; an outcome is None while its chunk is open.

    `balanced`: whoever was selected was sent, unchanged, failed, unknown, is in flight or was withheld.
    `withheld_until` has by reason when the first and the last go again, where that is known.
    `removed` and `to_remove` (leavers not removed yet) stand beside the balance: they are not selected.
    """
    upserts: Counter[str] = Counter()
    now_withheld: Counter[str] = Counter()
    until = {reason: list(span) for reason, span in run.until.items()}
    removed = 0
    for outcome in filter(None, outcomes):
        upserts.update(result.status for result in outcome.rows if result.action == "upsert")
        removed += sum(result.status == "removed" for result in outcome.rows)
        now_withheld.update(result.code for result in outcome.rows if result.status == "withheld")
        for result in outcome.rows:
            if result.until:
                until.setdefault(result.code, []).append(result.until)
    told_apart = sum(now_withheld[code] for code in (PROJECTION, ERASED, CAP, QUIET_HOURS))
    withheld = {
        "consent": run.no_consent + run.withheld_waiting + upserts["withheld"] - told_apart,
        "erased": run.erased + now_withheld[ERASED],
        "projection": run.projection_waiting + now_withheld[PROJECTION],
        "cap": run.cap_waiting + now_withheld[CAP],
        "quiet_hours": run.quiet_waiting + now_withheld[QUIET_HOURS],
        "control": run.control,
        "suppressed": run.suppressed + run.same_address,
        "no_address": run.no_address,
        "no_owner": run.no_owner,
    }
    counts = {
        "sent": upserts["sent"],
        "unchanged": run.unchanged,
        "failed": run.failed_waiting + upserts["failed"],
        "unknown": run.unknown + upserts["unknown"],
        "in_flight": run.to_send - upserts.total(),
    }
    return {
        "selected": run.selected,
        "sent": counts["sent"],
        "removed": removed,
        **counts,
        "withheld": withheld,
        "withheld_until": {reason: [min(moments), max(moments)] for reason, moments in until.items()},
        "balanced": run.selected == sum(counts.values()) + sum(withheld.values()),
        "to_remove": run.to_remove - removed,
        "run": run.run,
        "at": run.created_at,
    }
