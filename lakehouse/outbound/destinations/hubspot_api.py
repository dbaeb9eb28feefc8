"""HubSpot's contacts API over HTTP: requests are repeated while that may help, and errors say what to do.

Nothing of a customer is in an error's text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import httpx
import stamina

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import NotSent
from lakehouse.outbound.destinations.hubspot_answers import category_of
from lakehouse.outbound.policy import HubSpotPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

CONTACTS = "/crm/v3/objects/contacts"
# Statuses as HubSpot documents them: the batch is refused as a whole, or it may be sent again later.
REFUSED: Final = frozenset({400, 409, 413, 422})
LATER: Final = frozenset({408, 423, 425, 429, 477})
SERVER_ERROR: Final = 500
_CLIENTS: Final[dict[str, httpx.Client]] = {}
_MAKING_CLIENT: Final = Lock()


@dataclass(frozen=True, slots=True)
class Account:
    """A HubSpot account: the URL of its API, a private app's token, and the secret that the token stands in."""

    url: str
    token: str = field(repr=False)
    secret_name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The JSON of an answer. `after_lost`: an earlier try of the same request may have been carried out, too."""

    body: dict[str, Any]
    after_lost: bool = False


class Refused(Exception):  # noqa: N818 - a verdict on a batch
    """HubSpot refused the whole batch; `code` is its category, `after_lost` as in `Reply`."""

    def __init__(self, code: str, after_lost: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.after_lost = after_lost


class _AskAgain(Exception):  # noqa: N818 - not an error but a request
    """Ask once more; after `wait` seconds when HubSpot says so. `done`: what was asked for may have been done."""

    def __init__(self, reason: str, wait: float | None = None, *, done: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.done = done


class _Patience:
    """Decides whether and when a request is sent again; how long HubSpot makes it wait in all is limited."""

    def __init__(self) -> None:
        self._waited = 0.0

    def __call__(self, error: Exception) -> bool | float:
        """Return False, True (after the usual wait), or after how many seconds."""
        if isinstance(error, httpx.TransportError):
            return True
        if not isinstance(error, _AskAgain):
            return False
        if error.wait is None:
            return True
        self._waited += error.wait
        return error.wait if self._waited <= HubSpotPolicy.patience_seconds else False


class Api:
    """The contacts API of one account. `clock` gives seconds, for the deadlines of `post`."""

    def __init__(self, account: Account, clock: Callable[[], float]) -> None:
        self._account = account
        self._clock = clock

    def post(self, path: str, body: dict[str, Any], deadline: float) -> Reply:
        """Post below `CONTACTS`, as often as it takes, and return the JSON; safe, since rows may be sent twice.

        Refused when HubSpot refuses the batch as a whole, NotSent when no try can have been carried out, Transient when
        it takes too long, Terminal when a person must act.
        """
        lost = False
        later: type[Transient] = NotSent
        try:
            for attempt in stamina.retry_context(
                on=_Patience(),
                attempts=HubSpotPolicy.attempts,
                timeout=None,
                wait_initial=HubSpotPolicy.first_wait_seconds,
                wait_max=HubSpotPolicy.longest_wait_seconds,
                wait_jitter=HubSpotPolicy.jitter_seconds,
            ):
                with attempt:
                    if self._clock() > deadline:
                        raise later("HubSpot is too slow for one chunk; the chunk is tried again")
                    try:
                        return Reply(self._post_once(path, body), after_lost=lost)
                    except (httpx.TransportError, _AskAgain) as error:
                        lost = lost or _may_be_done(error)
                        later = Transient if lost else NotSent
                        raise
        except Refused as refused:
            raise Refused(refused.code, after_lost=lost) from None
        except httpx.TransportError as error:
            raise later(
                f"HubSpot cannot be reached ({type(error).__name__}); the chunk is tried again"
            ) from None
        except _AskAgain as error:
            raise later(f"HubSpot {error.reason}; the chunk is tried again") from None
        raise AssertionError("stamina ends by a result or an exception")

    def _post_once(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        client = http_client(self._account.url.rstrip("/"))
        headers = {"Authorization": f"Bearer {self._account.token}"}
        response = client.post(f"{CONTACTS}{path}", json=body, headers=headers)
        status = response.status_code
        if status in LATER:
            wait = _seconds(response.headers.get("Retry-After"))
            raise _AskAgain(f"asks to wait ({status})", wait, done=status == httpx.codes.REQUEST_TIMEOUT)
        if status >= SERVER_ERROR:
            raise _AskAgain(f"has an error of its own ({status})")
        if status in REFUSED:
            _check_properties(response, body)
            raise Refused(category_of(_json(response), status))
        if not response.is_success:
            raise Terminal(_advice(status, self._account.secret_name))
        answer = _json(response)
        if answer is None:
            raise _AskAgain("answers with something that is not JSON")
        return answer if isinstance(answer, dict) else {}


def http_client(url: str) -> httpx.Client:
    """Return the connections to one account, kept for the life of the process."""
    with _MAKING_CLIENT:  # two threads that come first at once would open, and lose, a client each
        if url not in _CLIENTS:
            timeout = httpx.Timeout(HubSpotPolicy.timeout_seconds, connect=HubSpotPolicy.connect_seconds)
            _CLIENTS[url] = httpx.Client(base_url=url, timeout=timeout, follow_redirects=False)
        return _CLIENTS[url]


def close_clients() -> None:
    """Close the connections to all accounts; the next request opens new ones."""
    with _MAKING_CLIENT:
        while _CLIENTS:
            _CLIENTS.popitem()[1].close()


def _check_properties(response: httpx.Response, body: dict[str, Any]) -> None:
    """Raise Terminal when the account lacks a property: that is no row's fault, and every row would fail."""
    if "PROPERTY_DOESNT_EXIST" not in response.text:
        return
    text = response.text.replace("\\", "")
    written = set[str]().union(*(row["properties"] for row in body["inputs"]))
    missing = sorted(name for name in written if f'"{name}"' in text)
    raise Terminal(
        f"HubSpot has no contact property {', '.join(missing) or 'of that name'}: create it there first"
    )


def _advice(status: int, secret_name: str) -> str:
    if status == httpx.codes.UNAUTHORIZED:
        return f"HubSpot refuses the token (401): put a private app's token into the secret {secret_name}"
    if status == httpx.codes.FORBIDDEN:
        return "HubSpot forbids it (403): give the private app the scope crm.objects.contacts.write"
    return f"HubSpot answers {status}, which trying again does not change: check the setting hubspot_url"


def _json(response: httpx.Response) -> Any:
    """Return the answer's JSON, None where it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def _may_be_done(error: httpx.TransportError | _AskAgain) -> bool:
    """Return whether a request whose try ended so may have been carried out: it left, and its answer is not known."""
    if isinstance(error, _AskAgain):
        return error.done
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _seconds(header: str | None) -> float | None:
    """Return how long a `Retry-After` asks to wait: a number of seconds, or a date. None where it is neither."""
    if not header:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((in_utc - datetime.now(UTC)).total_seconds(), 0.0)
