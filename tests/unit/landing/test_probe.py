"""A store is tried before anything is entrusted to it, and its answers are read as what they mean."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import Terminal
from lakehouse.landing import probe as probes
from lakehouse.landing.probe import probe_once


def test_a_store_is_asked_once_a_process(monkeypatch):
    """Unless it was refused: then whoever starts is told again."""
    asked = []
    monkeypatch.setattr(aws, "s3", lambda: SimpleNamespace(meta=SimpleNamespace(endpoint_url="http://store")))
    monkeypatch.setattr(probes, "_probed", set())
    monkeypatch.setattr(probes, "probe", lambda bucket, *, racers: asked.append((bucket, racers)))
    probe_once("one")
    probe_once("one", racers=8)
    probe_once("two", racers=8)
    assert asked == [("one", 1), ("two", 8)]

    def refuse(bucket, *, racers):
        asked.append(bucket)
        raise Terminal("no")

    monkeypatch.setattr(probes, "probe", refuse)
    for _ in range(2):
        with pytest.raises(Terminal):
            probe_once("three")
    assert asked[2:] == ["three", "three"]


def answering(status):
    def request():
        if status != 200:
            raise ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")

    return request


@pytest.mark.parametrize(
    ("status", "refused"),
    [(200, False), (412, True), (409, True), (400, False), (405, False), (501, False)],
)
def test_only_a_refusal_keeps_the_promise(status, refused):
    """A store that does not know a condition answers so, and is no better than one that ignores it."""
    assert probes._Probe("b", "f")._refuses(answering(status)) is refused


def test_a_store_without_permission_is_no_broken_promise():
    """Its own answer says more."""
    with pytest.raises(ClientError):
        probes._Probe("b", "f")._refuses(answering(403))


@pytest.mark.parametrize(("version", "noted"), [("v1", ["v1"]), ("null", []), (None, []), ("", [])])
def test_versions_are_remembered_to_be_removed(version, noted):
    """A bucket without versions has none, under whatever name."""
    store = probes._Probe("b", "f")
    assert store._note_version(version) == (noted[0] if noted else "")
    assert store._versions == noted
