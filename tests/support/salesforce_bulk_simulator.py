"""Bulk API 2.0 of the Salesforce in memory: jobs that take one upload, as its documents and others' reports say.

A job is worked at when it is looked at: `polls` looks pass before it has ended.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BYTES = 150_000_000
_ENDED = ("JobComplete", "Failed", "Aborted")


class Organisation(Protocol):
    """Where the records are."""

    fields: frozenset[str]
    records: dict[str, dict[str, Any]]

    def upsert_one(
        self, given: Any, external: str, values: dict[str, Any], names: Counter[str]
    ) -> dict[str, Any]: ...


class BulkJobs:
    """The jobs of one organisation, by their ids."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self.jobs: dict[str, dict[str, Any]] = {}
        self.polls = 0
        self.problem = ""  # why the next job fails as a whole
        self.batches_left = 10_000
        self.max_bytes = _MAX_BYTES
        self._ids = count(1)

    def answer(self, method: str, path: str, request: httpx.Request) -> httpx.Response:
        found = re.fullmatch(r"/services/data/v(\d+\.\d)/jobs/ingest(?:/(\w+)(?:/(\w+))?)?", path)
        if found is None:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        version, job_id, part = found.groups()
        if (method, job_id) == ("POST", None):
            return self._create(json.loads(request.content), version)
        job = self.jobs.get(job_id)
        if job is None:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        return self._of_job(job, f"{method} {part or ''}".strip(), request)

    def _of_job(self, job: dict[str, Any], asked: str, request: httpx.Request) -> httpx.Response:
        if asked == "PUT batches":
            return self._upload(job, request)
        if asked == "PATCH":
            return self._change(job, json.loads(request.content))
        if asked == "GET":
            self._work(job)
            return httpx.Response(200, json=_shown(job))
        kind = asked.removeprefix("GET ")
        if kind in ("successfulResults", "failedResults", "unprocessedRecords"):
            return self._results(job, kind)
        return error(404, "NOT_FOUND", "The requested resource does not exist")

    def _create(self, said: dict[str, Any], version: str) -> httpx.Response:
        known = {"object", "operation", "externalIdFieldName", "contentType", "lineEnding", "columnDelimiter"}
        if unknown := said.keys() - known:
            return error(400, "JSON_PARSER_ERROR", f"Unrecognized field {min(unknown)!r}")
        if said.get("object") != "Contact":
            return error(400, "INVALIDENTITY", f"InvalidEntity : {said.get('object')!r} is not supported")
        if (
            said.get("operation") != "upsert"
            or said.get("externalIdFieldName") not in self._organisation.fields
        ):
            return error(400, "INVALIDJOB", "InvalidJob : Upsert needs an external id field of the object")
        if said.get("contentType", "CSV") != "CSV" or said.get("lineEnding", "LF") not in ("LF", "CRLF"):
            return error(400, "INVALIDJOB", "InvalidJob : Unsupported content type or line ending")
        if said.get("columnDelimiter", "COMMA") != "COMMA":
            return error(400, "INVALIDJOB", "the simulator takes commas only")
        job_id = f"750{next(self._ids):015d}"
        job = {
            "id": job_id, "operation": "upsert", "object": "Contact", "state": "Open", "contentType": "CSV",
            "externalIdFieldName": said["externalIdFieldName"], "lineEnding": said.get("lineEnding", "LF"),
            "columnDelimiter": "COMMA", "concurrencyMode": "Parallel", "apiVersion": float(version),
            "createdDate": "2026-03-01T12:00:00.000+0000", "systemModstamp": "2026-03-01T12:00:00.000+0000",
            "createdById": "005000000000001AAA", "jobType": "V2Ingest",
            "contentUrl": f"services/data/v{version}/jobs/ingest/{job_id}/batches",
            "_data": None, "_looks": 0, "_lines": [], "_header": [], "_good": [], "_bad": [],
        }  # fmt: skip
        self.jobs[job_id] = job
        return httpx.Response(200, json=_shown(job))

    def _upload(self, job: dict[str, Any], request: httpx.Request) -> httpx.Response:
        if job["state"] != "Open" or job["_data"] is not None:
            return error(
                400, "INVALIDJOBSTATE", "InvalidJobState : data can be uploaded once, to an open job"
            )
        if not request.headers.get("Content-Type", "").startswith("text/csv"):
            return error(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type is not text/csv")
        if len(request.content) * 4 / 3 > self.max_bytes:
            return error(413, "REQUEST_TOO_LARGE", "too large")
        job["_data"] = request.content
        return httpx.Response(201)

    def _change(self, job: dict[str, Any], said: dict[str, Any]) -> httpx.Response:
        state = said.get("state")
        allowed = {"UploadComplete": ("Open",), "Aborted": ("Open", "UploadComplete", "InProgress")}
        if said.keys() != {"state"} or state not in allowed:
            return error(400, "INVALIDJOB", "InvalidJob : only the state can be changed")
        if job["state"] not in allowed[state]:
            return error(400, "INVALIDJOBSTATE", f"InvalidJobState : job is {job['state']}")
        if state == "UploadComplete" and self.batches_left == 0:
            job |= {"state": "Failed", "errorMessage": "ExceededQuota : ApiBatchItems Limit exceeded."}
            return httpx.Response(200, json=_shown(job))
        job["state"] = state
        return httpx.Response(200, json=_shown(job))

    def _work(self, job: dict[str, Any]) -> None:
        """Go on with a job that is closed."""
        if job["state"] == "UploadComplete":
            job["state"] = "InProgress"
        if job["state"] != "InProgress":
            return
        job["_looks"] += 1
        if job["_looks"] <= self.polls:
            return
        problem = self._read(job)
        if problem:
            job |= {"state": "Failed", "errorMessage": problem}
            return
        self.batches_left -= 1
        external = job["externalIdFieldName"]
        names = Counter(line[external].lower() for line in job["_lines"])
        for line in job["_lines"]:
            self._write(job, line, external, names)
        job["state"] = "JobComplete"

    def _read(self, job: dict[str, Any]) -> str:
        """Read what was uploaded; return why the job fails as a whole."""
        text = (job["_data"] or b"").decode("utf-8")
        outside = re.sub(r'"(?:[^"]|"")*"', "", text, flags=re.DOTALL)
        if job["lineEnding"] == "LF" and "\r" in outside:
            return "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"
        if outside.count('"'):
            return "InvalidBatch : Failed to parse CSV : a quote is not closed"
        header, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
        if problem := self._problem(header, rows):
            return problem
        job["_header"] = header
        job["_lines"] = [dict(zip(header, row, strict=True)) for row in rows]
        return self.problem

    def _problem(self, header: list[str], rows: list[list[str]]) -> str:
        known = {name.lower() for name in self._organisation.fields}
        unknown = [name for name in header if name.lower() not in known]
        if not rows:
            return "InvalidBatch : Records not found"
        if unknown:
            return f"InvalidBatch : Field name not found : {unknown[0]}"
        if any(len(row) != len(header) for row in rows):
            return "InvalidBatch : Failed to parse CSV : wrong number of columns"
        return ""

    def _write(self, job: dict[str, Any], line: dict[str, str], external: str, names: Counter[str]) -> None:
        given = line[external]
        if not given:
            job["_bad"].append((line, "MISSING_ARGUMENT:Email__c not specified:--"))
            return
        values = {
            name: None if cell == "#N/A" else cell for name, cell in line.items() if cell and name != external
        }
        result = self._organisation.upsert_one(given, external, values, names)
        if result["success"]:
            job["_good"].append((line, result["id"], result["created"]))
        else:
            code = result["errors"][0]["statusCode"]
            job["_bad"].append((line, f"{code}:{given} is wrong, says a rule:{external} --"))

    def _results(self, job: dict[str, Any], kind: str) -> httpx.Response:
        if job["state"] not in _ENDED:
            return error(400, "INVALIDJOBSTATE", "InvalidJobState : the job has not ended")
        header = job["_header"]
        if kind == "successfulResults":
            return _csv(
                ["sf__Id", "sf__Created", *header],
                ([record, str(created).lower(), *line.values()] for line, record, created in job["_good"]),
            )
        if kind == "failedResults":
            return _csv(
                ["sf__Id", "sf__Error", *header], (["", text, *line.values()] for line, text in job["_bad"])
            )
        if job["state"] == "JobComplete":
            return _csv(header, ())
        return httpx.Response(200, content=job["_data"] or b"", headers={"Content-Type": "text/csv"})


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in job.items() if not name.startswith("_")}
    return shown | {
        "numberRecordsProcessed": len(job["_good"]) + len(job["_bad"]),
        "numberRecordsFailed": len(job["_bad"]),
    }


def _csv(header: list[str], lines: Iterable[list[str]]) -> httpx.Response:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(lines)
    return httpx.Response(200, content=text.getvalue().encode(), headers={"Content-Type": "text/csv"})


def error(status: int, code: str, message: str) -> httpx.Response:
    """Return an error as every API of Salesforce writes it."""
    return httpx.Response(status, json=[{"errorCode": code, "message": unquote(message)}])
