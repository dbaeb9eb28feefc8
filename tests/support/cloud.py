"""A moto server and a SeaweedFS as child processes, and an environment that points to them."""

from __future__ import annotations

import atexit
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from lakehouse import aws, secrets, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

LANDING, OPS, CONSENT, TOKEN = "t-landing", "t-ops", "t-consent", "pat-test"
HASH_KEY = "a key of tests with more than 32 characters"
WEBHOOK_SECRETS = {
    "hubspot": ["hubspot-old", "hubspot-new"],
    "default": [
        "whsec_b2xkLXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGU=",
        "whsec_bmV3LXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGU=",
    ],
    "consent": ["whsec_c2VjcmV0LW9mLXRoZS1mb3Jtcw=="],
}
WRITE_KEYS = {
    "web": ["key-old", "key-new"],
    "app": {"keys": ["key-app"], "origins": ["https://shop.example.com"], "requests_per_second": 5},
}


def free_ports(count: int) -> list[int]:
    """Return ports below the ephemeral range, so that no outgoing connection takes them meanwhile."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(12_000, 19_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)


@contextmanager
def child(argv: list[str], port: int, folder: Path, env: dict[str, str] | None = None) -> Iterator[None]:
    """Run a server until the block ends; it is killed by its own pid."""
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            argv, stdout=out, stderr=out, cwd=folder, env={**os.environ, **(env or {})}
        )
    try:
        _wait_for(port, process, log)
        yield
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        for each in children:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """Run moto and yield its URL."""
    (port,) = free_ports(1)
    with child([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, folder):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def seaweed_server(folder: Path) -> Iterator[str]:
    """Run SeaweedFS and yield the URL of its S3."""
    names = [
        "s3",
        "master",
        "volume",
        "filer",
        "s3.port.iceberg",
        "s3.port.grpc",
        "master.grpc",
        "volume.grpc",
        "filer.grpc",
    ]
    flags = {
        n: n if n.startswith("s3.") else n.replace(".", ".port.") if "." in n else f"{n}.port" for n in names
    }
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    weed = str(Path(sys.executable).parent / "weed")
    argv = [
        weed,
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
    ]
    argv += ["-master.telemetry=false", "-s3.port.lance=0", *(f"-{flags[n]}={ports[n]}" for n in names)]
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with child(argv, ports["s3"], folder, keys):
        yield f"http://127.0.0.1:{ports['s3']}"


@cache
def _server(start: Callable[[Path], AbstractContextManager[str]]) -> str:
    """Start a server once a test process; it ends with the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(TemporaryDirectory(prefix="lakehouse-test-"))
    return stack.enter_context(start(Path(folder)))


@contextmanager
def cloud(monkeypatch: pytest.MonkeyPatch, store: str = "moto") -> Iterator[None]:
    """Give a test an empty cloud: moto for everything, its S3 or (`store` "seaweedfs") a real one."""
    moto = _server(moto_server)
    with urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=10):
        pass
    s3 = _server(seaweed_server) if store == "seaweedfs" else moto
    point_to(monkeypatch, moto, s3)
    monkeypatch.setattr(aws, "_client", _clients(s3))
    fill(empty=store == "seaweedfs")
    secrets._provider.cache_clear()
    yield
    settings.current.cache_clear()
    secrets._provider.cache_clear()


@cache
def _clients(s3: str) -> Callable[[str], object]:
    """Return a maker of clients for this pair of servers; making one takes longer than most tests."""
    return lru_cache(maxsize=16)(aws._client.__wrapped__)


def point_to(monkeypatch: pytest.MonkeyPatch, moto: str, s3: str) -> None:
    """Put the functions' environment in place and forget what was read from another one."""
    environment = {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAKEHOUSE_LANDING_BUCKET": LANDING,
        "LAKEHOUSE_OPS_BUCKET": OPS,
        "LAKEHOUSE_CONSENT_TABLE": CONSENT,
        "LAKEHOUSE_PUBLISH_QUEUE_URL": f"{moto}/123456789012/publish",
        "LAKEHOUSE_COLLECT_QUEUE_URL": f"{moto}/123456789012/collect",
        "POWERTOOLS_SERVICE_NAME": "lakehouse",
        "POWERTOOLS_METRICS_NAMESPACE": "Lakehouse",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.current.cache_clear()


def fill(empty: bool) -> None:
    """Make buckets, queue, table and secrets, as the template would; `empty` what an earlier test left."""
    there = {bucket["Name"] for bucket in aws.s3().list_buckets()["Buckets"]}
    for bucket in (LANDING, OPS):
        if bucket not in there:
            aws.s3().create_bucket(Bucket=bucket)
        elif empty:
            for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    aws.s3().delete_object(Bucket=bucket, Key=item["Key"])
    aws.sqs().create_queue(QueueName="publish")
    aws.sqs().create_queue(QueueName="collect")
    aws.dynamodb().create_table(
        TableName=CONSENT,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    aws.secrets().create_secret(Name="lakehouse/hubspot", SecretString=json.dumps({"token": TOKEN}))
    aws.secrets().create_secret(Name="lakehouse/webhook", SecretString=json.dumps(WEBHOOK_SECRETS))
    aws.secrets().create_secret(Name="lakehouse/collect", SecretString=json.dumps(WRITE_KEYS))
    aws.secrets().create_secret(Name="lakehouse/hash", SecretString=json.dumps({"key": HASH_KEY}))


def renew_hash_key(key: str) -> None:
    """Write another key into the secret that hashes, which may not be there yet, and forget the old one."""
    value = {"SecretString": json.dumps({"key": key})}
    try:
        aws.secrets().put_secret_value(SecretId="lakehouse/hash", **value)
    except aws.secrets().exceptions.ResourceNotFoundException:
        aws.secrets().create_secret(Name="lakehouse/hash", **value)
    secrets._provider.cache_clear()
