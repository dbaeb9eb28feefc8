"""Which files a queue message announces, and which messages come again; loading is tried with servers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lakehouse.landing.announcements import Announcement
from lakehouse.landing.raw_files import RawFile
from lakehouse.stages import ingest as stage
from lakehouse.stages.ingest import ingest_records, landed_files

FILE = RawFile("landing", "shop/orders/x.csv", "v1", 10)
SETTINGS = SimpleNamespace(landing_bucket="landing")


def test_files_in_the_landing_bucket_are_loaded():
    """Not those of other buckets, nor folders."""
    foreign = RawFile("another", "shop/orders/y.csv", "v1", 10)
    folder = RawFile("landing", "shop/orders/", "v1", 0)
    assert landed_files(Announcement((FILE, foreign, folder)), "landing") == [FILE]
    assert landed_files(Announcement(), "landing") == []


@pytest.fixture
def loaded(monkeypatch):
    """Keep the files that would be loaded, none of which fails; return the list of them."""
    files = []

    def ingest(_, batch):
        files.extend(batch)
        return SimpleNamespace(failed={file.file_id for file in batch if "fails" in file.key})

    monkeypatch.setattr(stage, "ingest", ingest)
    return files


@pytest.fixture
def logged(monkeypatch):
    """Keep what is logged about dropped messages."""
    lines = []
    monkeypatch.setattr(stage.telemetry, "info", lambda what, **fields: lines.append((what, fields)))
    return lines


def run(*bodies):
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
    return ingest_records(SETTINGS, records)


def created(key, name="ObjectCreated:Put"):
    s3 = {"bucket": {"name": "landing"}, "object": {"key": key, "versionId": "v", "size": 1}}
    return {"eventName": name, "s3": s3}


def test_messages_about_no_new_file_are_done_with_and_logged(loaded, logged):
    """A test event, a removal beside a new object, another bucket's object: a line each, by the event's name."""
    body = json.dumps({"Records": [created("a/b/new.csv"), created("a/b/old.csv", "ObjectRemoved:Delete")]})
    other = json.dumps({"files": [RawFile("other", "a/b/x.csv", "v", 1).message()]})
    assert run(json.dumps({"Event": "s3:TestEvent"}), body, other) == []
    assert [file.key for file in loaded] == ["a/b/new.csv"]
    assert [(fields["reason"], fields["message_id"]) for _, fields in logged] == [
        ("s3:TestEvent", "0"),
        ("ObjectRemoved:Delete", "1"),
        ("a folder, or an object of another bucket", "2"),
    ]
    assert "old.csv" not in str(logged)


def test_only_a_message_that_cannot_be_read_comes_again(loaded):
    """Its neighbours load, and so does what of it can be read; one whose file fails comes again, too."""
    half = json.dumps({"Records": [created("a/b/1.csv"), {"eventName": 7}]})
    whole = json.dumps({"Records": [created("a/b/2.csv")]})
    failing = json.dumps({"Records": [created("a/b/fails.csv")]})
    assert run("{", half, whole, failing, json.dumps(["x"])) == ["0", "1", "3", "4"]
    assert [file.key for file in loaded] == ["a/b/1.csv", "a/b/2.csv", "a/b/fails.csv"]
