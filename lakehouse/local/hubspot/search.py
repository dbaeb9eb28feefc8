"""What the HubSpot simulator answers when contacts are looked for: its search, its owners.

As HubSpot does: 200 results a page and 10,000 a query, five queries a second, and a change that is shown only a while
after it was made (`lag`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lakehouse.local.hubspot.contact_store import Contact

_PAGE: Final = 200
_DEFAULT_PAGE: Final = 10
_RESULTS: Final = 10_000
_BODY: Final = 3_000  # characters of a query
_TIMES: Final = frozenset({"createdate", "lastmodifieddate"})
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "EQ": lambda one, other: one == other,
    "GT": lambda one, other: one > other,
    "GTE": lambda one, other: one >= other,
    "LT": lambda one, other: one < other,
    "LTE": lambda one, other: one <= other,
}
_EPOCH: Final = "1970-01-01T00:00:00Z"


class BadSearch(Exception):  # noqa: N818 - HubSpot refuses a query
    """A query that HubSpot does not take."""


@dataclass
class Search:
    """What can be looked for. `lag`: seconds before a change is shown; `owners`: users by id."""

    lag: float = 0.0
    owners: dict[str, dict[str, str]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def find(self, contacts: list[Contact], body: dict[str, Any], size: int) -> dict[str, Any]:
        """Return the answer of a query of `size` characters; BadSearch for one that HubSpot refuses."""
        limit, after = int(body.get("limit", _DEFAULT_PAGE)), int(body.get("after", 0))
        sorts = body.get("sorts") or []
        _check(size, limit, after, len(sorts))
        shown_until = self.now().timestamp() - self.lag
        shown = [one for one in contacts if _moment(one.updated_at) <= shown_until * 1000]
        found = [one for one in shown if _matches(one, body.get("filterGroups") or [])]
        if sorts:
            name = sorts[0]["propertyName"]
            found.sort(key=lambda one: _value(one, name), reverse=sorts[0].get("direction") == "DESCENDING")
        page = found[after : after + limit]
        results = [one.as_json(body.get("properties")) for one in page]
        answer: dict[str, Any] = {"total": len(found), "results": results}
        if after + limit < len(found):
            answer["paging"] = {"next": {"after": str(after + limit)}}
        return answer

    def users(self) -> dict[str, Any]:
        """Return the account's users."""
        times = {"createdAt": _EPOCH, "updatedAt": _EPOCH, "archived": False}
        return {"results": [{"id": name, **times, **values} for name, values in self.owners.items()]}


def refusal(error: BadSearch) -> tuple[int, str, str]:
    """Return how a query is refused."""
    return HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", str(error)


def _check(size: int, limit: int, after: int, sorts: int) -> None:
    """Raise BadSearch for a query beyond HubSpot's limits."""
    if size > _BODY:
        raise BadSearch(f"The query exceeds the maximum length of {_BODY} characters")
    if limit > _PAGE:
        raise BadSearch(f"limit must be at most {_PAGE}")
    if after + limit > _RESULTS:
        raise BadSearch(f"Cannot get more than {_RESULTS} results")
    if sorts > 1:
        raise BadSearch("Only one sort can be applied to any search")


def _matches(contact: Contact, groups: list[dict[str, Any]]) -> bool:
    """Return whether a contact fits all filters of one of the groups, or there are none."""
    return not groups or any(
        all(_fits(contact, each) for each in group.get("filters", [])) for group in groups
    )


def _fits(contact: Contact, each: dict[str, Any]) -> bool:
    operator = _OPERATORS.get(str(each.get("operator")))
    if operator is None or not isinstance(each.get("value"), str):
        raise BadSearch("operator or value of a filter is invalid")
    name = str(each["propertyName"])
    value: Any = each["value"]
    if name in _TIMES or name == "hs_object_id":
        value = int(value)
    return operator(_value(contact, name), value)


def _value(contact: Contact, name: str) -> Any:
    if name == "hs_object_id":
        return int(contact.id)
    if name in _TIMES:
        return _moment(contact.updated_at if name == "lastmodifieddate" else contact.created_at)
    return contact.properties.get(name, "")


def _moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
