"""What can go wrong with HubSpot, on demand: its rate limit, its errors, answers that get lost."""

from __future__ import annotations

import math
import time
from collections import deque
from threading import Lock
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """Something to go wrong, `times` times, with requests that reach the API.

    `where` "before": nothing is written; "after": the write happens and its answer is lost or wrong.
    `status` 200 with "before" is a success that wrote nothing. `drop` closes the connection unanswered.
    `id` picks the requests whose inputs name this id, `path` those whose path contains it.
    `code` goes into the error's `category`, `message` into its text.
    """

    model_config = ConfigDict(extra="forbid")

    status: int = Field(500, ge=200, le=599)
    times: int = Field(1, ge=1)
    where: Literal["before", "after"] = "before"
    retry_after: float | None = None
    drop: bool = False
    id: str | None = None
    path: str | None = None
    code: str | None = None
    message: str = "asked for by a test"


class Faults:
    """The faults waiting to happen, first come first served."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._turn = Lock()

    def add(self, fault: Fault) -> None:
        """Queue a fault."""
        with self._turn:
            self._waiting.append(fault.model_copy())

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        with self._turn:
            self._waiting.clear()

    def take(self, path: str, ids: set[str]) -> Fault | None:
        """Return the first fault meant for a request to `path` about `ids`, and count it down."""
        with self._turn:
            for fault in self._waiting:
                if not _concerns(fault, path, ids):
                    continue
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        return None


def _concerns(fault: Fault, path: str, ids: set[str]) -> bool:
    path_fits = not fault.path or fault.path in path
    id_fits = not fault.id or fault.id in ids
    return path_fits and id_fits


class RateLimit:
    """HubSpot's rolling window: at most `limit` requests within `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._admitted: deque[float] = deque()
        self._turn = Lock()

    def admit(self) -> tuple[bool, dict[str, str]]:
        """Count one request; return whether it may pass, and the headers that say so to the client."""
        with self._turn:
            now = time.monotonic()
            while self._admitted and self._admitted[0] <= now - self.seconds:
                self._admitted.popleft()
            free = len(self._admitted) < self.limit
            if free:
                self._admitted.append(now)
            headers = {
                "X-HubSpot-RateLimit-Max": str(self.limit),
                "X-HubSpot-RateLimit-Remaining": str(self.limit - len(self._admitted)),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.seconds * 1000)),
            }
            if not free:
                headers["Retry-After"] = str(math.ceil(self._admitted[0] + self.seconds - now))
            return free, headers


def error_body(category: str, message: str, code: str = "", **context: list[str]) -> dict[str, Any]:
    """Return HubSpot's error object; `context` values are lists of strings."""
    body: dict[str, Any] = {
        "status": "error",
        "category": category,
        "message": message,
        "correlationId": "simulated",
    }
    if context:
        body["context"] = context
    if code:
        body["errors"] = [{"message": message, "code": code}]
    return body
