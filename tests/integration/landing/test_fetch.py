"""A raw file arrives whole, or not at all."""

from __future__ import annotations

import gzip
import io
import uuid
import zlib

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import BadFile
from lakehouse.landing.fetch import chunks
from lakehouse.landing.raw_files import from_object
from lakehouse.landing.unpack import members

TEXT = b"".join(b'{"messageId": "%d", "type": "track"}\n' % number for number in range(12))


@pytest.fixture
def put(landing):
    """Put bytes under a key of their own, and return the file."""

    def put(body, bucket=landing.landing_bucket, key=None):
        key = key or f"web/events/{uuid.uuid4().hex}.json"
        answer = aws.s3().put_object(Bucket=bucket, Key=key, Body=body)
        return from_object(bucket, {"key": key, **answer, "size": len(body)})

    return put


def packed(body, level=9):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=0, filename="") as file:
        file.write(body)
    return out.getvalue()


def fetch(file, folder):
    """Return the file's bytes, unpacked."""
    return b"".join(chunk for member in members(chunks(file), folder) for chunk in member.chunks)


def refused(file, folder):
    """Return the code under which a file is refused; nothing of it may be left on disk."""
    with pytest.raises(BadFile) as caught:
        fetch(file, folder)
    assert [path for path in folder.iterdir() if path.is_file()] == []
    return caught.value.code


@pytest.mark.parametrize(
    "body",
    [
        TEXT,
        packed(TEXT),
        packed(TEXT[:100]) + packed(TEXT[100:]),
        packed(TEXT, 0),
        packed(b"") + packed(TEXT),
    ],
    ids=["plain", "gzip", "two members", "stored", "empty first member"],
)
def test_bytes_arrive_decompressed(put, tmp_path, body):
    """By what the bytes are, not by what the key is called; all members of a gzip."""
    assert fetch(put(body), tmp_path) == TEXT


def test_larger_than_memory_chunks(put, tmp_path):
    """A file of several chunks arrives as it is."""
    body = bytes(range(256)) * (3 << 12) + b"end"
    assert fetch(put(body), tmp_path) == body
    assert fetch(put(packed(body, 1)), tmp_path) == body


def test_a_gzip_that_breaks_off_anywhere_gives_nothing(put, tmp_path):
    """Every tenth byte, and each of the last ten: the rows before the break do not count as the file."""
    whole = packed(TEXT)
    cuts = sorted({*range(2, len(whole), 10), *range(len(whole) - 10, len(whole))})
    assert len(cuts) > 15
    for cut in cuts:
        assert refused(put(whole[:cut]), tmp_path) == "truncated_gzip", cut
    two = packed(TEXT) + packed(TEXT)
    assert refused(put(two[:-1]), tmp_path) == "truncated_gzip"


def test_a_gzip_with_one_wrong_byte_gives_nothing(put, tmp_path):
    """Length and checksum at the end are compared with what was inflated."""
    whole = packed(TEXT)
    for place in (len(whole) - 8, len(whole) - 1, len(whole) // 2):
        wrong = bytearray(whole)
        wrong[place] ^= 0x55
        assert refused(put(bytes(wrong)), tmp_path) == "truncated_gzip", place
    assert refused(put(whole + b"garbage"), tmp_path) == "truncated_gzip"
    assert zlib.decompress(whole, 31) == TEXT


def test_empty_files_are_bad_files(put, tmp_path):
    """Without bytes, or without bytes inside: told, since a sender that sends nothing is broken."""
    assert refused(put(b""), tmp_path) == "empty_file"
    assert refused(put(packed(b"")), tmp_path) == "empty_file"
    assert refused(put(packed(b"") * 2), tmp_path) == "empty_file"


def test_a_deleted_object_is_told(landing, put, tmp_path):
    """Deleted version, or never there: it will not come back, so it is not tried for ever."""
    file = put(TEXT)
    aws.s3().delete_object(Bucket=file.bucket, Key=file.key, VersionId=file.version)
    assert refused(file, tmp_path) == "object_gone"
    nothing = from_object(file.bucket, {"key": f"web/events/{uuid.uuid4().hex}", "etag": "0" * 32})
    assert refused(nothing, tmp_path) == "object_gone"


def test_a_delete_marker_hides_nothing(put, tmp_path):
    """The version that was announced is read, though the key looks deleted by now."""
    file = put(TEXT)
    aws.s3().delete_object(Bucket=file.bucket, Key=file.key)
    assert fetch(file, tmp_path) == TEXT


def test_the_announced_version_is_read(put, tmp_path):
    """Not the newest one."""
    first = put(b"first")
    second = put(b"second", key=first.key)
    assert fetch(first, tmp_path) == b"first"
    assert fetch(second, tmp_path) == b"second"


def test_without_versions_a_replaced_object_is_gone(unversioned, put, tmp_path):
    """Its bytes are those of another file by now; read under this one's id they would load twice."""
    first = put(b"first", bucket=unversioned)
    assert fetch(first, tmp_path) == b"first"
    second = put(b"second", bucket=unversioned, key=first.key)
    assert first.is_etag
    assert refused(first, tmp_path) == "object_gone"
    assert fetch(second, tmp_path) == b"second"


def test_an_object_store_that_fails_is_no_bad_file(landing, put, tmp_path):
    """What may work next time is not set aside."""
    missing = from_object("no-such-bucket", {"key": "web/events/x", "version-id": "v"})
    with pytest.raises(ClientError):
        fetch(missing, tmp_path)
