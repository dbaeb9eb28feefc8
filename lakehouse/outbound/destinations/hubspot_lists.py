"""HubSpot's static lists: who is written to enters one, who leaves is taken off it; either may be said twice.

A membership is a property of a row, `list:<id>`, so that the state knows of it as of any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lakehouse.outbound.destinations import Answer, NothingWritten
from lakehouse.outbound.destinations.exchange import Refused
from lakehouse.outbound.record_kinds import LIST_PREFIX, MEMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakehouse.outbound.destinations.hubspot_api import Api
    from lakehouse.outbound.records import Row

_PATH: Final = "/crm/v3/lists/"
_STATIC: Final = frozenset({"MANUAL", "SNAPSHOT"})


def without_lists(row: Row) -> Row:
    """Return a row without its memberships."""
    properties = {name: value for name, value in row.properties.items() if not name.startswith(LIST_PREFIX)}
    return row if len(properties) == len(row.properties) else replace(row, properties=properties)


def lists_of(rows: Sequence[Row]) -> list[str]:
    """Return the ids of the lists that rows enter or leave."""
    names = {name for row in rows for name in row.properties if name.startswith(LIST_PREFIX)}
    return sorted(name.removeprefix(LIST_PREFIX) for name in names)


class Lists:
    """The lists of one account."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def check(self, rows: Sequence[Row], deadline: float) -> None:
        """Raise NothingWritten where a list that rows enter is not static; one that there is not is Terminal."""
        for name in lists_of(rows):
            said = self._api.ask("GET", f"{_PATH}{name}", None, deadline).value.get("list")
            kind = said.get("processingType") if isinstance(said, dict) else None
            if kind not in _STATIC:
                raise NothingWritten(
                    f"HubSpot's list {name} is {kind or 'not readable'}, and fills itself: name a static one"
                )

    def settle(
        self, rows: Sequence[Row], answers: Mapping[int, Answer], deadline: float
    ) -> dict[int, Answer]:
        """Add records that were written and take off those that leave; return the answers of the rows.

        A row whose list could not be changed has failed: it goes again.
        """
        settled = dict(answers)
        for name in lists_of(rows):
            moved = {
                row.row: (answers[row.row].crm_id, row.properties[f"{LIST_PREFIX}{name}"] == MEMBER)
                for row in rows
                if f"{LIST_PREFIX}{name}" in row.properties and answers[row.row].status in ("sent", "removed")
            }
            named = {number: said for number, said in moved.items() if said[0]}
            for number in moved.keys() - named.keys():
                if moved[number][1]:
                    settled[number] = Answer("failed", "NO_RECORD_ID", uncertain=True)
            settled |= self._change(name, named, deadline)
        return settled

    def _change(self, name: str, moved: Mapping[int, tuple[str, bool]], deadline: float) -> dict[int, Answer]:
        """Change a list by one request; return the answers of rows that failed for it."""
        add = sorted({record for record, enters in moved.values() if enters})
        leaving = {one for records, enters in moved.values() if not enters for one in records.split(",")}
        body: dict[str, Any] = {"recordIdsToAdd": add, "recordIdsToRemove": sorted(leaving - set(add))}
        if not moved:
            return {}
        try:
            self._api.ask("PUT", f"{_PATH}{name}/memberships/add-and-remove", body, deadline)
        except Refused as refused:
            return {number: Answer("failed", refused.code, uncertain=True) for number in moved}
        return {}
