"""How many cells the rows of a delimited text may have: as the header, or more where its rows end in delimiters.

`7,Smith, John,a@b.c,` below `id,name,email,city` has a cell too many, and an empty one at its end: a comma that nobody
quoted moved all behind it. Another file writes a delimiter at the end of each row. Which of both it is says the file:
its header ends so, or nearly all of its first rows do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.ingest.reading.policy import HeaderPolicy, RowEndPolicy
from lakehouse.ingest.reading.split_rows import RowSplitter, content_of

if TYPE_CHECKING:
    from lakehouse.ingest.reading.delimited_header import DelimitedHeader
    from lakehouse.ingest.reading.split_rows import TextRow


def most_cells(head: bytes, header: DelimitedHeader) -> int:
    """Return how many cells a row may have at most, from a file's first bytes: the file's, whatever its pieces are.

    Those behind the header's last name must be empty, which is asked of each row.
    """
    width = len(header.names)
    splitter = RowSplitter(header.delimiter, width)
    places = [place for place, name in enumerate(splitter.cells(header.line), 1) if content_of(name)]
    named = max(places, default=width)  # columns up to the last one that has a name
    rows = list(splitter.rows(head[header.bytes_above :]))[1:]
    if rows and len(head) >= HeaderPolicy.head_bytes:
        rows.pop()  # it may go on behind these bytes
    counts = [_cells_shown(splitter, row, named, width) for row in rows]
    is_quoted = any(b'"' in row.text for row in rows)
    return _most_shown(counts, named, width, is_quoted=is_quoted)


def _most_shown(counts: list[int], named: int, width: int, *, is_quoted: bool) -> int:
    """Return how many cells the first rows show; `counts` are those of rows that end in delimiters, 0 of others.

    One row is enough where cells are quoted: whoever does that quotes one with a delimiter in it.
    """
    longer = sorted(filter(None, counts))
    share = len(longer) / len(counts) if counts else 0.0
    is_evidence = is_quoted or len(counts) >= RowEndPolicy.least_rows
    if is_evidence and share >= RowEndPolicy.usual_share:
        return max(width, longer[len(longer) // 2])
    is_against_header = len(counts) >= RowEndPolicy.least_rows_against_header
    return named if is_against_header and share <= 1 - RowEndPolicy.usual_share else width


def _cells_shown(splitter: RowSplitter, row: TextRow, named: int, width: int) -> int:
    """Return how many cells a row has that ends in delimiters; 0 for another one."""
    is_longer = row.fields > named and _shows_end(splitter.cells(row.text), width)
    return row.fields if is_longer else 0


def _shows_end(cells: list[bytes], width: int) -> bool:
    """Return whether a row's cells speak of delimiters at its end: none of them begins as the rest of a text does.

    That is with a blank, where others do not: Smith, John.
    """
    if not cells or (len(cells) > width and content_of(cells[-1])):
        return False
    begin_blank = [cell.startswith(b" ") for cell in cells[1:] if content_of(cell)]
    return not any(begin_blank) or (all(begin_blank) and len(begin_blank) > 1)
