"""moto as the rest of the cloud: SQS, EventBridge, DynamoDB and Secrets Manager, in memory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lakehouse.local.policy import ServicePolicy
from lakehouse.local.services.processes import Child, accepts_connections, free_ports, wait_until

if TYPE_CHECKING:
    from lakehouse.local.data_folder import DataFolder

# Its server logs every request, and a stack that polls its queues makes many.
_QUIET_SERVER = (
    "import logging, sys; logging.getLogger('werkzeug').setLevel(logging.ERROR);"
    " from moto.server import main; main(sys.argv[1:])"
)


class AwsEmulator:
    """One moto server; `start` returns at once, `wait` when it answers."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._port = 0

    @property
    def url(self) -> str:
        """Where it answers for every service."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Child:
        """Start the process, on a free port."""
        (self._port,) = free_ports(1)
        argv = [sys.executable, "-c", _QUIET_SERVER, "-H", "127.0.0.1", "-p", str(self._port)]
        env = {"HOME": str(self._folder.run), "AWS_EC2_METADATA_DISABLED": "true"}
        return Child.start("cloud", argv, env, self._folder.run, self._folder.logs / "cloud.log")

    def wait(self, child: Child) -> None:
        """Return when it answers; raise `Transient` when it will not."""
        wait_until(lambda: accepts_connections(self._port), child, ServicePolicy.cloud_start_seconds)
