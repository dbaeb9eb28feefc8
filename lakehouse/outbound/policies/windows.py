"""When a person may be written to: outside of quiet hours in each zone they may be in, or in their best hour. Pure.

Windows are computed where a run is planned, in seconds since 1970, so that who sends needs no time zones.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Final

from lakehouse.outbound.policies.reasons import QUIET_HOURS, Reason
from lakehouse.outbound.policy import ContactPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, tzinfo

    from lakehouse.outbound.policies.definition import QuietHours

Span = tuple[int, int]  # from, until; seconds since 1970
_MINUTES_AN_HOUR: Final = 60


def reason_of_hour(windows: Sequence[Sequence[int]], zone: str, now: datetime) -> Reason | None:
    """Return why nobody may be written to now, and until when; None inside of a window.

    After the last window it is asked anew at once: the plan is too old to say.
    """
    moment = now.timestamp()
    if any(start <= moment < until for start, until in windows):
        return None
    opens = min((start for start, _ in windows if start > moment), default=None)
    return Reason(QUIET_HOURS, zone, now if opens is None else datetime.fromtimestamp(opens, UTC))


@lru_cache(maxsize=4096)
def open_windows(
    hours: QuietHours, zones: tuple[tzinfo, ...], home: tzinfo, best_hour: int | None, day: date
) -> tuple[Span, ...]:
    """Return when somebody may be written to, from the UTC day `day` on for `ContactPolicy.window_days` days.

    Of several `zones` it must be outside of quiet hours in each; where that is never, in as many as can be.
    `best_hour`, an hour of the day in the zone of the business, `home`, is waited for where it is not always quiet.
    """
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    horizon = (int(begin.timestamp()), int((begin + timedelta(days=ContactPolicy.window_days)).timestamp()))
    days = [day + timedelta(days=number) for number in range(-2, ContactPolicy.window_days + 2)]
    quiet = [
        [_local_span(each, hours.start, hours.until, zone) for each in days] for zone in zones or (home,)
    ]
    found = _most_at_once([_outside(spans, horizon) for spans in quiet])
    if hours.best_hour and best_hour is not None:
        first = best_hour * _MINUTES_AN_HOUR
        best = [_local_span(each, first, first + _MINUTES_AN_HOUR, home) for each in days]
        found = _both(found, best) or found
    return tuple(found)


def _local_span(day: date, start: int, until: int, zone: tzinfo) -> Span:
    """Return the span between two minutes of a local day; of the next day where `until` is no later.

    Where a clock is set there are two such moments, or none: quiet hours begin with the first and end with the last.
    """
    end_day = day if until > start else day + timedelta(days=1)
    return min(_moments(day, start, zone)), max(_moments(end_day, until, zone))


def _moments(day: date, minute: int, zone: tzinfo) -> tuple[int, int]:
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(
        minutes=minute
    )  # wall-clock arithmetic
    return int(local.replace(fold=0).timestamp()), int(local.replace(fold=1).timestamp())


def _outside(spans: Iterable[Span], horizon: Span) -> list[Span]:
    """Return what is left of a span when others, in order, are taken out of it."""
    left, at = [], horizon[0]
    for start, until in spans:
        if start > at:
            left.append((at, min(start, horizon[1])))
        at = max(at, until)
        if at >= horizon[1]:
            return left
    return [*left, (at, horizon[1])]


def _most_at_once(lists: Sequence[Sequence[Span]]) -> list[Span]:
    """Return where spans of the most lists overlap; those of one list do not overlap each other."""
    steps: Counter[int] = Counter()
    for start, until in chain.from_iterable(lists):
        steps[start] += 1
        steps[until] -= 1
    moments = sorted(moment for moment, step in steps.items() if step)
    counts = list(accumulate(steps[moment] for moment in moments))
    most = max(counts, default=0)
    return [
        (start, until)
        for (start, until), count in zip(pairwise(moments), counts, strict=False)
        if count == most
    ]


def _both(some: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """Return where spans of one list and of another overlap."""
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others)
    return sorted({(start, until) for start, until in pairs if start < until})
