"""A raw file has one id, however it is announced, whatever its key looks like."""

from __future__ import annotations

import hashlib

import pytest

from lakehouse.landing.raw_files import RawFile, from_object


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
