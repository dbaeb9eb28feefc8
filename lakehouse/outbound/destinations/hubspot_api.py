"""HubSpot's CRM API over HTTP: requests are repeated while that may help, and errors say what to do.

Nothing of a customer is in an error's text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import httpx

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.exchange import (
    REFUSED,
    Answered,
    AskAgain,
    Asking,
    QuotaSpent,
    Refused,
    check_later,
    until_answered,
)
from lakehouse.outbound.destinations.hubspot_answers import category_of, existing_of, is_of_day
from lakehouse.outbound.destinations.limits import NoLimit
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakehouse.outbound.destinations.limits import Limit

OBJECTS: Final = "/crm/v3/objects/"
CONTACTS = f"{OBJECTS}contacts"
_CLIENTS: Final[dict[str, httpx.Client]] = {}
_MAKING_CLIENT: Final = Lock()


@dataclass(frozen=True, slots=True)
class Account:
    """A HubSpot account: the URL of its API, a private app's token, and the secret that the token stands in."""

    url: str
    token: str = field(repr=False)
    secret_name: str


class Api:
    """The API of one account, for one kind of objects. `clock` gives seconds, for the deadlines of `post`."""

    def __init__(self, account: Account, clock: Callable[[], float], kind: str = "contacts") -> None:
        self._account = account
        self._clock = clock
        self.kind = kind
        self.limit: Limit = NoLimit()

    def of(self, kind: str) -> Api:
        """Return the API of another kind of objects of the same account."""
        api = Api(self._account, self._clock, kind)
        api.limit = self.limit
        return api

    def post(self, path: str, body: dict[str, Any], deadline: float) -> Answered[dict[str, Any]]:
        """Post below the objects' own path, as often as it takes, and return the JSON; safe: rows may be sent twice.

        Raises as `ask`.
        """
        return self.ask("POST", f"{OBJECTS}{self.kind}{path}", body, deadline)

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None, deadline: float
    ) -> Answered[dict[str, Any]]:
        """Send a request as often as it takes, and return the JSON of its answer, {} where it has none.

        Refused when HubSpot refuses the batch as a whole, NotSent when no try can have been carried out, Transient when
        it takes too long, Terminal when a person must act.
        """
        asking = Asking("HubSpot", deadline, self._clock, limit=self.limit)
        return until_answered(lambda: self._once(method, path, body, {}), asking)

    def get(self, path: str, query: Mapping[str, str], deadline: float) -> Answered[dict[str, Any]]:
        """Get a whole path and return the JSON; errors as of `ask`."""
        asking = Asking("HubSpot", deadline, self._clock, limit=self.limit)
        return until_answered(lambda: self._once("GET", path, None, query), asking)

    def _once(
        self, method: str, path: str, body: dict[str, Any] | None, query: Mapping[str, str]
    ) -> dict[str, Any]:
        client = http_client(self._account.url.rstrip("/"))
        headers = {"Authorization": f"Bearer {self._account.token}"}
        response = client.request(method, path, json=body, params=query or None, headers=headers)
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS and is_of_day(_json(response)):
            raise QuotaSpent("has no requests left today (429 DAILY)")
        check_later(response)
        if status in REFUSED:
            _check_properties(response, body or {}, self.kind)
            answer = _json(response)
            raise Refused(category_of(answer, status), existing=existing_of(answer))
        if status == httpx.codes.NOT_FOUND and "/lists/" in path:
            raise Terminal("HubSpot has no list of that id: say the id of a static list in the sync's file")
        if not response.is_success:
            raise Terminal(_advice(status, self._account.secret_name, self.kind))
        if status == httpx.codes.NO_CONTENT:
            return {}
        answer = _json(response)
        if answer is None:
            raise AskAgain("answers with something that is not JSON")
        return answer if isinstance(answer, dict) else {}


def http_client(url: str) -> httpx.Client:
    """Return the connections to one account, kept for the life of the process."""
    with _MAKING_CLIENT:  # two threads that come first at once would open, and lose, a client each
        if url not in _CLIENTS:
            timeout = httpx.Timeout(RequestPolicy.timeout_seconds, connect=RequestPolicy.connect_seconds)
            _CLIENTS[url] = httpx.Client(base_url=url, timeout=timeout, follow_redirects=False)
        return _CLIENTS[url]


def close_clients() -> None:
    """Close the connections to all accounts; the next request opens new ones."""
    with _MAKING_CLIENT:
        while _CLIENTS:
            _CLIENTS.popitem()[1].close()


def _check_properties(response: httpx.Response, body: dict[str, Any], kind: str) -> None:
    """Raise Terminal when the account lacks a property: that is no row's fault, and every row would fail."""
    if "PROPERTY_DOESNT_EXIST" not in response.text:
        return
    text = response.text.replace("\\", "")
    written = set[str]().union(*(row.get("properties", ()) for row in body.get("inputs", ())))
    missing = sorted(name for name in written if f'"{name}"' in text)
    of = "contact" if kind == "contacts" else kind.removesuffix("s")
    raise Terminal(
        f"HubSpot has no {of} property {', '.join(missing) or 'of that name'}: create it there first, or say "
        "`create_properties: true` in the sync's file"
    )


def _advice(status: int, secret_name: str, kind: str) -> str:
    if status == httpx.codes.UNAUTHORIZED:
        return f"HubSpot refuses the token (401): put a private app's token into the secret {secret_name}"
    if status == httpx.codes.FORBIDDEN:
        scopes = {"contacts": "crm.objects.contacts.write", "tickets": "tickets"}
        scope = scopes.get(kind, "crm.objects.contacts.write and sales-email-read")
        return (
            f"HubSpot forbids it (403): give the private app whose token is in the secret {secret_name} the scope "
            f"{scope}, crm.schemas.contacts.write where properties are created, and to pull also "
            "crm.objects.contacts.read, crm.schemas.contacts.read and crm.objects.owners.read"
        )
    return f"HubSpot answers {status}, which trying again does not change: check the setting hubspot_url"


def _json(response: httpx.Response) -> Any:
    """Return the answer's JSON, None where it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
