"""Calling a function as Lambda does: JSON in and out, a context, a time limit, one call at a time a sandbox.

Lambda gives each concurrent call a process of its own, and handlers may rely on that: a Powertools
`BatchProcessor` in a handler's module holds the state of one batch. So each concurrent call gets a copy of
the handler's module; what that imports (`lakehouse.*`, boto3) is shared, and thread-safe.

A thread cannot be killed. A call that overruns its time is logged when its time is up, counts as
failed whatever it returns in the end, and keeps its slot until then.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakehouse.local.wiring.resources import Function

    Handler = Callable[[Any, "Context"], Any]
    OnEvent = Callable[[str, int, float, int], None]

REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's


class TimedOut(LakehouseError):  # noqa: N818 - what happened to the call, as `Transient` is
    """The call took longer than the function's time-out; what it did is done, its answer is dropped."""


@dataclass(frozen=True)
class Context:
    """What a handler may ask about its call: the fields of Lambda's Python context object."""

    function_name: str
    memory_limit_in_mb: int
    deadline: float  # on the monotonic clock
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    identity: None = None
    client_context: None = None

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that the call went to."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """The name that the function's logs have on AWS."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds the call has left."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass
class _Call:
    function: str
    deadline: float  # on the monotonic clock
    overrun_logged: bool = False

    def is_new_overrun(self, now: float) -> bool:
        return now > self.deadline and not self.overrun_logged


class Invoker:
    """Calls the functions of one stack, from any thread, until `stopping` is set.

    `on_event(function, messages in the batch, seconds it took, how many failed)` hears of every batch and
    every scheduled call, from the thread that ran it.
    """

    def __init__(self, functions: Mapping[str, Function], on_event: OnEvent | None = None) -> None:
        self.stopping = threading.Event()
        self.on_event: OnEvent = on_event or (lambda *_: None)
        self._functions = functions
        self._idle: dict[str, list[Handler]] = {name: [] for name in functions}
        self._running: dict[str, _Call] = {}
        self._lock = threading.Lock()
        self._imported: set[str] = set()
        self._import_lock = threading.Lock()  # one import at a time: nobody may meet a half-imported module

    def invoke(self, name: str, event: Any) -> Any:
        """Call function `name` and return its answer, both having passed through JSON.

        Raises what the handler raises, `TimedOut` when it took too long, `Terminal` when there is no such
        function or the answer is not JSON.
        """
        function = self._functions.get(name)
        if function is None:
            raise Terminal(f"no function {name!r}; there are: {', '.join(sorted(self._functions))}")
        handler = self._idle_handler(name, function.handler)
        context = Context(name, function.memory_mb, time.monotonic() + function.timeout_s)
        with self._lock:
            self._running[context.aws_request_id] = _Call(name, context.deadline)
        try:
            answer = handler(json.loads(json.dumps(event)), context)
        finally:
            with self._lock:
                del self._running[context.aws_request_id]
                if time.monotonic() <= context.deadline:  # Lambda, too, throws away a sandbox that overran
                    self._idle[name].append(handler)
        if time.monotonic() > context.deadline:
            raise TimedOut(f"{name} took longer than its {function.timeout_s:g} s")
        try:
            return json.loads(json.dumps(answer))
        except (TypeError, ValueError) as error:
            raise Terminal(f"{name} answered something that is not JSON: {error}") from None

    def running(self) -> int:
        """Return how many calls are under way."""
        with self._lock:
            return len(self._running)

    def log_overruns(self) -> None:
        """Log each call that is past its time-out, once."""
        now = time.monotonic()
        with self._lock:
            overruns = [call for call in self._running.values() if call.is_new_overrun(now)]
            for call in overruns:
                call.overrun_logged = True
        for call in overruns:
            what = "time-out: the call counts as failed, and keeps its slot until it ends"
            telemetry.warn(what, function=call.function)

    def _idle_handler(self, name: str, module_name: str) -> Handler:
        """Return a handler of the function that no call uses, loading one when all are busy."""
        with self._lock:
            if self._idle[name]:
                return self._idle[name].pop()
        with self._import_lock:
            first = name not in self._imported
            self._imported.add(name)
            return _load(module_name, shared=first)


def _load(module_name: str, *, shared: bool) -> Handler:
    """Return a module's `handler`, from the imported module or from a copy that nobody else has."""
    module = importlib.import_module(module_name)
    if not shared:
        spec = importlib.util.find_spec(module_name)
        if spec is None or spec.loader is None:
            raise Terminal(f"cannot load {module_name} a second time")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    handler = getattr(module, "handler", None)
    if not callable(handler):
        raise Terminal(f"{module_name} has no function `handler`")
    return cast("Handler", handler)
