"""What is landed and what is not is decided before anything is sent."""

from __future__ import annotations

import os
import threading
import time

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse import aws, objects
from lakehouse.errors import Terminal, Transient
from lakehouse.landing import put as putting
from lakehouse.landing.policy import PUT_RETRY, PutPolicy
from lakehouse.landing.put import FileToPut, files_in, put, put_all
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory

SETTINGS = Settings()


@pytest.mark.parametrize(
    "wrong", ["web", "Web/events", "web/events/more", "../x", "web/", "/web/events", "web/ev ents"]
)
def test_what_is_no_source_key_is_refused(wrong, tmp_path):
    """Before anything is read or sent."""
    (tmp_path / "x").write_text("x")
    with pytest.raises(Terminal, match="SOURCE/ENTITY"):
        put(SETTINGS, wrong, tmp_path / "x")


def test_a_path_that_is_no_file_is_refused(tmp_path):
    """Missing, or a folder."""
    for path, message in ((tmp_path / "missing", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(Terminal, match=message):
            put(SETTINGS, "web/events", path)


def test_folders_stand_for_their_files(tmp_path):
    """At any depth, by name; names with a dot are the system's, unless somebody names them."""
    tmp_path /= "files"
    for name in ("b/2.csv", "b/1.csv", "a.csv", ".git/x", "b/.DS_Store", "c/d/e.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "empty").mkdir()
    found = list(files_in([tmp_path, tmp_path / "b/.DS_Store", tmp_path / "b"]))
    names = ["a.csv", "b/1.csv", "b/2.csv", "c/d/e.csv", ".DS_Store", "1.csv", "2.csv"]
    assert [file.name for file in found] == names
    assert [str(file.path.relative_to(tmp_path)) for file in found[:5]] == [*names[:4], "b/.DS_Store"]
    assert [file.path for file in files_in([tmp_path / "gone"])] == [tmp_path / "gone"]


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
    assert one.path == tmp_path / "secret"
    with pytest.raises(Terminal, match="a folder that cannot be read"):
        put(SETTINGS, "web/events", one.path)


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


# --- the same bytes again


class Store:
    """A landing bucket in memory, as put uses it: what was landed, in order; it fails at the requests it is told."""

    def __init__(self, monkeypatch, failing=()):
        self.landed: dict[str, bytes] = {}
        self.requests, self.failing = 0, frozenset(failing)
        self.notes = objects_in_memory(monkeypatch)
        monkeypatch.setattr(aws, "s3", lambda: self)
        for name in ("get", "put"):
            real = getattr(self.notes, name)
            monkeypatch.setattr(objects, name, self._counted(real))

    def _counted(self, real):
        def request(*arguments, **more):
            self._fail_when_due()
            return real(*arguments, **more)

        return request

    def _fail_when_due(self):
        self.requests += 1
        if self.requests in self.failing:
            raise ConnectionError("the store is away")

    def put_object(self, *, Key, Body, IfNoneMatch, **_):  # noqa: N803 - boto3's names
        self._fail_when_due()
        assert IfNoneMatch == "*"
        if Key in self.landed:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.landed[Key] = Body

    def newest(self, name):
        """Return what was landed last of a name."""
        return [body for key, body in self.landed.items() if key.endswith(f"/{name}")][-1]


CONTENTS = (b"no", b"yes", b"maybe")
PUTS = st.lists(
    st.tuples(st.sampled_from(["contacts.csv", "orders.csv"]), st.sampled_from(CONTENTS)), max_size=12
)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


MON_TUE_WED = [("contacts.csv", b"no"), ("contacts.csv", b"yes"), ("contacts.csv", b"no")]


@tried(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PUTS, st.sets(st.integers(1, 40), max_size=3))
@example(MON_TUE_WED, set())
@example([*MON_TUE_WED, MON_TUE_WED[-1]], set())
def test_what_stands_after_is_what_was_put_last(write, puts, failing):
    """Of each name, whatever came before, and where the store fails in between and the put is tried again."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        store, last = Store(monkeypatch, failing), {}
        for name, content in puts:
            path, changed = write(name, content), last.get(name) != content
            before = len(store.landed)
            was_refused = False
            while True:
                try:
                    landed = put(SETTINGS, "crm/contacts", path)
                    break
                except ConnectionError:
                    was_refused = True
            last[name] = content
            assert {name: store.newest(name) for name in last} == last
            assert store.landed[landed.key] == content
            if not was_refused:
                assert landed.fresh is changed
                assert len(store.landed) - before == changed


def test_a_folder_that_is_put_again_lands_nothing_twice(write, monkeypatch):
    """Its files have their paths for names: those of one day do not count as older versions of those of another."""
    store = Store(monkeypatch)
    for day, content in (("mon", b"no"), ("tue", b"yes"), ("wed", b"no")):
        folder = write(f"exports/{day}/contacts.csv", content).parents[1]
    fresh = [[one.fresh for one in put_all(SETTINGS, "crm/contacts", files_in([folder]))] for _ in range(3)]
    assert fresh == [[True] * 3, [False] * 3, [False] * 3]
    assert list(store.landed.values()) == [b"no", b"yes", b"no"]
    write("exports/thu/contacts.csv", b"yes")
    list(put_all(SETTINGS, "crm/contacts", files_in([folder])))
    assert store.newest("contacts.csv") == b"yes"
    assert len(store.landed) == 4


def test_a_file_has_one_content_however_it_is_named(write, monkeypatch):
    """By itself, within its folder, or from further up: what is newest under its own name is there already."""
    store = Store(monkeypatch)
    path = write("a/b/contacts.csv", b"no")
    for named in (path, path.parent, path.parents[1], path.parents[2]):
        list(put_all(SETTINGS, "crm/contacts", files_in([named])))
    assert len(store.landed) == 1


def test_files_of_one_name_land_in_their_order(write, monkeypatch):
    """Though several are under way at once: a slow one is waited for."""
    store = Store(monkeypatch)
    first, real = threading.Event(), store.put_object

    def slow_at_first(**request):
        if not first.is_set():
            first.set()
            time.sleep(0.05)
        return real(**request)

    store.put_object = slow_at_first
    files = [write(f"{day}/contacts.csv", str(day).encode()) for day in range(6)]
    list(put_all(SETTINGS, "crm/contacts", [FileToPut(path, path.name) for path in files]))
    assert list(store.landed.values()) == [str(day).encode() for day in range(6)]


def test_what_landed_before_there_were_notes_is_there_already(write, monkeypatch):
    """Nobody knows whether it is the newest: it does not land a second time."""
    store = Store(monkeypatch)
    path = write("contacts.csv", b"no")
    assert put(SETTINGS, "crm/contacts", path).fresh
    store.notes.bodies.clear()
    assert not put(SETTINGS, "crm/contacts", path).fresh
    assert len(store.landed) == 1
