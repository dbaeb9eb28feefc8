"""What has to be known of a person before they are contacted: when it is night there, and who else wrote to them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones

from lakehouse.outbound.definition import FACTS
from lakehouse.outbound.policies.windows import open_windows
from lakehouse.outbound.policy import ContactPolicy
from lakehouse.segments.audience import contacted_audience
from lakehouse.stages import sync_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.policies.definition import Contact
    from lakehouse.settings import Settings

_ZONES_NAMED: Final = 3  # more are told as a number


def audience_with_facts(
    settings: Settings, sync: Sync, contact: Contact, now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield a sync's audience with the facts that its policies of contacting people ask for: see `records.Row`."""
    day = now.astimezone(UTC).date()
    days = contact.cap.days if contact.cap is not None else 0
    since = datetime.combine(day - timedelta(days=days), time(), UTC)
    asked = (sync.asked_segments, sync.purpose, sync.channel, since, sync_ids.types_of(settings, sync))
    for row in contacted_audience(settings, *asked):
        yield {**row, FACTS: contact_facts(settings, contact, row, day)}


def contact_facts(settings: Settings, contact: Contact, row: Mapping[str, Any], day: date) -> dict[str, Any]:
    """Return the facts of one row of the audience, for a plan of the UTC day `day`."""
    facts: dict[str, Any] = {"by_people": [[int(float(at)), key] for at, key in row.get("by_people") or ()]}
    if contact.quiet_hours is not None:
        names = zone_names(row.get("phone") or "", row.get("country") or "")
        zones = tuple(zone for name in names if (zone := _zone(name)) is not None)
        sure = (row.get("best_hour_sure") or 0.0) >= ContactPolicy.best_hour_sure
        best = row.get("best_hour") if sure else None
        windows = open_windows(contact.quiet_hours, zones, settings.zone, best, day)
        facts |= {
            "windows": [list(span) for span in windows],
            "zone": _named(names) if zones else settings.time_zone,
        }
    return facts


def zone_names(phone: str, country: str) -> tuple[str, ...]:
    """Return the time zones that somebody may be in, by a phone in E.164 and the country; none where nobody knows.

    Where both say something and do not agree on the country, the zones of both.
    """
    by_phone, region = _zones_of_phone(phone)
    code = phonenumbers.country_code_for_region(country.upper()) if country.isalpha() else 0
    if by_phone and (not code or region == country.upper()):
        return by_phone
    by_country = (
        _zones_of_number(phonenumbers.PhoneNumber(country_code=code, national_number=0)) if code else ()
    )
    return tuple(sorted({*by_phone, *by_country}))


def _zones_of_phone(phone: str) -> tuple[tuple[str, ...], str]:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return (), ""
    return _zones_of_number(number), phonenumbers.region_code_for_number(number) or ""


def _zones_of_number(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    found = phone_zones.time_zones_for_geographical_number(number)
    return tuple(sorted(name for name in found if not name.startswith("Etc/")))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= _ZONES_NAMED else f"{names[0]} and {len(names) - 1} other zones"
