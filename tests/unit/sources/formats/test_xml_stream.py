"""XML is parsed as it streams by, within limits."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats.policy import SheetPolicy, WorkbookPolicy
from lakehouse.sources.formats.xml_stream import elements, refuse_long_text, slices


def test_elements_come_in_order_without_prefix():
    """Wherever the text is cut."""
    xml = b'<x:a xmlns:x="u"><x:b c="1"/><d x:e="2"/></x:a>'
    found = list(elements(xml[start : start + 5] for start in range(0, len(xml), 5)))
    assert [name for name, _ in found] == ["a", "b", "d"]
    assert [attributes for _, attributes in found[1:]] == [{"c": "1"}, {"x:e": "2"}]


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<a><b></a>", "bad_xlsx"),
        (b"<a>", "bad_xlsx"),
        (b"<!DOCTYPE a><a/>", "bomb"),
        (b"<a>" * 4 + b"</a>" * 4, "bomb"),
        (b"<a" + b" " * 200 + b"/>", "bomb"),
    ],
)
def test_what_no_workbook_holds_is_refused(monkeypatch, xml, code):
    """Damage, document types, depth, size."""
    monkeypatch.setattr(WorkbookPolicy, "max_depth", 3)
    monkeypatch.setattr(WorkbookPolicy, "max_part_bytes", 100)
    with pytest.raises(BadFile) as refused:
        list(elements(iter([xml])))
    assert refused.value.code == code


def test_a_text_longer_than_a_cell_is_refused(monkeypatch):
    """However many pieces the parser hands it out in."""
    monkeypatch.setattr(WorkbookPolicy, "max_cell_characters", 5)
    refuse_long_text(["abc", "de"])
    with pytest.raises(BadFile) as refused:
        refuse_long_text(["abc", "def"])
    assert refused.value.code == "too_long"


def test_chunks_are_cut_into_slices(monkeypatch):
    """So that a parser holds little at once."""
    monkeypatch.setattr(SheetPolicy, "slice_bytes", 2)
    assert list(slices(iter([b"abcde", b"", b"f"]))) == [b"ab", b"cd", b"e", b"f"]
