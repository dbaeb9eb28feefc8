"""Which sheet of a workbook is read, and by what its parts are found."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats.workbook import Workbook

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class FakeParts(dict):
    """Parts in memory."""

    def read(self, name):
        yield self[name].encode()


def parts(*sheets, main="xl/workbook.xml", relation="worksheet"):
    """Return a workbook of sheets, each (name, state), whose only value is its name."""
    listed = "".join(
        f'<sheet name="{name}" state="{state}" r:id="r{number}"/>'
        for number, (name, state) in enumerate(sheets)
    )
    links = "".join(
        f'<Relationship Id="r{number}" Type="{RELATIONS}/{relation}" Target="sheets/{number}.xml"/>'
        for number in range(len(sheets))
    )
    content = {
        "_rels/.rels": f'<r><Relationship Id="m" Type="{RELATIONS}/officeDocument" Target="/{main}"/></r>',
        main: f'<workbook xmlns:r="{RELATIONS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<r>{links}</r>",
    }
    for number, (name, _) in enumerate(sheets):
        cell = f'<c t="str"><v>{name}</v></c>'
        content[f"xl/sheets/{number}.xml"] = (
            f"<worksheet><sheetData><row>{cell}</row></sheetData></worksheet>"
        )
    return FakeParts(content)


SHEETS = (("a", "hidden"), ("b", "visible"), ("c", "veryHidden"), ("d", "visible"))


@pytest.mark.parametrize(("name", "value"), [(None, b"b"), ("a", b"a"), ("c", b"c"), ("d", b"d")])
def test_the_first_visible_sheet_or_the_named_one(name, value):
    """A hidden one by its name alone."""
    book = Workbook(parts(*SHEETS))
    assert list(book.rows(book.choose(name))) == [{0: value}]


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (parts(*SHEETS), "e", "no sheet of the name"),
        (parts(("a", "hidden")), None, "no visible sheet"),
        (parts(("a", "visible"), relation="chartsheet"), None, "no visible sheet"),
        (parts(("a", "visible"), main="xl/workbook.bin"), None, "xlsb"),
    ],
)
def test_a_workbook_without_such_a_sheet_is_refused(content, name, problem):
    """The reason says what is missing."""
    with pytest.raises(BadFile, match=problem):
        Workbook(content).choose(name)
