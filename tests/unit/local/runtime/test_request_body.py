"""Bodies by their length and in chunks, as telephones and streaming clients send them."""

from __future__ import annotations

import io
from email.message import Message
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.local.policy import HttpPolicy
from lakehouse.local.runtime.request_body import NoBody, read_body
from tests.support.packed_files import EXAMPLES

MOST = 100
NEXT = b"POST /v1/batch HTTP/1.1\r\n"  # what a connection brings afterwards


def body_of(sent: bytes, **headers: str) -> bytes:
    """Read a body, and see that what follows it is left for the next request."""
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    file = io.BytesIO(sent + NEXT)
    body = read_body(file, message, MOST)
    assert file.read() == NEXT
    return body


def chunked(parts: list[bytes], extension: bytes = b"", fields: bytes = b"") -> bytes:
    chunks = [b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts]
    return b"".join([*chunks, b"0\r\n", fields, b"\r\n"])


@EXAMPLES
@given(
    st.lists(st.binary(min_size=1, max_size=30), max_size=5),
    st.sampled_from([b"", b";a=b", b" ; a"]),
    st.sampled_from([b"", b"X: 1\r\n", b"X: 1\r\nY: 2\r\n"]),
)
def test_what_is_sent_in_chunks_is_read_whole(parts: list[bytes], extension: bytes, fields: bytes) -> None:
    """However it is cut; what is larger than it may be is refused, and nothing else is."""
    whole = b"".join(parts)
    sent = chunked(parts, extension, fields)
    if len(whole) <= MOST:
        assert body_of(sent, Transfer_Encoding="chunked") == whole
    else:
        with pytest.raises(NoBody) as refused:
            body_of(sent, Transfer_Encoding="chunked")
        assert refused.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize(
    ("sent", "headers", "body"),
    [
        (b"", {}, b""),
        (b"", {"Content_Length": "0"}, b""),
        (b"{}", {"Content_Length": "2"}, b"{}"),
        (b"{}", {"Content_Length": "0002"}, b"{}"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", {"Transfer_Encoding": "Chunked"}, b"0123456789"),
        (b"0a\r\n0123456789\r\n000\r\n\r\n", {"Transfer_Encoding": " chunked "}, b"0123456789"),
    ],
)
def test_a_length_is_told_in_front_or_chunk_by_chunk(
    sent: bytes, headers: dict[str, str], body: bytes
) -> None:
    """No length and no chunks: no body."""
    assert body_of(sent, **headers) == body


@pytest.mark.parametrize(
    ("sent", "headers", "status"),
    [
        (b"", {"Content_Length": "x"}, 411),
        (b"", {"Content_Length": "-1"}, 411),
        (b"", {"Transfer_Encoding": "gzip, chunked"}, 411),
        (b"x" * 101, {"Content_Length": "101"}, 413),
        (b"", {"Content_Length": "9" * 5_000}, 413),
        (b"2\r\n{}\r\n0\r\n\r\n", {"Transfer_Encoding": "chunked", "Content_Length": "2"}, 400),
        (b"g\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"-1\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"+1\r\na\r\n0\r\n\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"0x1\r\na\r\n0\r\n\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"1\na\n0\n\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"1\r\nab\r\n0\r\n\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"f" * 17 + b"\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"f" * 16 + b"\r\n", {"Transfer_Encoding": "chunked"}, 413),
        (b"1" * 2_000, {"Transfer_Encoding": "chunked"}, 400),
        (b"0\r\n" + b"X: 1\r\n" * 40, {"Transfer_Encoding": "chunked"}, 400),
    ],
)  # fmt: skip
def test_what_is_no_body_is_refused(sent: bytes, headers: dict[str, str], status: int) -> None:
    """Two lengths are none: whoever stands in between may have believed the other one."""
    with pytest.raises(NoBody) as refused:
        body_of(sent, **headers)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (b"{", {"Content_Length": "200"}),
        (b"5\r\nab", {"Transfer_Encoding": "chunked"}),
        (b"2\r\nab\r\n", {"Transfer_Encoding": "chunked"}),
        (b"", {"Transfer_Encoding": "chunked"}),
    ],
)
def test_a_body_that_breaks_off_is_none(sent: bytes, headers: dict[str, str]) -> None:
    """Half a request is no request, though half of its text may be sound."""
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    with pytest.raises(EOFError):
        read_body(io.BytesIO(sent), message, 1_000)


def test_no_more_is_read_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of chunks without end, too."""
    monkeypatch.setattr(HttpPolicy, "discarded_bytes", 1_000)
    message = Message()
    message["Transfer-Encoding"] = "chunked"
    file = io.BytesIO(chunked([b"x" * 50] * 1_000))
    with pytest.raises(NoBody) as refused:
        read_body(file, message, MOST)
    assert refused.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert file.tell() < 2_000
