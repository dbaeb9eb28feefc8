"""A raw file has one id, however it is announced, whatever its key looks like."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.landing.raw_files import RawFile, from_message, from_object


def test_the_id_is_what_the_ledger_says_it_is():
    """sha-256 of bucket, key and version, with NUL between: changing it would load every file again."""
    file = RawFile("b", "s/e/k", "v", 1)
    assert file.file_id == hashlib.sha256(b"b\0s/e/k\0v").hexdigest()
    assert file.file_id != RawFile("b", "s/e/", "kv", 1).file_id


def test_a_null_version_is_none():
    """Buckets without versioning say so in several ways."""
    entries = [
        {"key": "a/b/c", "version-id": "null", "etag": "e"},
        {"Key": "a/b/c", "VersionId": "null", "ETag": '"e"'},
        {"key": "a/b/c", "version-id": None, "etag": "e"},
        {"key": "a/b/c", "etag": "e"},
    ]
    assert {from_object("b", entry) for entry in entries} == {RawFile("b", "a/b/c", "e", 0, is_etag=True)}


@pytest.mark.parametrize(
    ("key", "source_key"),
    [
        ("shop/orders/x.csv", ("shop", "orders")),
        ("shop/orders/2024/01/x.csv", ("shop", "orders")),
        ("shop/orders", ("", "")),
        ("x.csv", ("", "")),
        ("", ("", "")),
        ("Shop/orders/x.csv", ("", "")),
        ("shop/../x.csv", ("", "")),
        ("/shop/orders/x.csv", ("", "")),
        ("shop//x.csv", ("", "")),
        ("订单/orders/x.csv", ("", "")),
        ("shop/orders\n/x.csv", ("", "")),
    ],
)
def test_a_source_key_is_two_plain_names(key, source_key):
    """Source and entity become table names, so nothing else passes for one."""
    assert RawFile("b", key, "v", 1).source_key == source_key


def test_a_notification_of_s3_has_its_key_encoded():
    """As S3 sends it to a queue of its own; in EventBridge's event the key stands as it is."""
    thing = {
        "key": "web/events/a+b%2Bc%2520d+%E5%AE%A2",
        "size": 7,
        "eTag": "e",
        "versionId": "v",
        "sequencer": "00",
    }
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": thing}}
    assert from_message({"Records": [record]}) == [RawFile("b", "web/events/a b+c%20d 客", "v", 7)]
    del thing["versionId"]
    assert from_message({"Records": [record]})[0].is_etag
    with pytest.raises(ValueError, match="not of a new object"):
        from_message({"Records": [record | {"eventName": "ObjectRemoved:Delete"}]})
    thing["key"] = "web/events/%FF"
    with pytest.raises(ValueError, match="utf-8"):
        from_message({"Records": [record]})


@pytest.mark.parametrize(
    "body", [{}, {"detail-type": "Object Deleted", "detail": {}}, {"Event": "s3:TestEvent"}]
)
def test_a_message_about_something_else_is_an_error(body):
    """It must not pass for a message without files, which would be forgotten."""
    with pytest.raises(ValueError, match="Object Created"):
        from_message(body)


@tried(max_examples=100)
@given(
    key=st.text(min_size=1, max_size=60), version=st.text(min_size=1, max_size=20), size=st.integers(0, 2**40)
)
def test_a_file_survives_its_message(key, version, size):
    """Whatever the key: what `sweep` sends is what `ingest` gets."""
    for is_etag in (True, False):
        file = from_object("b", {"key": key, "etag" if is_etag else "version-id": version, "size": size})
        assert from_message(json.loads(json.dumps({"files": [file.message()]}))) == [file]
