"""The one ledger of whom was written to, by channel and customer, in the ops bucket; every sync reserves in it.

`contacts/<channel>/<customer>/<number>.json` is a version of a customer's entries: the newest counts, and is never
overwritten. Of two writers at once the second is refused, and looks again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from lakehouse import objects, telemetry
from lakehouse.errors import Transient
from lakehouse.outbound.policies.caps import Contacted
from lakehouse.outbound.policy import ContactPolicy

if TYPE_CHECKING:
    from lakehouse.settings import Settings

T = TypeVar("T")
ROOT = "contacts/"


def read(settings: Settings, channel: str, customer_id: str) -> list[Contacted]:
    """Return a customer's entries."""
    return _newest(settings, _folder(channel, customer_id))[1]


def change(
    settings: Settings,
    channel: str,
    customer_id: str,
    decide: Callable[[list[Contacted]], tuple[list[Contacted], T]],
) -> T:
    """Write what `decide` makes of a customer's entries, and return what it says beside them.

    It is asked again where others wrote meanwhile. Transient when they always do.
    """
    folder = _folder(channel, customer_id)
    for _ in range(ContactPolicy.ledger_attempts):
        number, known = _newest(settings, folder)
        entries, answer = decide(known)
        if entries == known:
            return answer
        body = json.dumps([entry.to_json() for entry in entries]).encode()
        if objects.put_once(settings.ops_bucket, f"{folder}{number + 1:08d}.json", body) == body:
            return answer
    raise Transient(
        "the ledger of contacts could not be written: others write the same customer's; try again"
    )


def _newest(settings: Settings, folder: str) -> tuple[int, list[Contacted]]:
    """Return the number and entries of the newest version; of one that is damaged, the entries before it."""
    names = sorted(objects.list_keys(settings.ops_bucket, folder), reverse=True)
    number = int(names[0].partition(".")[0]) if names else 0
    for name in names:
        try:
            found = objects.get_json(
                settings.ops_bucket, folder + name, _entries, "the version before it counts"
            )
        except objects.DamagedObjectError as error:
            telemetry.warn("entry of the ledger of contacts unreadable", reason=str(error))
            continue
        return number, found or []
    return number, []


def _entries(value: object) -> list[Contacted]:
    if not isinstance(value, list):
        raise TypeError("not entries of the ledger")
    return [Contacted.from_json(entry) for entry in value]


def _folder(channel: str, customer_id: str) -> str:
    return f"{ROOT}{channel}/{quote(customer_id, safe='')}/"
