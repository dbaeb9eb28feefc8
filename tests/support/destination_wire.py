"""The line between a destination and its simulator, and what may go wrong on it, on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx


@dataclass
class Fault:
    """Something to go wrong with one request.

    `refused`: no connection. `after`: the simulator does what it is asked, and then this happens. `lost`: the
    connection breaks instead of an answer. Else the answer is `status`, or what `change` makes of the simulator's.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    refused: bool = False
    after: bool = False
    lost: bool = False
    change: Callable[[httpx.Response], httpx.Response] | None = None


class Simulator(Protocol):
    """What stands at the other end."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Do what a request asks for, and answer it."""
        ...


class Wire(httpx.BaseTransport):
    """Carries requests to a simulator; `faults` happen to the first of them that are about to write, in turn."""

    def __init__(
        self, simulator: Simulator, is_write: Callable[[httpx.Request], bool] = lambda _: True
    ) -> None:
        self.simulator = simulator
        self.faults: list[Fault] = []
        self.requests: list[httpx.Request] = []
        self._is_write = is_write

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if not self._is_write(request):
            return self.simulator.answer(request)
        fault = self.faults.pop(0) if self.faults else Fault()
        if fault.refused:
            raise httpx.ConnectError("connection refused", request=request)
        self.requests.append(request)
        if fault.lost or fault.status:
            if fault.after:
                self.simulator.answer(request)
            if fault.lost:
                raise httpx.ReadError("connection reset", request=request)
            return httpx.Response(fault.status, headers=fault.headers, text=fault.text)
        response = self.simulator.answer(request)
        return fault.change(response) if fault.change else response
