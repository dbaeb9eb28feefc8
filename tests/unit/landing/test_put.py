"""What is landed and what is not is decided before anything is sent."""

from __future__ import annotations

import os

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import Terminal, Transient
from lakehouse.landing import put as putting
from lakehouse.landing.policy import PUT_RETRY, PutPolicy
from lakehouse.landing.put import files_in, put


@pytest.mark.parametrize(
    "wrong", ["web", "Web/events", "web/events/more", "../x", "web/", "/web/events", "web/ev ents"]
)
def test_what_is_no_source_key_is_refused(wrong, tmp_path):
    """Before anything is read or sent."""
    (tmp_path / "x").write_text("x")
    with pytest.raises(Terminal, match="SOURCE/ENTITY"):
        put("bucket", wrong, tmp_path / "x")


def test_a_path_that_is_no_file_is_refused(tmp_path):
    """Missing, or a folder."""
    for path, message in ((tmp_path / "missing", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(Terminal, match=message):
            put("bucket", "web/events", path)


def test_folders_stand_for_their_files(tmp_path):
    """At any depth, by name; names with a dot are the system's, unless somebody names them."""
    tmp_path /= "files"
    for name in ("b/2.csv", "b/1.csv", "a.csv", ".git/x", "b/.DS_Store", "c/d/e.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "empty").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in files_in([tmp_path, tmp_path / "b/.DS_Store"])]
    assert found == ["a.csv", "b/1.csv", "b/2.csv", "c/d/e.csv", "b/.DS_Store"]
    assert list(files_in([tmp_path / "gone"])) == [tmp_path / "gone"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    """Rather than left out without a word."""
    real = os.scandir

    def scandir(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    tmp_path /= "files"
    (tmp_path / "secret").mkdir(parents=True)
    monkeypatch.setattr(os, "scandir", scandir)
    (one,) = files_in([tmp_path])
    assert one == tmp_path / "secret"
    with pytest.raises(Terminal, match="a folder that cannot be read"):
        put("bucket", "web/events", one)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("orders 订单%2e+'.csv", "orders 订单%2e+'.csv"),
        ("a\nb\\c\x7f", "a_b_c_"),
        ("broken\udcff.csv", "broken_.csv"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("订" * 100 + ".csv", "订" * 65 + ".csv"),
    ],
)
def test_a_name_becomes_one_that_every_store_takes(name, safe):
    """Long ones keep their end, where the ending is; no character is cut in two."""
    assert putting._safe_name(name) == safe
    assert len(safe.encode()) <= PutPolicy.name_bytes


def test_a_key_holds_the_source_key_the_hash_and_the_name(tmp_path):
    """One that S3 does not take is refused."""
    assert (
        putting._key("web/events", tmp_path / "a.json", "0123456789abcdef0123")
        == "web/events/0123456789abcdef/a.json"
    )
    with pytest.raises(Terminal, match=r"is too long; a key has at most 1024 bytes"):
        putting._key("web/" + "e" * 1_000, tmp_path / "a.json", "0123456789abcdef")


class Client:
    """Answers writes with errors in turn, then takes them."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.requests = 0

    def put_object(self, **_):
        self.requests += 1
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0)}}, "PutObject")


@pytest.mark.parametrize(
    ("codes", "written", "requests"),
    [
        ((), True, 1),
        (("PreconditionFailed",), False, 1),
        (("ConditionalRequestConflict",), True, 2),
        (("409", "OperationAborted"), True, 3),
        (("409", "412"), False, 2),
    ],
)
def test_a_race_for_a_key_is_run_again(monkeypatch, codes, written, requests):
    """Whoever loses it finds the file there, or writes it."""
    client = Client(*codes)
    monkeypatch.setattr(aws, "s3", lambda: client)
    assert putting._put_once("bucket", "key", b"x") is written
    assert client.requests == requests


def test_a_race_without_end_may_be_won_later(monkeypatch):
    """It is transient; other errors are raised as they are."""
    client = Client(*["409"] * 9)
    monkeypatch.setattr(aws, "s3", lambda: client)
    with pytest.raises(Transient, match="others write it too"):
        putting._put_once("bucket", "key", b"x")
    assert client.requests == PUT_RETRY.attempts
    monkeypatch.setattr(aws, "s3", lambda: Client("AccessDenied"))
    with pytest.raises(ClientError, match="AccessDenied"):
        putting._put_once("bucket", "key", b"x")
