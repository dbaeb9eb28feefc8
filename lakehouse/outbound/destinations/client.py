"""HTTP to a destination at a URL that people name: guarded, without redirects, and silent about what it carries."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import httpx

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.exchange import REFUSED, AskAgain, Refused, check_later
from lakehouse.outbound.destinations.inward import PinnedTransport, allowed_hosts, check_url
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from lakehouse.outbound.destinations.definition import WithUrl
    from lakehouse.settings import Settings

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_CLIENTS: Final[dict[tuple[str, str, str], httpx.Client]] = {}
_MAKING_CLIENT: Final = Lock()


@dataclass(frozen=True, slots=True)
class Request:
    """One request: where below the destination's URL, and what. `content` wins over `json`, `json` over `form`."""

    method: str
    path: str
    json: Any = None
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None


class Client:
    """Speaks to one destination. Its errors name the destination's file and its secret, and nothing that was sent."""

    def __init__(self, settings: Settings, definition: WithUrl) -> None:
        self._url = definition.url
        self._where = definition.file
        self._inward = settings.inward_hosts
        self._advice = (
            f"{self._where}: the destination refuses the credentials or the path ({{}}): look at `url`, and at "
            f"{definition.name!r} in the secret {settings.destinations_secret}"
        )
        for logger in (
            "httpx",
            "httpcore",
        ):  # they log URLs: a robot's is its password, a record's may be an address
            logging.getLogger(logger).setLevel(logging.WARNING)
        check_url(self._url, allowed_hosts(self._inward), self._where)

    def call(
        self,
        request: Request,
        read_code: Callable[[Any], str] = lambda _: "",
        also: Collection[int] = (),
    ) -> httpx.Response:
        """Send a request once and return its answer, if it is a 2xx, or of one of the statuses `also`.

        Raises httpx's errors and AskAgain for what may pass, Refused (with what `read_code` finds in its JSON) for what
        is wrong with the request's rows, Terminal when a person must act.
        """
        response = self._http().request(
            request.method,
            request.path,
            json=request.json if request.content is None else None,
            content=request.content,
            data=request.form if request.json is None and request.content is None else None,
            headers=request.headers,
            params=request.query or None,
        )
        status = response.status_code
        if status in also:
            return response
        check_later(response)
        if status in REFUSED:
            raise Refused(code_or(read_code(json_or_none(response)), f"HTTP_{status}"))
        if response.is_redirect or response.has_redirect_location:
            raise Terminal(
                f"{self._where}: the destination answers by a redirect, which is not followed; change `url`"
            )
        if not response.is_success:
            raise Terminal(self._advice.format(status))
        return response

    def _http(self) -> httpx.Client:
        with _MAKING_CLIENT:
            key = (self._url, self._inward, self._where)
            if key not in _CLIENTS:
                _CLIENTS[key] = _open(self._url, self._inward, self._where)
            return _CLIENTS[key]


def _open(url: str, inward: str, where: str) -> httpx.Client:
    """Open the connections to one URL, kept for the life of the process."""
    timeout = httpx.Timeout(RequestPolicy.timeout_seconds, connect=RequestPolicy.connect_seconds)
    transport = PinnedTransport(httpx.HTTPTransport(), allowed_hosts(inward), where)
    return httpx.Client(
        base_url=url, timeout=timeout, transport=transport, follow_redirects=False, trust_env=False
    )


def close_clients() -> None:
    """Close the connections to all destinations; the next request opens new ones."""
    with _MAKING_CLIENT:
        while _CLIENTS:
            _CLIENTS.popitem()[1].close()


def json_of(response: httpx.Response) -> Any:
    """Return the JSON of an answer that must be some, None for an empty one; AskAgain where it is something else."""
    if not response.content.strip():
        return None
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise AskAgain("answers with something that is not JSON") from None


def json_or_none(response: httpx.Response) -> Any:
    """Return the JSON of an answer, None where it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def code_or(value: Any, otherwise: str) -> str:
    """Return a code if it is one; a text that could quote a person's data is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _CODE.fullmatch(text) else otherwise


def at(value: Any, path: str) -> Any:
    """Return what stands in JSON at a path of names with dots between; None where nothing does, `value` for ""."""
    for name in filter(None, path.split(".")):
        if isinstance(value, list) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value
