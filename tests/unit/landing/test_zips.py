"""A zip's directory is read within limits, and its members are verified."""

from __future__ import annotations

import io
import zipfile

import pytest

from lakehouse.errors import BadFile
from lakehouse.landing import zips
from lakehouse.landing.policy import ReadPolicy, UnpackLimits
from tests.support.packed_files import zipped

TEXT = b"".join(b"%d,%d\n" % (number, number * number) for number in range(9_000))


def entries(body, maximum=10):
    return zips.entries(io.BytesIO(body), maximum)


def refused(read):
    with pytest.raises(BadFile) as caught:
        read()
    return caught.value.code


def test_files_are_listed_without_folders_and_a_desktops_own():
    """In the order of the directory."""
    body = zipped(
        {
            "b/": b"",
            "b/2.csv": b"2",
            "__MACOSX/b/._2": b"?",
            ".DS_Store": b"?",
            "thumbs.db": b"?",
            "~$book.xlsx": b"?",
            "b/._2.csv": b"?",
            "1.csv": b"",
            "b/.~lock.2.csv#": b"?",
        }
    )
    listed = entries(body)
    assert [entry.filename for entry in listed if not zips.is_desktop_file(entry)] == ["b/2.csv", "1.csv"]
    assert len(listed) == 8


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b"folder\\", None),
        (b"folder\\a.csv", "folder/a.csv"),
        ("数据\\客户.csv".encode("gb18030"), "数据/客户.csv"),
        ("客户.csv".encode(), "客户.csv"),  # a Mac does not say so
        ("Müller.csv".encode("cp437"), "Müller.csv"),
        ("Größe.csv".encode("cp437"), "Größe.csv"),
        (b"\xff\xfe.csv", "\xa0\u25a0.csv"),
    ],
)
def test_names_are_those_that_whoever_packed_them_saw(written, name):
    """In Windows' encoding of Chinese, with its way to part folders."""
    placeholder = "x" * len(written)
    body = zipped({placeholder: b""}).replace(placeholder.encode(), written)
    assert [entry.filename for entry in entries(body)] == ([] if name is None else [name])


def test_a_desktops_own_files_are_told_apart_in_every_way_of_writing_folders():
    """Windows packs what a Mac has left there, too."""
    body = zipped({"b\\Thumbs.db": b"?", "__MACOSX\\b\\._2.csv": b"?", "b\\2.csv": b"2"})
    assert [zips.is_desktop_file(entry) for entry in entries(body)] == [True, True, False]


def test_too_many_files_and_too_large_a_directory_are_bombs(monkeypatch):
    """Folders and noise count, too."""
    body = zipped({str(number): b"" for number in range(11)})
    assert refused(lambda: entries(body)) == "bomb"
    assert len(entries(body, 11)) == 11
    monkeypatch.setattr(UnpackLimits, "zip_directory_bytes", 200)
    assert refused(lambda: entries(body, 11)) == "bomb"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (zipped({"a": TEXT})[:-40], "truncated_zip"),
        (b"PK\x03\x04", "truncated_zip"),
        (b"?" + zipped({"a": b"x"}), "bad_zip"),
    ],
)
def test_a_directory_that_is_damaged_is_told(body, code):
    """Cut off, or not where it says."""
    assert refused(lambda: entries(body)) == code


@pytest.mark.parametrize(
    ("names", "is_workbook"),
    [
        (["a.csv"], False),
        (["[Content_Types].xml", "xl/workbook.xml"], True),
        ([], False),
    ],
)
def test_a_workbook_is_known_by_its_files(names, is_workbook):
    """Whatever it is called."""
    assert zips.is_workbook(entries(zipped(dict.fromkeys(names, b"x")))) is is_workbook


@pytest.mark.parametrize("names", [["[Content_Types].xml", "word/document.xml"], ["mimetype", "content.xml"]])
def test_other_documents_are_refused(names):
    """They hold no table."""
    listed = entries(zipped(dict.fromkeys(names, b"x")))
    assert refused(lambda: zips.is_workbook(listed)) == "unsupported_archive"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [7, 1_000, 1 << 20])
def test_members_come_out_whole(monkeypatch, method, size):
    """However little is read at once, and though others read from the same file meanwhile."""
    monkeypatch.setattr(ReadPolicy, "zip_slice_bytes", size)
    file = io.BytesIO(zipped({"a": TEXT, "b": TEXT[::-1]}, method))
    first, second = (zips.extract(file, entry) for entry in zips.entries(file, 10))
    begun = next(first)
    assert b"".join(second) == TEXT[::-1]
    assert begun + b"".join(first) == TEXT


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_byte_is_found_at_the_end(method):
    """By the checksum, or by what inflates it."""
    body = bytearray(zipped({"a": TEXT}, method))
    body[300] ^= 0x55
    file = io.BytesIO(bytes(body))
    (entry,) = zips.entries(file, 10)
    assert refused(lambda: list(zips.extract(file, entry))) == "bad_zip"


def test_bytes_are_spooled_to_a_file_without_a_name(tmp_path):
    """It is gone at the end, also where that comes early."""
    with zips.spooled(iter([b"ab", b"c"]), tmp_path) as file:
        assert list(zips.read(file)) == [b"abc"]
        assert list(tmp_path.iterdir()) == []
