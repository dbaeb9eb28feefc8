"""The XML of a workbook's parts as a stream: a parser that builds no tree, and limits on what it has to hold.

A document type, from which entities that blow up come, is refused, and so is depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.parsers import expat

from lakehouse.errors import BadFile
from lakehouse.sources.formats.policy import SheetPolicy, WorkbookPolicy

Attributes = dict[str, str]


def elements(chunks: Iterator[bytes]) -> Iterator[tuple[str, Attributes]]:
    """Yield name and attributes of each element of a part that may be read at once; names without prefix.

    Raises BadFile (bomb) for a part larger than `WorkbookPolicy.max_part_bytes`.
    """
    started: list[tuple[str, Attributes]] = []
    parser = limited_parser(
        lambda name, attributes: started.append((name, attributes)), on_end=lambda _name: None
    )
    feed = Feed(parser)
    size, limit = 0, WorkbookPolicy.max_part_bytes
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BadFile("bomb", f"a part of the workbook is larger than {limit >> 20} MiB")
        feed(chunk)
        yield from started
        started.clear()
    feed(b"", last=True)


def limited_parser(
    on_start: Callable[[str, Attributes], None], on_end: Callable[[str], None]
) -> expat.XMLParserType:
    """Return a parser that calls both with names without prefix, and raises BadFile (bomb) for too much depth."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start_element(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > WorkbookPolicy.max_depth:
            raise too_deep()
        on_start(name.rpartition(":")[2], attributes)

    def end_element(name: str) -> None:
        nonlocal depth
        depth -= 1
        on_end(name.rpartition(":")[2])

    parser.StartDoctypeDeclHandler = refuse_document_type
    parser.StartElementHandler = start_element
    parser.EndElementHandler = end_element
    return parser


class Feed:
    """Bytes on their way into a parser, which holds what it cannot tell yet: a tag without end, say."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._fed_bytes = 0

    def __call__(self, chunk: bytes, *, last: bool = False) -> None:
        """Parse the next bytes; BadFile: bad_xlsx for what is no XML, bomb for a tag that is too long."""
        self._fed_bytes += len(chunk)
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            raise BadFile("bad_xlsx", "the workbook's XML is damaged; save it again") from error
        limit = WorkbookPolicy.max_cell_characters
        if self._fed_bytes - self._parser.CurrentByteIndex > limit:
            raise BadFile("bomb", f"a tag in the workbook's XML is longer than {limit >> 20} MiB")


def slices(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks in slices, so that what one of them holds stays small."""
    size = SheetPolicy.slice_bytes
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]


def refuse_long_text(texts: list[str]) -> None:
    """Raise BadFile (too_long) where the pieces of one text are together longer than a cell may be."""
    limit = WorkbookPolicy.max_cell_characters
    if len(texts) > 1 and sum(map(len, texts)) > limit:
        raise BadFile("too_long", f"a cell holds more than {limit >> 20} million characters")


def refuse_document_type(*_about: object) -> None:
    """Raise BadFile (bomb)."""
    raise BadFile("bomb", "the workbook's XML declares a document type, which no workbook does")


def too_deep() -> BadFile:
    """Return the error for XML that is nested deeper than a workbook's."""
    return BadFile("bomb", "the workbook's XML is nested as that of no workbook is")
