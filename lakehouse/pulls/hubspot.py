"""HubSpot's contacts by when they changed, in the words of its CSV export.

Its search shows 10,000 results of a query, sorted by one property, and a record that changes meanwhile leaves its place
for the end, so that a page by number misses whoever moves up. So each page is a query of its own, from the last change
seen on; where a whole page changed at one moment, the records of that moment are asked for by their ids.
Search shows neither archived records nor those that were merged into another: the first have a list of their own, the
others stand in a property of the record that remains.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lakehouse.errors import Transient
from lakehouse.pulls.changes import Changed, milliseconds

OBJECT: Final = "/crm/v3/objects/contacts"
PAGE: Final = 100  # records of a page, of which the search takes no more with all accounts
ARCHIVED: Final = "Archived"
MERGED_INTO: Final = "Merged Into"
_CHANGED: Final = "lastmodifieddate"
_ID: Final = "hs_object_id"
_MERGED: Final = "hs_merged_object_ids"
_OWNER: Final = "hubspot_owner_id"
# What the export calls otherwise than the property's label says.
_HEADERS: Final = {_ID: "Record ID", "associatedcompanyid": "Associated Company IDs (Primary)"}

Search = Callable[[dict[str, Any]], dict[str, Any]]  # the body of a search → its answer
Get = Callable[[str, Mapping[str, str]], dict[str, Any]]  # path, query → the answer


@dataclass(frozen=True, slots=True)
class Property:
    """A property of contacts: the header of its column, and its options' labels by their values."""

    name: str
    header: str
    options: dict[str, str]


class Contacts:
    """The contacts of an account, as records of its export."""

    def __init__(self, search: Search, get: Get, wanted: Callable[[str], bool]) -> None:
        """Ask which of the `wanted` headers the account has; of the others nothing is asked."""
        self._search, self._get = search, get
        listed = _objects(get("/crm/v3/properties/contacts", {}), "results")
        self._properties = _chosen(listed, wanted)
        self._owners = _owners(get) if any(each.name == _OWNER for each in self._properties) else {}
        self.headers = [*(each.header for each in self._properties), ARCHIVED, MERGED_INTO]

    def changed(self, since: int) -> Iterator[Changed]:
        """Yield the contacts that changed at or after a moment (milliseconds since 1970), in that order."""
        shown: set[str] = set()  # of the moment from which the next page is asked for
        while True:
            page = self._page(_CHANGED, [(_CHANGED, "GTE", since)])
            yield from self._records([record for record in page if str(record["id"]) not in shown])
            if len(page) < PAGE:
                return
            last = _changed_at(page[-1])
            if last == since:
                yield from self._of_moment(since, shown | {str(record["id"]) for record in page})
                last += 1
            since = last
            shown = {str(record["id"]) for record in page if _changed_at(record) == since}

    def archived(self) -> Iterator[Changed]:
        """Yield the contacts that were archived, each as of when that was."""
        query = {"archived": "true", "limit": str(PAGE), "properties": ",".join(self._names)}
        while True:
            answer = self._get(OBJECT, query)
            for record in _objects(answer, "results"):
                yield self._record(record, milliseconds(str(record["archivedAt"])), archived=True)
            after = answer.get("paging", {}).get("next", {}).get("after")
            if not after:
                return
            query = {**query, "after": str(after)}

    def _of_moment(self, moment: int, shown: Collection[str]) -> Iterator[Changed]:
        """Yield all contacts that changed at one moment, by their ids, but for those that were shown."""
        last = 0
        while True:
            page = self._page(_ID, [(_CHANGED, "EQ", moment), (_ID, "GT", last)])
            yield from self._records([record for record in page if str(record["id"]) not in shown])
            if len(page) < PAGE:
                return
            last = int(page[-1]["id"])

    def _page(self, by: str, filters: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
        body = {
            "filterGroups": [
                {
                    "filters": [
                        {"propertyName": name, "operator": operator, "value": str(value)}
                        for name, operator, value in filters
                    ]
                }
            ],
            "sorts": [{"propertyName": by, "direction": "ASCENDING"}],
            "properties": self._names,
            "limit": PAGE,
        }
        return _objects(self._search(body), "results")

    @property
    def _names(self) -> list[str]:
        return sorted({*(each.name for each in self._properties), _ID, _CHANGED, _MERGED})

    def _records(self, page: list[dict[str, Any]]) -> Iterator[Changed]:
        for record in page:
            kept = self._record(record, _changed_at(record), archived=False)
            yield kept
            for merged in filter(None, str(record["properties"].get(_MERGED) or "").split(";")):
                gone = {**kept.values, "Record ID": merged, ARCHIVED: "true", MERGED_INTO: kept.id}
                yield Changed(merged, kept.at, gone)

    def _record(self, record: dict[str, Any], at: int, *, archived: bool) -> Changed:
        written = {**record["properties"], _ID: record["id"]}
        values = {each.header: self._value(each, written.get(each.name)) for each in self._properties}
        return Changed(str(record["id"]), at, {**values, ARCHIVED: "true" if archived else "false"})

    def _value(self, each: Property, value: Any) -> str:
        text = "" if value is None else str(value)
        if each.name == _OWNER:
            return self._owners.get(text, text)
        if not each.options:
            return text
        return ";".join(each.options.get(part, part) for part in text.split(";"))


def _chosen(listed: list[dict[str, Any]], wanted: Callable[[str], bool]) -> list[Property]:
    """Return the properties whose headers are wanted; of several with one label the first."""
    chosen: dict[str, Property] = {}
    for each in listed:
        name = str(each["name"])
        header = _HEADERS.get(name, str(each.get("label", name)))
        if wanted(header):
            chosen.setdefault(header, Property(name, header, _options(each)))
    return list(chosen.values())


def _options(each: dict[str, Any]) -> dict[str, str]:
    return {
        str(option["value"]): str(option.get("label", option["value"]))
        for option in _objects(each, "options")
    }


def _owners(get: Get) -> dict[str, str]:
    """Return the names of the account's users by their ids, as the export writes them."""
    names: dict[str, str] = {}
    query = {"limit": str(PAGE)}
    while True:
        answer = get("/crm/v3/owners", query)
        for owner in _objects(answer, "results"):
            name = f"{owner.get('firstName') or ''} {owner.get('lastName') or ''}".strip()
            names[str(owner["id"])] = name or str(owner.get("email") or owner["id"])
        after = answer.get("paging", {}).get("next", {}).get("after")
        if not after:
            return names
        query = {**query, "after": str(after)}


def _changed_at(record: dict[str, Any]) -> int:
    return milliseconds(str(record["properties"][_CHANGED]))


def _objects(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list; Transient where the answer has none such."""
    found = answer.get(name, [])
    if not isinstance(found, Collection) or not all(isinstance(each, dict) for each in found):
        raise Transient("HubSpot answers with something else than a list of records; pull again")
    return list(found)
