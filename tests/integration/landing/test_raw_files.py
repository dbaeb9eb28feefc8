"""A raw file has one id, however a store announces it."""

from __future__ import annotations

import json
import uuid

import pytest

from lakehouse import aws
from lakehouse.landing.announcements import read_message
from lakehouse.landing.raw_files import listing

KEYS = [  # neither // nor \\: SeaweedFS keeps objects in folders, and makes a single slash of both
    "web/events/plain.json",
    "web/events/with space.json",
    "web/events/订单 2024.csv",
    "web/events/per%2ecent%20.json",
    "web/events/plus+plus.json",
    "web/events/quote'\"`.json",
    "web/events/ampersand&=?#;.json",
    "web/events/émigré.json",
    "web/events/deep/er/than/that.json",
    "web/events/<angle>.json",
]


def event(bucket, key, answer, size):
    """Return the event that S3 sends for an object; keys in it stand as they are."""
    thing = {"key": key, "size": size, "etag": answer["ETag"].strip('"'), "sequencer": "00"}
    if "VersionId" in answer:
        thing["version-id"] = answer["VersionId"]
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": thing, "reason": "PutObject"},
    }


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("versioned", [True, False])
def test_one_id_however_a_file_is_announced(landing, unversioned, key, versioned):
    """Event, listing and message of one object version name the same file, under the key it was put under."""
    bucket = landing.landing_bucket if versioned else unversioned
    key = key.replace("events/", f"events/{uuid.uuid4().hex}/")
    answer = aws.s3().put_object(Bucket=bucket, Key=key, Body=b"{}\n")
    (announced,) = read_message(json.dumps(event(bucket, key, answer, 3))).files
    (listed,) = listing(bucket, key[: len("web/events/") + 32])
    (sent,) = read_message(json.dumps({"files": [listed.message()]})).files
    assert {announced.file_id, listed.file_id, sent.file_id} == {announced.file_id}
    assert (announced.key, listed.key, sent.key) == (key, key, key)
    assert announced.is_etag is listed.is_etag is sent.is_etag is not versioned
    assert announced == listed == sent
    assert announced.source_key == ("web", "events")


def test_each_version_is_a_file_of_its_own(landing):
    """A key that is written again is another file; delete markers and folders are none."""
    folder = f"web/events/{uuid.uuid4().hex}/"
    for body in (b"1", b"2"):
        aws.s3().put_object(Bucket=landing.landing_bucket, Key=f"{folder}a", Body=body)
    aws.s3().put_object(Bucket=landing.landing_bucket, Key=f"{folder}b/", Body=b"")
    aws.s3().delete_object(Bucket=landing.landing_bucket, Key=f"{folder}a")
    found = list(listing(landing.landing_bucket, folder))
    assert [file.key for file in found] == [f"{folder}a"] * 2
    assert len({file.file_id for file in found}) == 2


def test_the_same_bytes_written_twice_without_versions_are_one_file(landing, unversioned):
    """The etag tells contents apart, and nothing else does."""
    key = f"web/events/{uuid.uuid4().hex}"
    ids = set()
    for body in (b"1", b"1", b"2"):
        aws.s3().put_object(Bucket=unversioned, Key=key, Body=body)
        ids |= {file.file_id for file in listing(unversioned, key)}
    assert len(ids) == 2
