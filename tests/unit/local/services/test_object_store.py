"""How SeaweedFS is configured, and waiting for the bucket that it makes by itself."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.local.data_folder import DataFolder
from lakehouse.local.policy import ServicePolicy
from lakehouse.local.services import object_store
from lakehouse.local.services.keys import load_keys
from lakehouse.local.services.object_store import ObjectStore, notification, wait_for_bucket
from lakehouse.local.services.processes import Child

if TYPE_CHECKING:
    from pathlib import Path


def test_changes_of_the_named_buckets_are_sent_to_the_webhook() -> None:
    """With the token that the webhook asks for."""
    found = tomllib.loads(notification("http://w/", "t", ["b", "a"]))["notification"]["webhook"]
    assert (found["enabled"], found["endpoint"], found["bearer_token"]) == (True, "http://w/", "t")
    assert found["path_prefixes"] == ["/buckets/a/", "/buckets/b/"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ObjectStore, list[list[str]]]:
    """A store, and the command lines that would have been run."""
    commands: list[list[str]] = []
    monkeypatch.setattr(Child, "start", lambda _name, argv, *_: commands.append(argv))
    monkeypatch.setattr(object_store.shutil, "which", lambda name, **_: f"/bin/{name}")
    folder = DataFolder(tmp_path)
    folder.make()
    return ObjectStore(folder, load_keys(folder.keys)), commands


def test_every_port_is_a_free_one_on_the_loopback(store: tuple[ObjectStore, list[list[str]]]) -> None:
    """None of SeaweedFS's defaults is left, which another program may have."""
    service, commands = store
    service.start("lake", None, ())
    (argv,) = commands
    ports = [option.split("=")[1] for option in argv if ".port" in option and not option.endswith("=0")]
    assert len(set(ports)) == len(ports) == 11
    assert {"-tableBucket=lake", "-ip.bind=127.0.0.1", "-master.telemetry=false"} <= set(argv)
    assert service.s3_url != service.catalog_url


def test_a_webhook_of_an_earlier_start_is_forgotten(
    store: tuple[ObjectStore, list[list[str]]], tmp_path: Path
) -> None:
    """The file holds a token: only its owner may read it."""
    service, _ = store
    path = tmp_path / "run" / "notification.toml"
    service.start("lake", "http://w/", ["landing"])
    assert path.stat().st_mode & 0o777 == 0o600
    service.start("lake", None, ())
    assert not path.exists()


def test_without_seaweedfs_it_says_what_to_install(
    store: tuple[ObjectStore, list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which folder was looked into, and the command that helps."""
    monkeypatch.setattr(object_store.shutil, "which", lambda *_, **__: None)
    with pytest.raises(Terminal, match=r"not installed .*pip install 'crm-lakehouse\[local\]'"):
        store[0].start("lake", None, ())


class _S3:
    """Object storage whose bucket appears at the second look."""

    def __init__(self) -> None:
        self.looks = 0

    def list_buckets(self) -> dict[str, Any]:
        self.looks += 1
        return {"Buckets": [{"Name": "lake"}] if self.looks > 1 else []}


def test_the_table_bucket_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes a moment after the store answers; for a bucket that never comes there is an end."""
    s3: Any = _S3()
    wait_for_bucket(s3, "lake")
    assert s3.looks == 2
    monkeypatch.setattr(ServicePolicy, "table_bucket_seconds", 0.0)
    with pytest.raises(Transient, match="has not made its table bucket other within 0 s"):
        wait_for_bucket(s3, "other")
