"""The stack on a laptop: object store, queues and events, a CRM, and the functions that run on them.

`Stack.start` brings up the services, `Stack.run` the functions. What they keep is all in one data folder,
except queues, rules and DynamoDB: these live in memory, and sweep and tick fill the queues again.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from lakehouse import aws, settings
from lakehouse.errors import LakehouseError, Terminal, Transient
from lakehouse.landing.probe import probe_once, try_writes
from lakehouse.local.attachment import StackInfo, announce, attach, withdraw
from lakehouse.local.data_folder import DataFolder, parse_as_of, parse_time_zone
from lakehouse.local.environment import (
    activate,
    secret_values,
    service_environment,
    shared_environment,
    stack_environment,
)
from lakehouse.local.folder_lock import FolderLock, wait_for_readers
from lakehouse.local.policy import StackPolicy
from lakehouse.local.services.keys import load_keys
from lakehouse.local.services.object_store import wait_for_bucket
from lakehouse.local.services.start import Services
from lakehouse.local.wiring import template
from lakehouse.scratch import remove_leftovers

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lakehouse.local.runtime.http_front import HttpFront
    from lakehouse.local.runtime.runner import Runner
    from lakehouse.local.runtime.sandbox import OnEvent
    from lakehouse.local.services.keys import Keys
    from lakehouse.local.services.store_watch import StoreWatch
    from lakehouse.local.wiring.resources import Wiring

# What differs from the template's defaults on a laptop.
PARAMETERS = {
    "BucketPrefix": "local",
    "CollectWindow": "1",
    "IngestWindow": "1",
    "StageWindow": "1",
    "SpillLimit": "",
}


def load_wiring(data: Path, parameters: Mapping[str, str] | None = None) -> Wiring:
    """Return the template's wiring with a laptop's parameters; the data folder keeps its translation."""
    return template.load(
        template.default_path(), {**PARAMETERS, **(parameters or {})}, DataFolder(data.absolute()).run
    )


class Stack:
    """One stack on one data folder; a context manager that stops it.

    `as_of`: the day (ISO 8601) that time-relative definitions look back from, kept in the folder for later
    starts until "now" forgets it. `time_zone`: the zone of the business, kept likewise. `wiring` stands in for the
    template's.
    """

    def __init__(
        self,
        data: Path,
        *,
        parameters: Mapping[str, str] | None = None,
        as_of: str | None = None,
        time_zone: str | None = None,
        wiring: Wiring | None = None,
    ) -> None:
        self.folder = data.absolute()
        self.info: StackInfo | None = None
        self._folder = DataFolder(self.folder)
        self._parameters = parameters
        self._as_of = as_of
        self._time_zone = time_zone
        self._wiring = wiring
        self._lock = FolderLock(self._folder.root)
        self._services: Services | None = None
        self._queue_urls: dict[str, str] = {}
        self._runner: Runner | None = None
        self._watch: StoreWatch | None = None
        self._front: HttpFront | None = None
        self._env: dict[str, str] = {}
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop(fast=kind is not None)

    def start(
        self, services: Literal["all", "store"] = "all", *, wait_seconds: float | None = None
    ) -> StackInfo:
        """Start the services ("store": S3 and catalog alone), and use them in this process.

        A command that has the folder is waited for, `wait_seconds` at most; by default, `StackPolicy.lock_seconds`, but
        not for another stack with all its services. Raises `FolderInUse`, a `Terminal`, when another still has it,
        `Transient` when a service does not come up; then nothing is left running.
        """
        self._folder.make()
        if wait_seconds is None:
            running = attach(self._folder.root)
            wait_seconds = (
                0 if running is not None and running.services == "all" else StackPolicy.lock_seconds
            )
        self._lock.acquire(wait_seconds)
        try:
            remove_leftovers(self._folder.scratch, all_names=True)
            if self._as_of is not None:
                self._folder.change_settings(as_of=parse_as_of(self._as_of))
            if self._time_zone is not None:
                self._folder.change_settings(time_zone=parse_time_zone(self._time_zone))
            self.info = self._start_store() if services == "store" else self._start_all()
            announce(self._folder.root, self.info)
        except BaseException:
            self.stop(fast=True)
            raise
        return self.info

    def run(self, on_event: OnEvent | None = None, tell: Callable[[str], None] = lambda _: None) -> StackInfo:
        """Run the functions on their events from now on, in threads of this process.

        `on_event(function, messages in the batch, seconds, failures)` hears of every call, in any thread; `tell` of
        what becomes of the object store while `wait` watches it.
        """
        from lakehouse.local.runtime.http_front import HttpFront  # noqa: PLC0415 - `status` needs none of it
        from lakehouse.local.runtime.logs import log_to  # noqa: PLC0415
        from lakehouse.local.runtime.runner import Runner  # noqa: PLC0415
        from lakehouse.local.services.store_watch import StoreWatch  # noqa: PLC0415

        if self.info is None or self.info.services != "all":
            raise Terminal("functions run on a stack that was started with all its services")
        wiring = self.wiring()
        self._undo.append(log_to(self._folder.logs / "functions.log"))
        self._watch = watch = StoreWatch(self._folder.store, self._try_write, self._restart_store, tell)

        def hear(function: str, size: int, seconds: float, failures: int) -> None:
            if failures:
                watch.doubt()
            if on_event is not None:
                on_event(function, size, seconds, failures)

        definitions = settings.current().definitions or self._folder.definitions
        self._runner = Runner(wiring, self._queue_urls, self._folder.schedules, definitions, hear)
        self._front = HttpFront(wiring.routes, self._runner.invoke)
        self.info.endpoints["http"] = self._front.start()
        self._runner.start()
        announce(self._folder.root, self.info)
        return self.info

    def wait(self, stopping: threading.Event) -> None:
        """Return when `stopping` is set; raise `Transient` if a service ends before.

        An object store that takes no writes is started again meanwhile, once its disk has room.
        """
        while not stopping.wait(StackPolicy.watch_seconds):
            child = self._services.ended() if self._services is not None else None
            if child is not None:
                log_end = f"its log {child.log} ends:\n{child.log_tail()}"
                raise Transient(f"{child.name} ended, {child.how_it_ended()}; {log_end}")
            if self._watch is not None:
                self._watch.look()

    def wiring(self) -> Wiring:
        """Return the resources that this stack provides: those of the template, read once."""
        if self._wiring is None:
            self._wiring = load_wiring(self._folder.root, self._parameters)
        return self._wiring

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function in this thread and return its answer; `Terminal` unless the functions run."""
        if self._runner is None:
            raise Terminal("the stack does not run its functions: call run() first")
        return self._runner.invoke(function, event)

    def stop(self, *, fast: bool = False) -> None:
        """End everything: calls under way get ten seconds (none when `fast`). Stopping twice is fine."""
        services, self._services = self._services, None
        with ExitStack() as steps:  # the last one first, and each whatever became of those before it
            steps.callback(self._lock.release)
            steps.callback(self._restore_environment)
            if services is not None:
                # A store that served a question or two ends at once; killed, it loses nothing either.
                at_once = fast or self.info is None or self.info.services == "store"
                steps.callback(services.stop, fast=at_once)
            if self.info is not None and not fast:
                steps.callback(wait_for_readers, self._folder.root)
            steps.callback(self._end_functions, 0.0 if fast else StackPolicy.stop_grace_seconds)
            if self.info is not None:
                steps.callback(withdraw, self._folder.root)
                self.info = None

    def _start_store(self) -> StackInfo:
        services, keys = self._make_services()
        wiring = self.wiring()
        services.start_store(wiring.table_bucket())
        services.wait("store")
        self._use(keys, services.endpoints, shared_environment(wiring))
        if not self._folder.settings().buckets_made:
            self._make_buckets(wiring)
        self._probe_store()
        return self._describe("store", keys, services.endpoints)

    def _start_all(self) -> StackInfo:
        from lakehouse.local.wiring import provision  # noqa: PLC0415 - `status` needs none of it

        services, keys = self._make_services()
        services.start_cloud()  # it takes longest; and the store waits for the template, which takes a second
        wiring = self.wiring()
        watched_buckets = [bucket.name for bucket in wiring.buckets if bucket.eventbridge]
        services.start_store(wiring.table_bucket(), watched_buckets)
        services.start_hubspot()
        services.wait("store", "cloud")
        function_variables = shared_environment(wiring)
        self._use(keys, services.endpoints, function_variables)
        self._make_buckets(wiring)
        self._probe_store()
        credentials = self._folder.destination_credentials()
        secrets = secret_values(keys, function_variables, wiring.secrets, credentials)
        created = provision.create(wiring, secrets=secrets)
        self._queue_urls = created.queue_urls
        self._use(keys, services.endpoints, created.environment)
        services.forward_events()
        return self._describe("all", keys, services.endpoints)

    def _probe_store(self) -> None:
        """Raise `Terminal` when the store does not keep its promises, `Transient` when it takes no writes at all."""
        try:
            probe_once(settings.current().ops_bucket)
        except LakehouseError:
            raise
        except Exception as error:
            from lakehouse.local.services.store_watch import store_trouble  # noqa: PLC0415 - rarely needed

            raise Transient(store_trouble(self._folder.store, self._try_write) or str(error)) from error

    def _try_write(self) -> None:
        try_writes(settings.current().landing_bucket, settings.current().ops_bucket)

    def _restart_store(self) -> None:
        if self._services is not None:
            self._services.restart_store()

    def _make_services(self) -> tuple[Services, Keys]:
        keys = load_keys(self._folder.keys)
        self._services = Services(self._folder, keys)
        self._services.end_orphans()
        return self._services, keys

    def _use(self, keys: Keys, endpoints: Mapping[str, str], functions: Mapping[str, str]) -> None:
        """Make this process use the services; `functions` is what the template sets for functions."""
        # Whoever attaches is told of destinations what holds for this stack.
        inward = settings.current().inward_hosts
        self._env = stack_environment(
            functions if not inward else {**functions, "LAKEHOUSE_INWARD_HOSTS": inward},
            service_environment(keys, endpoints),
            scratch=self._folder.scratch,
            # Whoever attaches must read the same ones; `sources add` puts people's own into the data folder.
            definitions=settings.current().definitions or self._folder.definitions,
            as_of=self._folder.settings().as_of,
            time_zone=self._folder.settings().time_zone,
        )
        self._undo.append(activate(self._env))

    def _make_buckets(self, wiring: Wiring) -> None:
        from lakehouse.local.wiring.provision import create_buckets  # noqa: PLC0415 - `status` needs none of it

        create_buckets(wiring)
        if not self._folder.settings().buckets_made:
            wait_for_bucket(aws.s3(), wiring.table_bucket())
            self._folder.change_settings(buckets_made=True)

    def _describe(self, services: str, keys: Keys, endpoints: Mapping[str, str]) -> StackInfo:
        return StackInfo(
            pid=os.getpid(),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            services=services,
            env=dict(self._env),
            endpoints=dict(endpoints),
            secrets=asdict(keys),
        )

    def _end_functions(self, grace: float) -> None:
        front, self._front = self._front, None
        runner, self._runner = self._runner, None
        if front is not None:
            front.stop()
        if runner is not None and runner.stop(grace):
            self._undo.clear()  # a call under way must not find the user's own environment, and account

    def _restore_environment(self) -> None:
        undo, self._undo = self._undo, []
        for undo_one in reversed(undo):
            undo_one()
