"""What a raw file is packed in is told by its bytes, verified to the last of them, and bounded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.landing.policy import UnpackLimits
from lakehouse.landing.unpack import DEFAULT_LIMITS, container_of, members
from tests.support.packed_files import EXAMPLES, code_of, cut, zipped

TEXT = b"".join(b'{"n": %d, "name": "%d"}\n' % (n, n * n) for n in range(90))
BOOK = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>" * 99})


def out_of(body, scratch, sizes=(1 << 20,), limits=DEFAULT_LIMITS):
    return [
        (m.name, b"".join(m.chunks))
        for m in members(cut(body, sizes), scratch, limits)
        if not m.is_desktop_file
    ]


def refused(body, scratch, limits=DEFAULT_LIMITS):
    with pytest.raises(BadFile) as bad:
        out_of(body, scratch, limits=limits)
    return bad.value.code


PACKED = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "gzip of two members": gzip.compress(TEXT[:77]) + gzip.compress(TEXT[77:]),
    "gzip with an empty member": gzip.compress(b"") + gzip.compress(TEXT),
    "gzip, stored": gzip.compress(TEXT, 0),
    "gzip, padded with zeros": gzip.compress(TEXT) + bytes(600),
    "zstd": zstd.compress(TEXT),
    "zstd of two frames": zstd.compress(TEXT[:77]) + zstd.compress(TEXT[77:]),
    "zstd behind a skippable frame": b"\x53\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(TEXT),
    "zip": zipped({"a.ndjson": TEXT}),
    "zip, stored": zipped({"a.ndjson": TEXT}, zipfile.ZIP_STORED),
    "zip from a Mac": zipped({"x/": b"", "x/a": TEXT, "__MACOSX/x/._a": b"?", "x/.DS_Store": b"?"}),
}


@pytest.mark.parametrize("body", PACKED.values(), ids=PACKED)
def test_what_was_packed_comes_out(body, tmp_path):
    """By what the bytes are; noise in a zip is left out, and scratch is empty afterwards."""
    assert [content for _, content in out_of(body, tmp_path)] == [TEXT]
    assert list(tmp_path.iterdir()) == []


@EXAMPLES
@given(
    st.sampled_from(sorted(PACKED)),
    st.lists(st.integers(0, 700), min_size=1, max_size=8).filter(any),
)
def test_the_cut_of_the_chunks_changes_nothing(tmp_path_factory, name, sizes):
    """However the network cuts a file, the same bytes come out."""
    scratch = tmp_path_factory.getbasetemp()
    assert [content for _, content in out_of(PACKED[name], scratch, sizes)] == [TEXT]


def test_files_of_a_zip_come_in_its_order(tmp_path):
    """Each under its name."""
    body = zipped({"b.csv": TEXT, "../a.csv": b"x\n1\n"})
    assert out_of(body, tmp_path) == [("b.csv", TEXT), ("../a.csv", b"x\n1\n")]


def test_what_is_wrong_with_one_file_costs_the_others_nothing(tmp_path):
    """An archive in the archive, one that is packed otherwise, one without bytes; a desktop's own say so."""
    content = {
        "a.csv": TEXT,
        "b.zip": zipped({"x": b"1"}),
        "c.csv": b"",
        "d.rar": b"Rar!\x1a\x07\x00",
        ".DS_Store": b"?",
    }
    found = list(members(cut(zipped(content), (999,)), tmp_path))
    codes = {m.name: m.refused.code if m.refused else "" for m in found if not m.is_desktop_file}
    assert codes == {
        "a.csv": "", "b.zip": "nested_archive", "c.csv": "empty_file", "d.rar": "nested_archive",
    }  # fmt: skip
    assert [m.name for m in found if m.is_desktop_file] == [".DS_Store"]
    assert {m.siblings for m in found if not m.is_desktop_file} == {3}


def test_an_encrypted_file_costs_the_others_nothing(tmp_path):
    """The directory says that it is."""
    body = bytearray(zipped({"a.csv": b"x\n1\n", "b.csv": b"y\n2\n"}))
    second = body.rindex(b"PK\x01\x02")
    body[second + 8] |= 1
    found = [
        (m.name, m.refused and m.refused.code, b"".join(m.chunks))
        for m in members(cut(bytes(body), (99,)), tmp_path)
    ]
    assert found == [("a.csv", None, b"x\n1\n"), ("b.csv", "encrypted_zip", b"")]


@pytest.mark.parametrize("body", [BOOK, b"PAR1" + bytes(99) + b"PAR1"], ids=["xlsx", "parquet"])
def test_formats_with_an_inside_come_out_whole(tmp_path, body):
    """A workbook is a zip, but not one to unpack; neither bare nor in a container."""
    assert out_of(body, tmp_path) == [(None, body)]
    assert out_of(gzip.compress(body), tmp_path) == [(None, body)]
    assert out_of(zipped({"a": body}), tmp_path) == [("a", body)]


@pytest.mark.parametrize("name", [name for name in PACKED if name != "plain"])
def test_a_container_that_breaks_off_anywhere_is_bad(tmp_path, name):
    """At every byte: either all comes out (what was cut off is padding) or BadFile; never a part without a word."""
    whole = PACKED[name]
    kind = name.split()[0].strip(",")
    boundaries = {
        "gzip of two members": len(gzip.compress(TEXT[:77])),
        "gzip with an empty member": len(gzip.compress(b"")),
        "zstd of two frames": len(zstd.compress(TEXT[:77])),
        "zstd behind a skippable frame": 12,
    }
    for end in range(4, len(whole)):
        if end == boundaries.get(name):
            continue  # by itself a whole file: nobody can know that more was to come
        try:
            assert [content for _, content in out_of(whole[:end], tmp_path)] == [TEXT], end
        except BadFile as error:
            assert error.code in {f"truncated_{kind}", "bad_zip"}, end  # noqa: PT017
        else:
            assert name == "gzip, padded with zeros"


@pytest.mark.parametrize("name", ["gzip", "gzip of two members", "zip", "zip, stored"])
def test_one_wrong_byte_never_changes_what_comes_out(tmp_path, name):
    """Checksums are compared: either the right bytes come out or BadFile."""
    whole = PACKED[name]
    for place in range(4, len(whole)):
        wrong = bytearray(whole)
        wrong[place] ^= 0x41
        try:
            content = [content for _, content in out_of(bytes(wrong), tmp_path)]
        except BadFile:
            continue
        assert content == [TEXT], place


def test_codes_of_what_is_damaged(tmp_path):
    """The code says which container; people look for it in the quarantine."""
    assert refused(PACKED["gzip"][:-1], tmp_path) == "truncated_gzip"
    assert refused(PACKED["gzip"] + b"garbage", tmp_path) == "truncated_gzip"
    assert refused(PACKED["zstd"][:-1], tmp_path) == "truncated_zstd"
    assert refused(PACKED["zstd"] + b"garbage", tmp_path) == "truncated_zstd"
    assert refused(PACKED["zip"][:-30], tmp_path) == "truncated_zip"
    for start, code in ((b"\x1f", "gzip"), (b"\x28\xb5", "zstd"), (b"PK\3", "zip")):
        assert refused(start, tmp_path) == f"truncated_{code}"
    wrong = bytearray(PACKED["zip, stored"])
    wrong[200] ^= 1
    assert refused(bytes(wrong), tmp_path) == "bad_zip"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        gzip.compress(b""),
        gzip.compress(b"") * 2,
        zstd.compress(b""),
        zipped({}),
        zipped({"a": b"", "b/": b""}),
    ],
    ids=[
        "bytes",
        "gzip",
        "gzip twice",
        "zstd",
        "zip",
        "zip of empty members",
    ],  # the bytes tell the time of day
)
def test_empty_files_are_bad_files(tmp_path, body):
    """A sender that sends nothing is broken: it is told."""
    assert refused(body, tmp_path) == "empty_file"


@pytest.mark.parametrize(
    "inner",
    [gzip.compress(TEXT), zstd.compress(TEXT), zipped({"a": TEXT}), bz2.compress(TEXT)],
    ids=["gzip", "zstd", "zip", "bz2"],
)
@pytest.mark.parametrize("outer", [gzip.compress, zstd.compress, lambda body: zipped({"inner": body})])
def test_an_archive_within_an_archive_is_refused(tmp_path, inner, outer):
    """It is not unpacked further: that is how bombs are built."""
    assert refused(outer(inner), tmp_path) == "nested_archive"


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(__file__, "a")
    return out.getvalue()


def test_what_cannot_be_unpacked_is_told(tmp_path):
    """With the advice how to send it; text that begins alike is text."""
    for body in (
        bz2.compress(TEXT),
        lzma.compress(TEXT),
        tar(),
        b"Rar!\x1a\x07\x01\0",
        b"7z\xbc\xaf\x27\x1c\0",
    ):
        assert refused(body, tmp_path) == "unsupported_archive"
    for name in ("word/document.xml", "ppt/x.xml"):
        assert refused(zipped({"[Content_Types].xml": b"", name: b""}), tmp_path) == "unsupported_archive"
    assert refused(zipped({"mimetype": b"x", "content.xml": b""}), tmp_path) == "unsupported_archive"
    assert refused(zipped({"a": TEXT}, zipfile.ZIP_BZIP2), tmp_path) == "unsupported_archive"
    for text in (b"BZh9,name\n1,2\n", b"PK,name\n", b"P", b"("):
        assert out_of(text, tmp_path) == [(None, text)]


def test_a_zip_with_a_password_is_told(tmp_path):
    """Nobody can read it here."""
    body = bytearray(PACKED["zip"])
    body[body.index(b"PK\1\2") + 8] |= 1
    assert refused(bytes(body), tmp_path) == "encrypted_zip"


def test_a_window_larger_than_memory_allows_is_told(tmp_path):
    """`zstd --long=31` asks its reader for 2 GiB."""
    options = {zstd.CompressionParameter.window_log: 28, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    body = packer.compress(TEXT) + packer.flush()
    assert refused(body, tmp_path) == "unsupported_archive"


def test_too_many_files_or_bytes_are_a_bomb(tmp_path):
    """Each limit by itself; also frames that hold nothing."""
    assert refused(zipped({str(n): b"x" for n in range(11)}), tmp_path, UnpackLimits(members=10)) == "bomb"
    for pack in (gzip.compress, zstd.compress, lambda body: zipped({"a": body})):
        assert refused(pack(TEXT), tmp_path, UnpackLimits(total_bytes=len(TEXT) - 1)) == "bomb"
        assert out_of(pack(TEXT), tmp_path, limits=UnpackLimits(total_bytes=len(TEXT)))[0][1] == TEXT
        zeros = pack(b"0" * 3_000_000)
        assert refused(zeros, tmp_path, UnpackLimits(ratio_from_bytes=1 << 20)) == "bomb"
        assert out_of(zeros, tmp_path)[0][1] == b"0" * 3_000_000
    assert refused(zstd.compress(b"x") * 40, tmp_path, UnpackLimits(members=20)) == "bomb"
    assert (
        refused(
            zipped({str(n): b"0" * 2_000_000 for n in range(9)}),
            tmp_path,
            UnpackLimits(ratio_from_bytes=1 << 20),
        )
        == "bomb"
    )


def test_a_directory_larger_than_memory_allows_is_a_bomb(tmp_path):
    """A zip's directory is read at once: its size is looked at first."""
    body = zipped({f"{n:0200}": b"" for n in range(20_000)})
    assert refused(body, tmp_path) == "bomb"


def test_a_zip_behind_other_bytes_is_bad(tmp_path):
    """A cut zip that holds a zip must not be taken for the inner one."""
    inner = zipped({"a": TEXT})
    outer = zipped({"inner": inner, "b": TEXT}, zipfile.ZIP_STORED)
    end = outer.index(inner) + len(inner)
    assert refused(outer[:end], tmp_path) == "bad_zip"


def test_what_came_before_the_damage_was_handed_on(tmp_path):
    """Streams raise at the end: whoever reads must not count before."""
    body = gzip.compress(TEXT * 999)[:-1]
    (member,) = members(cut(body, (1000,)), tmp_path)
    assert code_of(member.chunks) == "truncated_gzip"


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x1f", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x28\xb5", "zstd"),
        (b"(", ""),
        (b"\x50\x2a\x4d\x18", "zstd"),
        (b"\x5f\x2a\x4d\x18", "zstd"),
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"PK\x03", "zip"),
        (b"PK", ""),
        (b"", ""),
        (b"BZh,name", ""),
        (b"a,b\n", ""),
    ],
)
def test_a_container_is_known_by_its_first_bytes(head, container):
    """Also one that breaks off within them, where no text begins so."""
    assert container_of(head) == container


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"Rar!\x1a\x07", "RAR"),
        (bytes(257) + b"ustar", "tar"),
    ],
)
def test_an_archive_that_is_not_unpacked_is_named(head, name):
    """With what to send instead."""
    with pytest.raises(BadFile, match=f"packed by {name}; send it as gzip, zstd or zip"):
        container_of(head)
