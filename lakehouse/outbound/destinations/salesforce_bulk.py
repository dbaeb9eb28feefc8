"""Salesforce's Bulk API 2.0: a job takes the rows of a chunk as one CSV, and says of each what became of it.

A job is made, filled and closed, and nothing is written before it is closed. Its id is noted beside the chunk before
that, so that whoever delivers the chunk again asks the job before anything else, and so that a later run ends the jobs
of a run that was closed early: else an old job would write what was taken off since.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from lakehouse import objects
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound import log
from lakehouse.outbound.destinations import Answer, NotSent
from lakehouse.outbound.destinations.client import Request, at, code_or, json_or_none
from lakehouse.outbound.destinations.delivery import is_sendable
from lakehouse.outbound.destinations.exchange import Asking, Refused, until_answered
from lakehouse.outbound.policy import BulkPolicy

if TYPE_CHECKING:
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

NULL: Final = "#N/A"  # in a cell: clear the field; an empty cell leaves it as it is
_ENDED: Final = frozenset({"JobComplete", "Failed", "Aborted"})
_SETTLED: Final[set[tuple[str, str, str]]] = set()  # whose jobs have ended: bucket, sync, run
_CODE: Final = re.compile(r"[A-Za-z_]+")

Ask = Callable[..., httpx.Response]  # a request, and the statuses that are answers, too → the answer


@dataclass(frozen=True, slots=True)
class Note:
    """Which job was made for a chunk, and the numbers of the rows in it; no id: another is to be made."""

    id: str
    rows: list[int]


@dataclass(frozen=True, slots=True)
class Job:
    """What Salesforce says of a job. `problem` is why it failed."""

    id: str
    state: str
    problem: str = ""


class NoBatchesLeft(NotSent):
    """A job failed before its first row: the day has no batches left."""


def rows_of_job(rows: Sequence[Row], note: Note | None) -> list[Row]:
    """Return the rows that a job takes: those of the one that was made, else all that are written, if many enough.

    Nobody stands twice in a job, and a value that Salesforce would read as an order to clear the field is in none.
    """
    if note is not None and note.id:
        return [row for row in rows if row.row in set(note.rows) and row.action == "upsert"]
    first: dict[str, Row] = {}
    for row in rows:
        if row.action == "upsert" and is_sendable(row) and NULL not in {row.id, *row.properties.values()}:
            first.setdefault(row.id.casefold(), row)
    return list(first.values()) if len(first) > BulkPolicy.above_rows else []


def csv_of(rows: Sequence[Row], id_property: str) -> bytes:
    """Return rows as a job takes them: UTF-8 without a mark, LF after each, quotes doubled."""
    fields = sorted(set[str]().union(*(row.properties for row in rows)) - {id_property})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([id_property, *fields])
    for row in rows:
        cells = [row.properties[name] or NULL if name in row.properties else "" for name in fields]
        writer.writerow([row.id, *cells])
    return text.getvalue().encode()


class BulkJobs:
    """The jobs of one organisation. `ask` sends a request below its API's path once, as `Client.call`."""

    def __init__(self, settings: Settings, who: str, data_path: str, ask: Ask) -> None:
        self._settings, self._who, self._ask = settings, who, ask
        self._path = f"{data_path}/jobs/ingest"

    def note(self, chunk: Chunk) -> Note | None:
        """Return which job was made for a chunk; None where none was."""
        return self._read_note(chunk.sync, chunk.run, chunk.chunk)

    def end_earlier(self, chunk: Chunk, asking: Asking, sleep: Callable[[float], None]) -> None:
        """End the jobs that runs before a chunk's left behind when they were closed; raises as `until_answered`."""
        for number in range(int(chunk.run) - 1, 0, -1):
            run = f"{number:08d}"
            named = (self._settings.ops_bucket, chunk.sync, run)
            closed = None if named in _SETTLED else log.closed_run(self._settings, chunk.sync, run)
            if closed is None:
                return
            for name in closed.uncertain:
                note = self._read_note(chunk.sync, run, name)
                if note is not None and note.id:
                    self._end(note.id, asking, sleep)
            _SETTLED.add(named)

    def deliver(
        self, chunk: Chunk, rows: Sequence[Row], asking: Asking, sleep: Callable[[float], None]
    ) -> dict[int, Answer]:
        """Return what became of rows: of the job that was made for them, or of a new one.

        Raises NotSent where nothing can have been written, Transient while the job is at work or cannot be asked,
        Terminal when a person must act.
        """
        note = self.note(chunk)
        job = self._job(note.id, asking) if note is not None and note.id else None
        if job is not None and job.state == "Open":  # it was never closed: what is in it, nobody knows
            self._end(job.id, asking, sleep)
            job = None
        if job is None:
            job, rows, left = self._begin(chunk, rows, asking)
        else:
            left = []
        answers = {row.row: Answer("failed", "NOT_SENT_YET") for row in left}
        try:
            ended = self._ended(job, asking, sleep)
            return answers | self._read(chunk, ended, rows, asking)
        except NoBatchesLeft:
            raise
        except NotSent as error:
            raise Transient(str(error)) from None

    def _begin(
        self, chunk: Chunk, rows: Sequence[Row], asking: Asking
    ) -> tuple[Job, Sequence[Row], Sequence[Row]]:
        """Make a job, fill and close it; return it, the rows in it, and those that one upload has no room for."""
        body, count = _within_size(rows, chunk.id_property)
        said = {
            "object": chunk.object,
            "operation": "upsert",
            "externalIdFieldName": chunk.id_property,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        try:
            made = self._call(Request("POST", self._path, json=said), asking)
            job = Job(code_or(at(made, "id"), ""), "Open")
            if not job.id:
                raise Transient(f"{self._who} names no job; the chunk is tried again")
            self._write_note(chunk, Note(job.id, [row.row for row in rows[:count]]))
            headers = {"Content-Type": "text/csv; charset=UTF-8"}
            upload = Request("PUT", f"{self._path}/{job.id}/batches", content=body, headers=headers)
            self._call(upload, asking)
        except Refused as refused:
            raise Terminal(
                f"{self._who} takes no job of {chunk.object} by {chunk.id_property} ({refused.code}): look at the "
                "sync's `object` and `id`"
            ) from None
        self._close(job, asking)
        return job, rows[:count], rows[count:]

    def _close(self, job: Job, asking: Asking) -> None:
        """Close a job; one that is closed already refuses it, and is asked then."""
        try:
            self._change(job.id, "UploadComplete", asking)
        except Refused:
            return

    def _ended(self, job: Job, asking: Asking, sleep: Callable[[float], None]) -> Job:
        """Wait until a job has ended, within the chunk's time."""
        wait, closed = BulkPolicy.first_poll_seconds, 1
        while True:
            found = self._job(job.id, asking)
            if found is None:
                raise Transient(f"{self._who} does not know the job any more; the chunk is tried again")
            if found.state in _ENDED:
                return found
            if found.state == "Open":
                if closed == BulkPolicy.closings:
                    raise Transient(f"{self._who} does not close a job; the chunk is tried again")
                closed += 1
                self._close(job, asking)
                continue
            if asking.clock() + wait > asking.deadline:
                raise Transient(
                    f"{self._who} is at work on a job still; it is asked again before anything else"
                )
            sleep(wait)
            wait = min(wait * 2, BulkPolicy.longest_poll_seconds)

    def _end(self, job_id: str, asking: Asking, sleep: Callable[[float], None]) -> None:
        """End a job, so that it writes nothing any more; what it wrote stays."""
        wait = BulkPolicy.first_poll_seconds
        while True:
            with suppress(Refused):  # it has ended, or is about to
                self._change(job_id, "Aborted", asking, also=(httpx.codes.NOT_FOUND,))
            found = self._job(job_id, asking)
            if found is None or found.state in _ENDED:
                return
            if asking.clock() + wait > asking.deadline:
                raise NotSent(f"{self._who} is at work on an earlier job still; the chunk is tried again")
            sleep(wait)
            wait = min(wait * 2, BulkPolicy.longest_poll_seconds)

    def _read(self, chunk: Chunk, job: Job, rows: Sequence[Row], asking: Asking) -> dict[int, Answer]:
        """Return what a job that has ended says of each row."""
        succeeded = self._results(job.id, "successfulResults", asking)
        if job.state == "Failed" and not succeeded:
            self._check_failed(chunk, job, rows, asking)
        by_name: dict[str, Answer] = {}
        for result in succeeded:
            by_name[_name(result, chunk.id_property)] = Answer(
                "sent", crm_id=code_or(result.get("sf__id"), "")
            )
        for result in self._results(job.id, "failedResults", asking):
            by_name[_name(result, chunk.id_property)] = Answer("failed", _code(result.get("sf__error", "")))
        unprocessed = _code(job.problem, "NOT_PROCESSED")
        for result in self._results(job.id, "unprocessedRecords", asking):
            by_name.setdefault(_name(result, chunk.id_property), Answer("failed", unprocessed))
        nothing = Answer("failed", "NO_RESULT", uncertain=True)
        return {row.row: by_name.get(row.id.casefold(), nothing) for row in rows}

    def _check_failed(self, chunk: Chunk, job: Job, rows: Sequence[Row], asking: Asking) -> None:
        """Raise for a job that failed as a whole for what no row can help; another one is made next time."""
        fields = {chunk.id_property}.union(*(row.properties for row in rows))
        named = sorted(name for name in fields if re.search(rf"\b{re.escape(name)}\b", job.problem))
        if "exceededquota" in job.problem.casefold().replace(" ", ""):
            self._write_note(chunk, Note("", []))
            asking.limit.rest("quota")
            raise NoBatchesLeft(
                f"{self._who} has no batches left today (ExceededQuota); the chunk is tried again"
            )
        if "Field name" in job.problem or "INVALID_FIELD" in job.problem:
            self._write_note(chunk, Note("", []))
            raise Terminal(
                f"{self._who} refuses the sync's fields ({_code(job.problem)}): {', '.join(named) or 'a field'} is not "
                "there, or must not be written"
            )

    def _results(self, job_id: str, kind: str, asking: Asking) -> list[dict[str, str]]:
        """Return the lines of one of a job's results, by their headers in lower case; none of an empty answer."""
        request = Request("GET", f"{self._path}/{job_id}/{kind}", headers={"Accept": "text/csv"})
        response = until_answered(lambda: self._ask(request), asking).value
        lines = csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))
        headers = [name.casefold() for name in next(lines, [])]
        return [dict(zip(headers, line, strict=False)) for line in lines]

    def _job(self, job_id: str, asking: Asking) -> Job | None:
        """Return a job; None where Salesforce does not know it any more."""
        request = Request("GET", f"{self._path}/{job_id}")
        response = until_answered(lambda: self._ask(request, (httpx.codes.NOT_FOUND,)), asking).value
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        body = json_or_none(response)
        return Job(job_id, code_or(at(body, "state"), ""), str(at(body, "errorMessage") or ""))

    def _change(self, job_id: str, state: str, asking: Asking, also: Collection[int] = ()) -> None:
        request = Request("PATCH", f"{self._path}/{job_id}", json={"state": state})
        until_answered(lambda: self._ask(request, also), asking)

    def _call(self, request: Request, asking: Asking) -> Any:
        return json_or_none(until_answered(lambda: self._ask(request), asking).value)

    def _read_note(self, sync: str, run: str, chunk: str) -> Note | None:
        key = f"{log.ROOT}{sync}/{run}/{chunk}/job.json"
        return objects.get_json(
            self._settings.ops_bucket, key, _as_note, "delete it: its job is not asked then"
        )

    def _write_note(self, chunk: Chunk, note: Note) -> None:
        key = f"{log.ROOT}{chunk.sync}/{chunk.run}/{chunk.chunk}/job.json"
        objects.put(self._settings.ops_bucket, key, json.dumps(asdict(note)).encode())


def _as_note(value: Mapping[str, Any]) -> Note:
    return Note(str(value["id"]), [int(number) for number in value["rows"]])


def _within_size(rows: Sequence[Row], id_property: str) -> tuple[bytes, int]:
    """Return as many rows as one upload takes, and how many these are; one alone is taken whatever its size."""
    count = len(rows)
    body = csv_of(rows, id_property)
    while len(body) > BulkPolicy.upload_bytes and count > 1:
        count = max(count * BulkPolicy.upload_bytes // len(body) * 9 // 10, 1)
        body = csv_of(rows[:count], id_property)
    return body, count


def _name(result: Mapping[str, str], id_property: str) -> str:
    return result.get(id_property.casefold(), "").casefold()


def _code(text: str, otherwise: str = "FAILED") -> str:
    """Return the code that an error's text begins with; the rest may quote what somebody wrote."""
    found = _CODE.match(text.strip())
    return found[0] if found else otherwise


def forget_settled() -> None:
    """Forget which runs' jobs have ended."""
    _SETTLED.clear()
