"""Keys that try to be something else load their rows once, under their own name, and touch nothing beside them."""

from __future__ import annotations

import json
import os
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, objects, settings
from lakehouse.ingest.quarantine.bad_rows import Digest
from lakehouse.landing.announcements import read_message
from lakehouse.landing.put import Landed, files_in, put_all
from lakehouse.landing.raw_files import RawFile, from_object, listing
from lakehouse.local.stack import Stack
from lakehouse.stages.books import keep_books
from lakehouse.stages.ingest import ingest_records
from lakehouse.stages.sweep import sweep
from lakehouse.tables import catalog as catalogs
from tests.support import small_company
from tests.support.raw_files import Company, a_company, message
from tests.support.small_stack import LANDING, a_wiring, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.stack

KEPT = [  # as every store keeps them
    "%2e%2e/%2e%2e/hubspot/contacts/x",
    "%2e%2e%2fx",
    "%00",
    "%25",
    "...",
    "..x/x..",
    "k" * (1024 - len("web/events/")),
    "客" * 337,
    "d/" * 400 + "x",
    "line\nbreak",
    "carriage\r\nreturn",
    "quotes'\"`;--",
    "'); DROP TABLE raw.events; --",
    "$(id) `id` ${HOME}",
    "😀👩‍👩‍👧.json",
    "trailing ",
    " leading",
    "trailing /x",
    "a+b",
    "a%20b",
    "a b",
    "a%2Bb",
    "e\u0301 and \u00e9",
    "\u202egnp.json",
    "\ufeffbom",
    "ｆｕｌｌ／ｗｉｄｔｈ",
    "∕slash⁄es",
    "*?[glob]{}",
    "x?versionId=null#fragment",
    "<a>&amp;</a>",
    "~",
    "CON",
    "x.versions",
    "-rf",
    "{{braces}} %s %(x)s",
]
# SeaweedFS keeps objects in folders, as a file system would, and refuses these. S3 keeps them as they are.
REFUSED = [
    "../x",
    "../../hubspot/contacts/planted.csv",
    "..",
    ".",
    "./x",
    "x/..",
    "x/.",
    "nul\0byte",
    "back\\..\\slash",
    "back\\..\\..\\..\\slash",
]
BENT = ["back\\slash", "double//slash", "control\x01\x7f"]  # likewise, and keeps them under another name
# A look-alike is another place, which no source definition knows: the first letter is Cyrillic, or wide.
STRANGERS = [
    "wеb/events/x",
    "ｗeb/events/x",
    "web/eventѕ/x",
    "WEB/events/x",
    "web /events/x",
    "web/events\u200b/x",
]


def by_event(file: RawFile) -> dict[str, Any]:
    """Announce a file as EventBridge does: the key as it is."""
    thing = {"key": file.key, "size": file.size, "version-id": file.version, "sequencer": "00"}
    return {"detail-type": "Object Created", "detail": {"bucket": {"name": file.bucket}, "object": thing}}


def by_notification(file: RawFile) -> dict[str, Any]:
    """Announce a file as S3 itself does to a queue: the key URL-encoded, a blank as a plus."""
    thing = {"key": quote_plus(file.key), "size": file.size, "versionId": file.version, "eTag": "0"}
    s3 = {"bucket": {"name": file.bucket}, "object": thing}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]}


def deliver(*bodies: dict[str, Any]) -> None:
    """Load what messages announce; none may come back."""
    records = [{"messageId": str(n), "body": json.dumps(body)} for n, body in enumerate(bodies)]
    assert ingest_records(settings.current(), records) == []


def announced(queue: str) -> list[dict[str, Any]]:
    """Take the messages of a queue."""
    found = []
    while some := aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for one in some:
            found.append(json.loads(one["Body"]))
            aws.sqs().delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return found


def land(key: str, body: bytes) -> RawFile:
    """Put an object under exactly this key."""
    bucket = settings.current().landing_bucket
    answer = aws.s3().put_object(Bucket=bucket, Key=key, Body=body)
    return from_object(bucket, {**answer, "key": key, "size": len(body)})


def a_file(number: int) -> bytes:
    """Return two good rows and a bad one."""
    return message(f"{number}a") + b"not JSON\n" + message(f"{number}b")


def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return what a table holds."""
    found = catalogs.load(catalogs.open_catalog(settings.current()), table)
    return (
        [tuple(row[name] for name in columns) for row in found.scan().to_arrow().to_pylist()] if found else []
    )


def each_is_in_once(files: list[RawFile]) -> None:
    """The rows of `a_file(n)` for each of these, and their ledger and quarantine rows, under their own key."""
    keep_books(settings.current())
    keys = sorted((file.file_id, file.key) for file in files)
    expected = sorted((file.file_id, row) for file in files for row in (1, 3))
    assert sorted(rows("raw.events", "_file_id", "_row")) == expected
    assert len(set(rows("raw.events", "message_id"))) == 2 * len(files)
    ledger = rows("ops.ingest_ledger", "file_id", "key", "received", "loaded", "quarantined")
    assert sorted(ledger) == [(*each, 3, 2, 1) for each in keys]
    assert sorted(rows("ops.quarantine", "file_id", "key")) == keys


def nothing_else_was_written(before: list[RawFile]) -> None:
    """Landing is as it was, and ops has objects under plain names only."""
    assert list(listing(settings.current().landing_bucket)) == before
    names = list(objects.list_keys(settings.current().ops_bucket, ""))
    plain = re.compile(r"(quarantine/[0-9a-f]{64}/\d+/\d+-[0-9a-f]{16}|ledger/[0-9a-f]{64})\.json")
    assert [name for name in names if not plain.fullmatch(name)] == []


@pytest.fixture
def company(landing, monkeypatch) -> Iterator[Company]:
    """A company with buckets and a queue of its own on SeaweedFS."""
    name = uuid.uuid4().hex
    for kind in ("landing", "ops"):
        aws.s3().create_bucket(Bucket=f"{kind}-{name}")
        monkeypatch.setenv(f"LAKEHOUSE_{kind.upper()}_BUCKET", f"{kind}-{name}")
    aws.s3().put_bucket_versioning(Bucket=f"landing-{name}", VersioningConfiguration={"Status": "Enabled"})
    queue = aws.sqs().create_queue(QueueName=name)["QueueUrl"]
    monkeypatch.setenv("LAKEHOUSE_INGEST_QUEUE_URL", queue)
    settings.current.cache_clear()
    with a_company(settings.current()) as company:
        yield company


@pytest.fixture
def on_moto(lake, monkeypatch, tmp_path) -> Iterator[small_company.SmallCompany]:
    """A company on moto, which keeps keys as they are, as S3 does."""
    with small_company.company(monkeypatch, tmp_path) as made:
        yield made


def test_each_key_loads_once_by_whatever_way_it_is_told(company):
    """By event, by notification and by sweep, all three for each: one id, rows once, the books know the key."""
    files = [land(f"web/events/{key}", a_file(n)) for n, key in enumerate(KEPT)]
    there = list(listing(company.settings.landing_bucket))
    assert sorted(file.file_id for file in there) == sorted(file.file_id for file in files)
    for file in files:
        (told,) = read_message(json.dumps(by_notification(file))).files
        assert (told.key, told.file_id) == (file.key, file.file_id)
    third = len(files) // 3
    deliver(*map(by_event, files[:third]))
    deliver(*map(by_notification, files[third : 2 * third]))
    assert sweep(company.settings) == len(files) - 2 * third
    deliver(*announced(company.settings.ingest_queue_url))
    each_is_in_once(files)
    for way in (by_event, by_notification):
        deliver(*map(way, files))
    assert sweep(company.settings) == 0
    each_is_in_once(files)
    nothing_else_was_written(there)


def test_what_seaweedfs_refuses_or_bends_stays_in_its_prefix(company):
    """It takes no key that would leave its folder; what it keeps under another name loads under that one, once."""
    for key in REFUSED:
        with pytest.raises(ClientError, match="InvalidRequest"):
            land(f"web/events/{key}", b"x")
    for number, key in enumerate(BENT):
        land(f"web/events/{key}", a_file(number))
    there = list(listing(company.settings.landing_bucket))
    assert all(file.key.startswith("web/events/") for file in there)
    assert sweep(company.settings) == len(BENT)
    deliver(*announced(company.settings.ingest_queue_url))
    assert sweep(company.settings) == 0
    readable = [file for file in there if "control" not in file.key]
    assert sorted(file.key for file in readable) == ["web/events/back/slash", "web/events/double/slash"]
    assert {file_id for (file_id,) in rows("raw.events", "_file_id")} == {file.file_id for file in readable}
    nothing_else_was_written(there)


def test_keys_that_point_elsewhere_are_read_as_they_are(on_moto):
    """As S3 does, moto keeps `..` and NUL in keys. What lies where they point is neither read nor written."""
    planted = land("hubspot/contacts/planted.csv", b"this is no file of web/events\n")
    files = [land(f"web/events/{key}", a_file(n)) for n, key in enumerate(REFUSED + BENT)]
    deliver(*map(by_event, files), *map(by_notification, files))
    each_is_in_once(files)
    assert aws.s3().get_object(Bucket=planted.bucket, Key=planted.key)["Body"].read().startswith(b"this is")
    names = list(objects.list_keys(settings.current().ops_bucket, ""))
    second = Digest()
    second.add(2)
    assert sorted(names) == sorted(f"quarantine/{file.file_id}/0/{second}.json" for file in files)


def test_a_place_that_looks_like_another_is_not_that_one(company):
    """Letters from other alphabets, widths, blanks and cases: told as unknown, once, and no row of theirs loads."""
    files = [land(key, a_file(n)) for n, key in enumerate(STRANGERS)]
    deliver(*map(by_event, files), *map(by_notification, files))
    assert sweep(company.settings) == 0
    keep_books(company.settings)
    found = sorted(rows("ops.quarantine", "key", "code"))
    assert found == sorted((key, "unknown_source") for key in STRANGERS)
    assert rows("raw.events", "_file_id") == []


def test_names_of_files_on_disk_land_under_their_place(company, tmp_path):
    """Whatever a file is called, also in an encoding that is none: it lands, and loads once."""
    names = [name.encode() for name in KEPT if len(name.encode()) < 200 and "/" not in name]
    names += [b"\xff\xfe", "导出".encode("gb18030"), b"back\\..\\slash", b"tab\there\x01", b"..x", b"x" * 255]
    folder = tmp_path / "names"
    folder.mkdir()
    for number, name in enumerate(names):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123 - bytes are no Path
            file.write(a_file(number))
    landed = list(put_all(company.settings, "web/events", files_in([folder])))
    hidden = sum(name.startswith(b".") for name in names)
    assert len(landed) == len(names) - hidden
    assert [one for one in landed if not isinstance(one, Landed)] == []
    there = list(listing(company.settings.landing_bucket))
    assert sorted(file.key for file in there) == sorted(one.key for one in landed if isinstance(one, Landed))
    assert all(re.fullmatch(r"web/events/[0-9a-f]{16}/[^/]+", file.key, re.DOTALL) for file in there)
    assert sweep(company.settings) == len(there)
    deliver(*announced(company.settings.ingest_queue_url))
    each_is_in_once(there)


# --- files that change or go


def test_a_file_overwritten_before_and_after_it_is_loaded_is_a_file_each_time(company):
    """Three versions under one key: each loads once, in whatever order they are told, however often."""
    files = [land("web/events/same.json", a_file(number)) for number in (1, 2)]
    deliver(by_event(files[1]), by_event(files[0]), by_notification(files[1]))
    files.append(land("web/events/same.json", a_file(3)))
    assert sweep(company.settings) == 1
    deliver(*announced(company.settings.ingest_queue_url), *map(by_event, files))
    assert sweep(company.settings) == 0
    each_is_in_once(files)


def test_a_file_that_is_gone_before_it_is_loaded_is_told_once(company):
    """One entry in quarantine, and its message does not come back, whoever announces it again."""
    gone, beside = land("web/events/gone.json", a_file(1)), land("web/events/beside.json", a_file(2))
    aws.s3().delete_object(Bucket=gone.bucket, Key=gone.key, VersionId=gone.version)
    for _ in range(3):
        deliver(by_event(gone), by_notification(gone), by_event(beside))
    assert sweep(company.settings) == 0
    (told,) = company.quarantined(gone)
    assert (told["key"], told["code"], told["row"]) == (gone.key, "object_gone", None)
    keep_books(company.settings)
    assert (gone.file_id, 1, 0, 1) in rows(
        "ops.ingest_ledger", "file_id", "received", "loaded", "quarantined"
    )
    assert {file_id for (file_id,) in rows("raw.events", "_file_id")} == {beside.file_id}


def test_a_file_deleted_by_its_key_alone_still_loads(company):
    """Where versions are kept, that only hides it; what was announced is the version."""
    file = land("web/events/hidden.json", a_file(1))
    aws.s3().delete_object(Bucket=file.bucket, Key=file.key)
    assert sweep(company.settings) == 1
    deliver(by_event(file), *announced(company.settings.ingest_queue_url))
    each_is_in_once([file])


# --- the events of the laptop's store


def test_the_stacks_own_events_name_the_file_as_the_listing_does(tmp_path: Path):
    """For each key that SeaweedFS takes: the event that it sends and the sweep mean the same file."""
    keys = [f"web/events/{key}" for key in KEPT + BENT if "\x01" not in key]
    with Stack(tmp_path / "lake", wiring=a_wiring()) as stack:
        stack.start()
        for key in keys:
            aws.s3().put_object(Bucket=LANDING, Key=key, Body=b"x")
        there = {file.file_id: file for file in listing(LANDING)}
        queue = aws.sqs().get_queue_url(QueueName="objects")["QueueUrl"]
        told: dict[str, RawFile] = {}

        def look() -> bool:
            files = (file for body in announced(queue) for file in read_message(json.dumps(body)).files)
            told.update({file.file_id: file for file in files})
            return len(told) >= len(keys)

        until(look, 60)
    assert len(there) == len(keys)
    assert told == there
