"""The template, deployed by CloudFormation on the emulator, and what can be asked of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config
from pyiceberg.catalog import load_catalog
from pyiceberg.table import Table

from lakehouse.local.wiring import sam
from tests.cloud import differences, packages
from tests.support.cloud import free_ports

REGION, ACCOUNT = "us-east-1", "000000000000"
PREFIX = "cloud"
STACK = "lakehouse"
_PATIENCE_SECONDS = 900  # of a machine that is busy with other tests, too
_ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Call:
    """A right that a function's role was asked for, and whether it has it."""

    function: str
    action: str
    resource: str
    allowed: bool


@dataclass
class Deployment:
    """A deployed template: its clients, its functions, and what their roles were asked for."""

    endpoint: str
    folder: Path
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return the client of a service with the keys of the account's owner."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.endpoint,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(
                    s3={"addressing_style": "path"},
                    read_timeout=_PATIENCE_SECONDS,
                    retries={"total_max_attempts": 1},
                ),
            )
        return self._clients[service]

    @property
    def calls(self) -> list[Call]:
        """Return all that was asked so far."""
        file = self.folder / "calls.jsonl"
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [Call(**json.loads(line)) for line in lines]

    @property
    def log(self) -> str:
        """Return what the emulator and the functions said so far."""
        return (self.folder / "emulator.log").read_text("utf-8")

    @property
    def failed_batches(self) -> list[str]:
        """Return the emulator's line of each batch that its function did not get done, with an error."""
        return [line for line in self.log.splitlines() if "failed processing SQS batch" in line]

    @cached_property
    def resources(self) -> dict[str, str]:
        """Return the physical id of each resource by its name in the template."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    def deploy(self, parameters: dict[str, str]) -> None:
        """Deploy the template from a bucket, as `sam deploy` does, and wait until it stands."""
        self.client("s3").create_bucket(Bucket="artifacts")
        package = packages.write_package(self.folder, Path(__file__).parent / "definitions")
        for kind in ("heavy", "light"):
            self.client("s3").upload_file(str(package), "artifacts", f"{kind}.zip")
        body = json.dumps(self._template()).encode()
        self.client("s3").put_object(Bucket="artifacts", Key="template.json", Body=body)
        self.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateURL=f"{self.endpoint}/artifacts/template.json",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        self.client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def _template(self) -> differences.Template:
        template = sam.parse((packages.ROOT / "infra" / "template.yaml").read_text("utf-8"))
        scratch = self.folder / "scratch"
        scratch.mkdir()
        kinds = {kind: f"s3://artifacts/{kind}.zip" for kind in ("heavy", "light")}
        known = {
            "packages": kinds,
            "dependencies": packages.DEPENDENCIES,
            "endpoint": self.endpoint,
            "scratch": str(scratch),
        }
        for difference in differences.TEMPLATE:
            difference.apply(template, **{name: known[name] for name in difference.needs})
        return template

    @cached_property
    def functions(self) -> dict[str, str]:
        """Return the name of each function's role by the function's name."""
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        return {
            one["FunctionName"]: one["Role"].rsplit("/", 1)[1] for page in pages for one in page["Functions"]
        }

    @property
    def policies(self) -> dict[str, list[dict[str, Any]]]:
        """Return the statements of each function's role, as they were deployed."""
        return {
            function: [
                statement for _, document in self._documents(role) for statement in document["Statement"]
            ]
            for function, role in self.functions.items()
        }

    @contextmanager
    def without(self, function: str, sid: str) -> Iterator[None]:
        """Take one statement from a function's role until the block ends."""
        role = self.functions[function]
        ((name, document),) = [
            (name, document)
            for name, document in self._documents(role)
            if any(statement.get("Sid") == sid for statement in document["Statement"])
        ]
        statements = [statement for statement in document["Statement"] if statement.get("Sid") != sid]
        self._put(role, name, {**document, "Statement": statements})
        try:
            yield
        finally:
            self._put(role, name, document)

    def _documents(self, role: str) -> list[tuple[str, dict[str, Any]]]:
        iam = self.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return [
            (name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names
        ]

    def _put(self, role: str, name: str, document: dict[str, Any]) -> None:
        self.client("iam").put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document)
        )

    def table(self, name: str) -> Table:
        """Return a table of the lake, as the account's owner sees it."""
        keys = {"region": REGION, "access-key-id": "test", "secret-access-key": "test"}
        properties = {f"{client}.{key}": value for client in ("s3", "client") for key, value in keys.items()}
        catalog = load_catalog(
            "lake",
            type="glue",
            **properties,
            **{"glue.endpoint": self.endpoint, "s3.endpoint": self.endpoint},
        )
        return catalog.load_table(name)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call a function and return its answer; an error in it is raised with its text."""
        answer = self.client("lambda").invoke(
            FunctionName=f"{PREFIX}-{function}", Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise AssertionError(f"{function} failed: {payload}")
        return payload


def until(look: Callable[[], Any], what: str, seconds: float = _PATIENCE_SECONDS) -> Any:
    """Return the first true answer of `look`; fail when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.2)
    return found


@contextmanager
def emulator(folder: Path) -> Iterator[Deployment]:
    """Run the emulator until the block ends; it is killed by its own pid, with the functions that it started."""
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= _ROOT_KEYS | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    script = str(Path(__file__).parent / "emulator.py")
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [str(packages.EMULATOR), script, str(folder / "calls.jsonl")],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
        )
    try:
        until(lambda: _answers(endpoint) or process.poll() is not None, "the emulator's start", 60)
        assert process.poll() is None, (folder / "emulator.log").read_text()[-4000:]
        yield Deployment(endpoint, folder)
    finally:
        _kill(process)


def _answers(endpoint: str) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2).close()
        return True
    return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait()
