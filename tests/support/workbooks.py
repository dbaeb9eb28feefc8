"""Workbooks as CRMs write them, made of the few parts that matter."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.packed_files import zipped

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = (0, 14, 22, 46, 164, 165, 166, 167)
CODES = {164: '"d"0.00', 165: "yyyy\\-mm\\-dd;@", 166: "[$-804]yyyy年m月d日 hh:mm", 167: "[Red]#,##0"}


def cell(value: object, style: int = 0) -> str:
    """Return a cell without a reference; `value` may be a whole cell's XML."""
    if isinstance(value, str) and value.startswith("<c"):
        return value
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c s="{style}"><v>{value}</v></c>'
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def rows(*values: Sequence[object]) -> str:
    """Return the XML of rows of values."""
    return "".join(f"<row>{''.join(map(cell, row))}</row>" for row in values)


def book(
    *sheets: str,
    shared: str = "",
    states: Sequence[str] = (),
    from_1904: bool = False,
    head: str = "",
    merged: Sequence[str] = (),
    **parts: bytes,
) -> bytes:
    """Return a workbook; each sheet is the XML of its rows, named s1, s2, ...; `head` stands before a sheet's root.

    `merged` are the merged cells of every sheet, such as A1:B2.
    """
    cells = "".join(f'<mergeCell ref="{place}"/>' for place in merged)
    tail = f'<mergeCells count="{len(merged)}">{cells}</mergeCells>' if merged else ""
    entries = "".join(
        f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}" state="{(states or ("visible",) * n)[n - 1]}"/>'
        for n in range(1, len(sheets) + 1)
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    codes = "".join(
        f'<numFmt numFmtId="{n}" formatCode="{c.replace(chr(34), "&quot;")}"/>' for n, c in CODES.items()
    )
    xfs = "".join(f'<xf numFmtId="{n}"/>' for n in STYLES)
    files = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="a" Type="{_LINKS}/officeDocument" '
        'Target="/xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><workbookPr date1904="{int(from_1904)}"/>'
        f"<sheets>{entries}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELS}">{links}'
        f'<Relationship Id="s" Type="{_LINKS}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="t" Type="{_LINKS}/styles" Target="styles.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
        f"</cellStyleXfs><cellXfs>{xfs}</cellXfs></styleSheet>",
    }
    for n, sheet in enumerate(sheets, start=1):
        files[f"xl/worksheets/sheet{n}.xml"] = (
            f'{head}<worksheet xmlns="{_MAIN}"><sheetData>{sheet}</sheetData>{tail}</worksheet>'
        )
    return zipped({name: text.encode() for name, text in files.items()} | parts)
