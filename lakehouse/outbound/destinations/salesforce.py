"""Salesforce: records upserted by an external id, 200 at once or many as a job, and cleared by record id.

Answers have the order of the request. Rows that share an external id in one request are all refused
(`DUPLICATE_VALUE`), so none does. Removals find records first and then update: an upsert would make one anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import httpx

from lakehouse.batching import batches
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer, Declared, NotSent
from lakehouse.outbound.destinations.client import Client, Request, at, code_or, json_of, json_or_none
from lakehouse.outbound.destinations.credentials import Credentials, credentials
from lakehouse.outbound.destinations.delivery import RowSender, done
from lakehouse.outbound.destinations.exchange import (
    REFUSED,
    Answered,
    Asking,
    QuotaSpent,
    Refused,
    until_answered,
)
from lakehouse.outbound.destinations.salesforce_bulk import BulkJobs, rows_of_job
from lakehouse.outbound.policy import BulkPolicy, RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lakehouse.outbound.destinations.definition import SalesforceDefinition
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

BATCH_LIMIT: Final = 200  # records that one request of the collections API takes
_NAMES_LIMIT: Final = 100  # external ids in one query: a URL may have 16,384 bytes
DECLARED: Final = Declared(BATCH_LIMIT, None, idempotent=True, removal="clear")
# What is wrong with a request whichever rows it has.
_OF_THE_MAPPING: Final = frozenset(
    {"INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE", "MALFORMED_QUERY"}
)
_OF_THE_DAY: Final = frozenset({"REQUEST_LIMIT_EXCEEDED", "EXCEEDEDQUOTA"})
_GONE: Final = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})
_LOCKED: Final = (
    "UNABLE_TO_LOCK_ROW"  # somebody else is writing the record, or one that many records belong to
)
# A rule that only warns refuses through the API, unless the request says that it was warned; one that blocks, always.
_WARNED: Final = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_TOKENS: Final[dict[tuple[str, str], str]] = {}


class Salesforce(RowSender):
    """An organisation. Credentials: `client_id` and `client_secret` of a connected app, or an `access_token`."""

    declared = DECLARED

    def __init__(
        self,
        client: Client,
        definition: SalesforceDefinition,
        secrets: Credentials,
        settings: Settings,
        **timing: Callable[..., Any],
    ) -> None:
        super().__init__(**timing)
        self._client, self._secrets = client, secrets
        self._account = definition.url
        self._who = f"destination {definition.name}"
        self._data = f"/services/data/{definition.version}"
        self._may_double = definition.duplicates == "allow"
        self._jobs = BulkJobs(settings, self._who, self._data, self._ask)

    @property
    def who(self) -> str:
        """Return how errors call it."""
        return self._who

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Deliver rows of a chunk, many of them as a job; answers and errors as in `Destination`."""
        if not rows:
            return {}
        deadline = self._clock() + RequestPolicy.chunk_seconds
        asking = Asking(self.who, deadline, self._clock, limit=self.limit)
        self._jobs.end_earlier(chunk, asking, self._sleep)
        of_job = rows_of_job(rows, self._jobs.note(chunk))
        answers = self._jobs.deliver(chunk, of_job, asking, self._sleep) if of_job else {}
        others = [row for row in rows if row.row not in answers]
        try:
            return answers | super().send(chunk, others)
        except NotSent as error:
            raise Transient(str(error)) if answers else error from None

    def upsert(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Write rows by one request; raises as `until_answered`."""
        records = [{**_record(chunk.object, row.properties), chunk.id_property: row.id} for row in rows]
        path = f"{self._data}/composite/sobjects/{chunk.object}/{chunk.id_property}"
        answered = self._write(path, records, asking, warned=self._may_double)
        found = {row.row: _answer(part, row) for row, part in zip(rows, answered.value, strict=False)}
        return Answered(found if len(answered.value) == len(rows) else {}, answered.after_lost)

    def remove(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Clear the properties of the records that rows lead to, by record id and by external id."""
        by_name = self._records(chunk, [row.id for row in rows if not row.stray], asking)
        of_row = {row.row: _records_of(row, by_name) for row in rows}
        fields: dict[str, dict[str, str]] = {}  # a record that stands twice in a request is refused
        for row in rows:
            for record in of_row[row.row]:
                fields.setdefault(record, {}).update(row.properties)
        cleared = self._clear(chunk.object, fields, asking)
        answers = {row.row: _joined(of_row[row.row], cleared.value, row) for row in rows}
        return Answered(answers, cleared.after_lost)

    def get(self, path: str, query: Mapping[str, str], deadline: float) -> dict[str, Any]:
        """Get what is below the API's version; raises as `until_answered`, and Refused."""
        asking = Asking(self.who, deadline, self._clock, limit=self.limit)
        answer = until_answered(
            lambda: self._call(Request("GET", f"{self._data}{path}", query=query)), asking
        ).value
        return answer if isinstance(answer, dict) else {}

    def _clear(
        self, kind: str, fields: dict[str, dict[str, str]], asking: Asking
    ) -> Answered[dict[str, Any]]:
        """Write fields by record id, and return what was said of each record."""
        parts: dict[str, Any] = {}
        after_lost = False
        for some in batches(sorted(fields), count=BATCH_LIMIT):
            records = [{**_record(kind, fields[record]), "id": record} for record in some]
            try:
                # Who is cleared is no duplicate of anybody: a rule must not keep a refusal from being carried out.
                answered = self._write(f"{self._data}/composite/sobjects", records, asking, warned=True)
            except NotSent as error:
                raise Transient(str(error)) if parts else error from None
            after_lost = after_lost or answered.after_lost
            if len(answered.value) == len(some):
                parts |= dict(zip(some, answered.value, strict=True))
        return Answered(parts, after_lost)

    def _records(self, chunk: Chunk, names: Iterable[str], asking: Asking) -> dict[str, str]:
        """Return the record ids of external ids, by the external id in lower case."""
        found: dict[str, str] = {}
        for some in batches(sorted(set(names)), count=_NAMES_LIMIT):
            listed = ", ".join(f"'{soql_text(name)}'" for name in some)
            query = (
                f"SELECT Id, {chunk.id_property} FROM {chunk.object} WHERE {chunk.id_property} IN ({listed})"
            )
            request = Request("GET", f"{self._data}/query", query={"q": query})
            answer = until_answered(lambda request=request: self._call(request), asking).value  # type: ignore[misc]
            records = at(answer, "records")
            if not isinstance(records, list):
                raise Transient(f"{self.who} answers a query with something else; the chunk is tried again")
            for record in records:
                found[str(at(record, chunk.id_property)).casefold()] = str(at(record, "Id"))
        return found

    def _write(
        self, path: str, records: list[dict[str, Any]], asking: Asking, *, warned: bool
    ) -> Answered[list[Any]]:
        """Write records by one request, and once more those that somebody else was writing just then.

        `warned`: rules about duplicates that only warn let them through.
        """
        answered = self._write_once(path, records, asking, warned)
        parts = answered.value
        for wait in RequestPolicy.locked_waits:
            locked = [number for number, part in enumerate(parts) if _is_locked(part)]
            if not locked or len(parts) != len(records) or asking.clock() + wait > asking.deadline:
                break
            self._sleep(wait)
            try:
                again = self._write_again(path, [records[number] for number in locked], asking, warned)
            except (NotSent, Refused):
                break  # they stay as locked as they were
            for number, part in zip(locked, again.value, strict=True):
                parts[number] = part
            answered = Answered(parts, answered.after_lost or again.after_lost)
        return answered

    def _write_again(
        self, path: str, records: list[dict[str, Any]], asking: Asking, warned: bool
    ) -> Answered[list[Any]]:
        """Write records, and return what is said of each: None where nobody knows. Raises NotSent and Refused."""
        unknown: Answered[list[Any]] = Answered([None] * len(records))
        try:
            answered = self._write_once(path, records, asking, warned)
        except NotSent:
            raise
        except Transient:
            return unknown
        return answered if len(answered.value) == len(records) else unknown

    def _write_once(
        self, path: str, records: list[dict[str, Any]], asking: Asking, warned: bool
    ) -> Answered[list[Any]]:
        body = {"allOrNone": False, "records": records}
        request = Request("PATCH", path, json=body, headers=_WARNED if warned else None)

        def once() -> list[Any]:
            answer = self._call(request)
            return answer if isinstance(answer, list) else []

        return until_answered(once, asking)

    def _call(self, request: Request) -> Any:
        """Ask once, as `_ask`, and return the JSON of the answer."""
        return json_of(self._ask(request))

    def _ask(self, request: Request, wanted: Collection[int] = ()) -> httpx.Response:
        """Ask once with a token; where it has run out, with a new one. `wanted` are statuses that are answers, too."""
        also = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.BAD_REQUEST, *wanted)
        response = self._client.call(self._with_token(request), _code, also)
        if response.status_code == httpx.codes.UNAUTHORIZED and "client_id" in self._secrets:
            _TOKENS.pop(self._token_key(), None)
            response = self._client.call(self._with_token(request), _code, also)
        if response.is_success or response.status_code in wanted:
            return response
        code = code_or(_code(json_or_none(response)), f"HTTP_{response.status_code}")
        if code.upper() in _OF_THE_DAY:
            raise QuotaSpent(f"has no API calls or batches left today ({code})")
        if code in _OF_THE_MAPPING:
            raise Terminal(f"{self.who} refuses the sync's fields ({code}): {_named(request, response)}")
        if response.status_code in REFUSED:
            raise Refused(code)
        raise Terminal(f"{self.who} refuses the credentials ({code}): look at its app, user and the secret")

    def _with_token(self, request: Request) -> Request:
        headers = {**(request.headers or {}), "Authorization": f"Bearer {self._token()}"}
        return replace(request, headers=headers)

    def _token_key(self) -> tuple[str, str]:
        return self._account, self._secrets["client_id"]

    def _token(self) -> str:
        """Return an access token, one that is there or a new one; kept for the life of the process."""
        if "client_id" not in self._secrets:
            return self._secrets["access_token"]
        key = self._token_key()
        if key not in _TOKENS:
            form = {
                "grant_type": "client_credentials",
                "client_id": self._secrets["client_id"],
                "client_secret": self._secrets["client_secret"],
            }
            request = Request("POST", "/services/oauth2/token", form=form)
            response = self._client.call(request, also=(httpx.codes.BAD_REQUEST,))
            token = at(json_of(response), "access_token")
            if not isinstance(token, str):
                raise Terminal(f"{self.who} gives no token: look at its app, and at the secret")
            _TOKENS[key] = token
        return _TOKENS[key]


@dataclass(frozen=True, slots=True)
class _Part:
    """What an answer says of one record."""

    record: str
    success: bool
    code: str


def _part(value: Any) -> _Part | None:
    if not isinstance(value, dict) or not isinstance(value.get("success"), bool):
        return None
    code = code_or(at(value, "errors.0.statusCode"), "FAILED")
    return _Part(code_or(value.get("id"), ""), value["success"], code)


def _is_locked(value: Any) -> bool:
    part = _part(value)
    return part is not None and not part.success and part.code == _LOCKED


def _answer(value: Any, row: Row) -> Answer:
    part = _part(value)
    if part is None:
        return Answer("failed", "NOT_WRITTEN", uncertain=True)
    return Answer(done(row.action), crm_id=part.record) if part.success else Answer("failed", part.code)


def _joined(records: Sequence[str], parts: dict[str, Any], row: Row) -> Answer:
    """Return the answer for a row whose properties stood in these records: removed when all are cleared or gone."""
    found = [_part(parts.get(record)) for record in records]
    missing = [part is None for part in found]
    failed = [part for part in found if part is not None and not part.success and part.code not in _GONE]
    names = ",".join(records)
    if any(missing):
        return Answer("failed", "NOT_WRITTEN", names, uncertain=True)
    if failed:
        return Answer("failed", failed[0].code, names, uncertain=len(failed) < len(found))
    if not any(part.success for part in found if part is not None):
        return Answer("removed", "GONE")
    return Answer(done(row.action), crm_id=names)


def _records_of(row: Row, by_name: dict[str, str]) -> list[str]:
    of_name = "" if row.stray else by_name.get(row.id.casefold(), "")
    return sorted({record for record in (row.crm_id, of_name) if record})


def _record(kind: str, properties: dict[str, str]) -> dict[str, Any]:
    """Return a record of the collections API; null clears a field of any type."""
    return {"attributes": {"type": kind}, **{name: value or None for name, value in properties.items()}}


def _code(body: Any) -> str:
    """Return the code of an error: the body is a list of them, of the token's an object."""
    return str(at(body, "0.errorCode") or at(body, "error") or "")


def _named(request: Request, response: httpx.Response) -> str:
    """Return which of the fields that were sent an error's text names."""
    names: set[str] = set().union(*(record for record in at(request.json, "records") or []))
    named = sorted(name for name in names - {"attributes"} if name in response.text)
    return f"{', '.join(named) or 'its object or a field'} is not there, or must not be written"


def soql_text(text: str) -> str:
    """Return a text as it stands between quotes in SOQL."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def forget_tokens() -> None:
    """Forget the tokens that were got."""
    _TOKENS.clear()


def chunk_rows(_: SalesforceDefinition) -> int:
    """Return how many rows a chunk of those that are written has at most."""
    return BulkPolicy.chunk_rows


def removal_rows(_: SalesforceDefinition) -> int:
    """Return how many rows a chunk of removals has at most: each is looked for first."""
    return BATCH_LIMIT


def open_destination(settings: Settings, definition: SalesforceDefinition) -> Salesforce:
    """Return the organisation that a destination's file names; Terminal as `Client` and `credentials`."""
    return Salesforce(Client(settings, definition), definition, credentials(settings, definition), settings)
