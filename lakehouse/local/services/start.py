"""The services under a stack: object store, cloud, object events, a CRM; started side by side."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.errors import Terminal
from lakehouse.local.policy import START_RETRY
from lakehouse.local.services.aws_emulator import AwsEmulator
from lakehouse.local.services.object_store import ObjectStore
from lakehouse.local.services.processes import Child, EndedWhileStarting, end_orphans, record_children
from lakehouse.retrying import retry_on_conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lakehouse.local.data_folder import DataFolder
    from lakehouse.local.hubspot.server import HubSpotSimulator
    from lakehouse.local.services.keys import Keys
    from lakehouse.local.services.object_events import ObjectEvents


class Services:
    """Start what is needed, `wait` until it answers, `stop` all of it, in whatever state it is."""

    def __init__(self, folder: DataFolder, keys: Keys) -> None:
        self._folder = folder
        self._keys = keys
        self._store = ObjectStore(folder, keys)
        self._cloud = AwsEmulator(folder)
        self._children: dict[str, Child] = {}
        self._start: dict[str, Callable[[], Child]] = {}
        self._restart_store: Callable[[], Child] | None = None
        self._events: ObjectEvents | None = None
        self._hubspot: HubSpotSimulator | None = None
        self.endpoints: dict[str, str] = {}

    def end_orphans(self) -> list[str]:
        """End what an earlier stack on this folder left running; return the names."""
        return end_orphans(self._folder.children)

    def start_store(self, table_bucket: str, buckets: Collection[str] = ()) -> None:
        """Start object store and catalog; new objects in `buckets` become events, from the first one on."""
        url = None
        if buckets:
            from lakehouse.local.services.object_events import ObjectEvents  # noqa: PLC0415 - `status` needs none of it

            self._events = ObjectEvents(buckets, self._keys.events_token)
            url = self._events.listen()
        self._start["store"] = lambda: self._store.start(table_bucket, url, buckets)
        self._restart_store = lambda: self._store.start(table_bucket, url, buckets, same_ports=True)
        self._start_child("store")

    def restart_store(self) -> None:
        """End the store and start it again where its clients know it; raises `Transient` when it does not come up."""
        if self._restart_store is None:
            raise Terminal("there is no store to start again: call start_store() first")
        self._store.stop(self._children["store"], fast=False)
        self._children["store"] = self._restart_store()
        self._record_children()
        self._store.wait(self._children["store"])

    def start_cloud(self) -> None:
        """Start queues, event bus, key-value store and secrets."""
        self._start["cloud"] = self._cloud.start
        self._start_child("cloud")

    def start_hubspot(self) -> None:
        """Start the CRM, with the contacts it had."""
        from lakehouse.local.hubspot.server import HubSpotSimulator  # noqa: PLC0415 - `status` needs none of it

        self._hubspot = HubSpotSimulator(self._folder.hubspot, self._keys.hubspot_token)
        self.endpoints["hubspot"] = self._hubspot.start()

    def wait(self, *names: str) -> None:
        """Return when "store", "cloud" or both answer. `endpoints` holds from now on."""
        waits = {"store": self._store.wait, "cloud": self._cloud.wait}
        for name in names:
            self._wait_for_child(name, waits[name])
        if "store" in names:
            self.endpoints |= {"s3": self._store.s3_url, "iceberg": self._store.catalog_url}
        if "cloud" in names:
            self.endpoints["aws"] = self._cloud.url

    def forward_events(self) -> None:
        """Pass object events on; the rules that route them exist by now."""
        if self._events is not None:
            self._events.forward()

    def ended(self) -> Child | None:
        """Return a child that is no more, if there is one."""
        return next((child for child in self._children.values() if not child.alive()), None)

    def stop(self, *, fast: bool) -> None:
        """End everything, the servers in this process before the children they talk to. Twice is fine."""
        with ExitStack() as steps:  # the last one first, and each whatever became of those before it
            steps.callback(self._folder.children.unlink, missing_ok=True)
            for name, child in self._children.items():
                stop = self._store.stop if name == "store" else _stop_at_once
                steps.callback(stop, child, fast=fast)
            if self._hubspot is not None:
                steps.callback(self._hubspot.stop)
            if self._events is not None:
                steps.callback(self._events.stop)
            self._children, self._hubspot, self._events = {}, None, None

    def _start_child(self, name: str) -> None:
        self._children[name] = self._start[name]()
        self._record_children()

    def _record_children(self) -> None:
        """Write down which children run; without the record, as on a full disk, their guards still end them."""
        try:
            record_children(self._folder.children, list(self._children.values()))
        except OSError as error:
            telemetry.failed("the record of child processes cannot be written", error)

    def _wait_for_child(self, name: str, wait: Callable[[Child], None]) -> None:
        """Return when a child is ready; start it again, on other ports, when it ended while starting."""

        def restart(attempt: int, _: Exception) -> None:
            if attempt < START_RETRY.attempts:
                self._children[name].stop(0)
                self._start_child(name)

        retry_on_conflict(
            lambda: wait(self._children[name]),
            START_RETRY,
            conflicts=(EndedWhileStarting,),
            on_conflict=restart,
        )


def _stop_at_once(child: Child, *, fast: bool) -> None:  # noqa: ARG001 - what it knows, it forgets anyway
    child.stop(0)
