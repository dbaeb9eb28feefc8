"""Salesforce's records by when they changed, also by the system and with those in the recycle bin.

`SystemModstamp` is the clock: it moves with each change, of users, of the system, and with deletion. A page goes on
after the last record's moment and id, so that neither equal moments nor changes meanwhile skip anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from lakehouse.errors import Terminal, Transient
from lakehouse.pulls.changes import Changed, milliseconds

PAGE: Final = 2_000
# By the entity of the source that reads them.
OBJECTS: Final = {
    "contacts": "Contact",
    "leads": "Lead",
    "accounts": "Account",
    "opportunities": "Opportunity",
    "cases": "Case",
    "tasks": "Task",
    "events": "Event",
    "campaigns": "Campaign",
    "campaign_members": "CampaignMember",
    "users": "User",
}
_ALWAYS: Final = ("Id", "SystemModstamp")

Get = Callable[
    [str, Mapping[str, str]], dict[str, Any]
]  # path below the API's version, or whole; query → the answer


class Records:
    """The records of one object."""

    def __init__(self, get: Get, kind: str, wanted: Callable[[str], bool]) -> None:
        """Ask which of the `wanted` fields the object has, of those that the user may read."""
        self._get, self._kind = get, kind
        described = get(f"/sobjects/{kind}/describe", {}).get("fields")
        if not isinstance(described, list):
            raise Transient(f"Salesforce does not describe {kind}; pull again")
        names = [str(each["name"]) for each in described]
        if missing := [name for name in _ALWAYS if name not in names]:
            raise Terminal(f"Salesforce's {kind} has no {missing[0]}: its changes cannot be pulled")
        self.headers = [name for name in names if name in _ALWAYS or wanted(name)]

    def changed(self, since: int) -> Iterator[Changed]:
        """Yield the records that changed at or after a moment (milliseconds since 1970), in that order."""
        after = f"SystemModstamp >= {_literal(since)}"
        while True:
            page = self._page(after)
            yield from page
            if not page:
                return
            moment, last = _literal(page[-1].at), page[-1].id
            after = f"SystemModstamp > {moment} OR (SystemModstamp = {moment} AND Id > '{last}')"

    def _page(self, after: str) -> list[Changed]:
        query = (
            f"SELECT {', '.join(self.headers)} FROM {self._kind} WHERE {after} "
            f"ORDER BY SystemModstamp ASC, Id ASC LIMIT {PAGE}"
        )
        answer = self._get("/queryAll", {"q": query})
        return self._records(
            answer
        )  # a part of it where records are large: the next query goes on behind that

    def _records(self, answer: dict[str, Any]) -> list[Changed]:
        records = answer.get("records")
        if not isinstance(records, list):
            raise Transient("Salesforce answers a query with something else; pull again")
        return [
            Changed(
                str(record["Id"]),
                milliseconds(str(record["SystemModstamp"])),
                {name: _text(record.get(name)) for name in self.headers},
            )
            for record in records
        ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _literal(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
