"""HubSpot's contacts: batch upsert by e-mail, and clearing of properties by record id.

Rows are matched by the trace id that we give them and HubSpot gives back, never by their position. A batch
that HubSpot refuses as a whole (400, 409) is split until the row that spoils it stands alone. Removals read
the record ids first and then update: an upsert would bring back a contact that was deleted in the CRM, and
HubSpot does not update contacts by e-mail.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import httpx
import stamina

from lakehouse import settings
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.outbound.records import Chunk, Row

_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")
_CONTACTS = "/crm/v3/objects/contacts"
_SPLIT = frozenset({400, 409, 413, 422})
_LATER = frozenset({408, 423, 425, 429, 477})
_ATTEMPTS = 5
_PATIENCE = 10.0  # seconds that one request may wait because HubSpot asks for it
_LONGEST = 90.0  # seconds that a chunk may take; the rest of it is for the next attempt
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_SERVER_ERROR = 500
_ONE_AT_A_TIME = Lock()


class _Again(Exception):  # noqa: N818 - not an error but a request
    """Ask once more; after `wait` seconds when HubSpot says so."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait


class _Refused(Exception):  # noqa: N818 - a verdict on a batch
    """HubSpot refused the whole batch; `code` is its category."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class HubSpot:
    """A HubSpot account, reached at `url` with a private app's token. Sending a row twice changes nothing."""

    idempotent = True

    def __init__(self, url: str, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._clock = clock

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Deliver rows of a chunk and return an answer for each, by its number; errors as in `Destination`."""
        deadline = self._clock() + _LONGEST
        writes = [row for row in rows if row.action == "upsert"]
        leavers = [row for row in rows if row.action == "remove"]
        answers = self._upsert(writes, chunk.id_property, deadline) if writes else {}
        return answers | (self._remove(leavers, chunk.id_property, deadline) if leavers else {})

    def _upsert(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        inputs = {
            row.row: {"id": row.id, "idProperty": id_property, "properties": row.properties} for row in rows
        }
        return self._batch("/batch/upsert", inputs, "sent", deadline)

    def _remove(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        """Clear properties of the contacts that are still there; one that is gone has nothing to clear."""
        inputs = [{"id": row.id} for row in rows]
        body = {"idProperty": id_property, "properties": [id_property], "inputs": inputs}
        try:
            answer = self._post("/batch/read", body, deadline)
        except _Refused as refused:
            return {row.row: Answer("failed", refused.code) for row in rows}
        records = {
            _property(record, id_property): str(record.get("id", "")) for record in _list(answer, "results")
        }
        gone = {
            str(address).lower()
            for error in _list(answer, "errors")
            if error.get("category") == "OBJECT_NOT_FOUND"
            for address in _context(error, "ids")
        }
        answers = {row.row: Answer("failed", "NOT_FOUND_BY_ID") for row in rows}
        answers |= {row.row: Answer("removed", "GONE") for row in rows if row.id.lower() in gone}
        found = {
            row.row: {"id": records[row.id.lower()], "properties": row.properties}
            for row in rows
            if records.get(row.id.lower())
        }
        return answers | (self._batch("/batch/update", found, "removed", deadline) if found else {})

    def _batch(
        self, path: str, inputs: dict[int, dict[str, Any]], done: Literal["sent", "removed"], deadline: float
    ) -> dict[int, Answer]:
        """Post rows by number; split a batch that is refused, so that only the row which spoils it fails."""
        body = {"inputs": [{**given, "objectWriteTraceId": str(number)} for number, given in inputs.items()]}
        try:
            return _read(self._post(path, body, deadline), list(inputs), done)
        except _Refused as refused:
            numbers = list(inputs)
            if len(numbers) == 1:
                return {numbers[0]: Answer("failed", refused.code)}
            half = len(numbers) // 2
            parts = ({number: inputs[number] for number in part} for part in (numbers[:half], numbers[half:]))
            return {n: a for part in parts for n, a in self._batch(path, part, done, deadline).items()}

    def _post(self, path: str, body: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Post, as often as it takes; Transient when it takes too long. Safe, since rows may go twice."""
        waited = 0.0

        def again(error: Exception) -> bool | float:
            nonlocal waited
            if isinstance(error, httpx.TransportError):
                return True
            if not isinstance(error, _Again):
                return False
            waited += error.wait or 0.0
            return waited <= _PATIENCE and (True if error.wait is None else error.wait)

        try:
            for attempt in stamina.retry_context(
                on=again, attempts=_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
            ):
                with attempt:
                    if self._clock() > deadline:
                        raise Transient("HubSpot is too slow for one chunk; the chunk is tried again")
                    return self._ask(path, body)
        except httpx.TransportError as error:
            raise Transient(
                f"HubSpot cannot be reached ({type(error).__name__}); the chunk is tried again"
            ) from None
        except _Again as error:
            raise Transient(f"HubSpot {error.what}; the chunk is tried again") from None
        raise AssertionError("stamina ends by a result or an exception")

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with _ONE_AT_A_TIME:  # two threads that come first together would open, and lose, a client each
            client = _client(self._url)
        answer = client.post(f"{_CONTACTS}{path}", json=body, headers=self._headers)
        status = answer.status_code
        if status in _LATER:
            raise _Again(f"asks to wait ({status})", _seconds(answer.headers.get("Retry-After")))
        if status >= _SERVER_ERROR:
            raise _Again(f"has an error of its own ({status})")
        if status in _SPLIT:
            _refuse_unknown_properties(answer, body)
            raise _Refused(_category(answer))
        if not answer.is_success:
            raise Terminal(_advice(status))
        return _json(answer)


def open_destination() -> HubSpot:
    """Return HubSpot as the settings and the secret say. Terminal when the secret holds no token."""
    wanted = settings.current()
    token = secret(wanted.hubspot_secret).get("token")
    if not isinstance(token, str) or not token:
        raise Terminal(f'secret {wanted.hubspot_secret} has no token; write {{"token": "…"}} into it')
    return HubSpot(wanted.hubspot_url, token)


@lru_cache(maxsize=4)
def _client(url: str) -> httpx.Client:
    """Return the connections to one account, kept for the life of the process."""
    return httpx.Client(base_url=url, timeout=_TIMEOUT, follow_redirects=False)


def _read(
    answer: dict[str, Any], numbers: Sequence[int], done: Literal["sent", "removed"]
) -> dict[int, Answer]:
    """Return what a 2xx answer says of each row.

    Rows named in `errors` failed. Trace ids are optional in `results`: an answer without any counts for all
    other rows when there are exactly as many results, and then nobody knows which record is whose.
    """
    results, errors = _list(answer, "results"), _list(answer, "errors")
    failed: dict[int, Answer] = {}
    for error in errors:
        for trace in _context(error, "objectWriteTraceId"):
            if trace.isdecimal() and int(trace) in numbers:
                failed[int(trace)] = Answer("failed", _code(error))
    traced = {str(result.get("objectWriteTraceId")): str(result.get("id", "")) for result in results}
    left = [number for number in numbers if number not in failed]
    blind = not any("objectWriteTraceId" in result for result in results) and len(results) == len(left)
    answers = {
        number: Answer(done, crm_id=traced.get(str(number), ""))
        if blind or str(number) in traced
        else Answer("failed", "NOT_WRITTEN")
        for number in left
    }
    return failed | answers


def _refuse_unknown_properties(answer: httpx.Response, body: dict[str, Any]) -> None:
    """Raise Terminal when the account lacks a property: that is no row's fault, and every row would fail."""
    if "PROPERTY_DOESNT_EXIST" not in answer.text:
        return
    said = answer.text.replace("\\", "")
    names = sorted({name for given in body["inputs"] for name in given["properties"] if f'"{name}"' in said})
    raise Terminal(
        f"HubSpot has no contact property {', '.join(names) or 'of that name'}: create it there first"
    )


def _advice(status: int) -> str:
    secret_name = settings.current().hubspot_secret
    if status == httpx.codes.UNAUTHORIZED:
        return f"HubSpot refuses the token (401): put a private app's token into the secret {secret_name}"
    if status == httpx.codes.FORBIDDEN:
        return "HubSpot forbids it (403): give the private app the scope crm.objects.contacts.write"
    return f"HubSpot answers {status}, which trying again does not change: check the setting hubspot_url"


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        raise _Again("answers with something that is not JSON") from None
    return value if isinstance(value, dict) else {}


def _category(answer: httpx.Response) -> str:
    try:
        value = answer.json()
    except ValueError:
        return f"HTTP_{answer.status_code}"
    return _word(value.get("category") if isinstance(value, dict) else None, f"HTTP_{answer.status_code}")


def _code(error: dict[str, Any]) -> str:
    """Return HubSpot's word for what is wrong with a row: the most exact there is."""
    details = [detail.get("code") for detail in _list(error, "errors")]
    words = [*details, error.get("subCategory"), error.get("category")]
    return next((word for word in (_word(each, "") for each in words) if word), "FAILED")


def _word(value: Any, otherwise: str) -> str:
    """Return a code if it is one; a text that could quote a person's data is none."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else otherwise


def _list(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _context(error: dict[str, Any], name: str) -> list[str]:
    context = error.get("context")
    found = context.get(name) if isinstance(context, dict) else None
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _property(record: dict[str, Any], name: str) -> str:
    properties = record.get("properties")
    return str(properties.get(name) or "").lower() if isinstance(properties, dict) else ""


def _seconds(header: str | None) -> float | None:
    try:
        return max(float(header), 0.0) if header else None
    except ValueError:
        return None
