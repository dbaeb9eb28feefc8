"""Tunable numbers of reading what raw files are written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import GIB, KIB, MIB, Policy


@dataclass(frozen=True)
class KindPolicy(Policy):
    """How the kind of a file is recognised by its first bytes."""

    lines: Annotated[int, "first lines of text that are looked at"] = 20


@dataclass(frozen=True)
class EncodingPolicy(Policy):
    """How the encoding of text is recognised. "One in n": at most one byte or character of n may be so."""

    head_bytes: Annotated[int, "first bytes by which UTF-16 and binary files are recognised"] = 4 * KIB
    window_bytes: Annotated[
        int, "bytes, from the first that is not ASCII on, by which UTF-8 and GB 18030 are recognised"
    ] = 64 * KIB
    nul_one_in: Annotated[int, "NUL bytes of text that is not UTF-16"] = 100
    few_nuls: Annotated[int, "NUL bytes that make no text binary, however short it is"] = 1
    control_one_in: Annotated[int, "control characters, or characters that are no UTF-8, of text"] = 20
    utf16_strange_one_in: Annotated[int, "unassigned and control characters of text in UTF-16"] = 50
    nul_in_utf8_one_in: Annotated[int, "NUL bytes of UTF-8 in which a sender writes NUL for something"] = 4
    stray_one_in: Annotated[
        int, "bytes within words that are no UTF-8, of a file that is read all the same: they cost their rows"
    ] = 10_000
    thin_characters: Annotated[
        int,
        "characters that are UTF-8, at most, which may be so by chance where one makes no sense in its word",
    ] = 3
    sure_letters: Annotated[
        int,
        "different letters of UTF-8 from which on a text is believed to be that, and not what is stated of it",
    ] = 2
    sound_for_broken: Annotated[
        int, "characters that are UTF-8 for each that is not, from which on they are believed, however alike"
    ] = 4
    checked_line_bytes: Annotated[
        int, "bytes of a line, at most, of which it is asked whether it has the file's encoding"
    ] = 1 * MIB


@dataclass(frozen=True)
class ChinesePolicy(Policy):
    """How GB 18030 is recognised. "One in n": at most one character of n may be so."""

    broken_one_in: Annotated[int, "broken characters"] = 50
    other_one_in: Annotated[int, "characters outside of GB 2312"] = 5
    rare_one_in: Annotated[int, "characters of the second level of GB 2312 among the Chinese ones"] = 3
    evidence: Annotated[int, "different characters that are common, more than others, at least"] = 7
    different_characters: Annotated[int, "first different characters that are counted"] = 60
    letters_of_names: Annotated[
        int, "letters beyond ASCII of names that a mapping expects, which prove an encoding"
    ] = 4


@dataclass(frozen=True)
class JsonPolicy(Policy):
    """How JSON becomes lines."""

    max_element_bytes: Annotated[int, "bytes of one element, which becomes a line"] = 4 * MIB
    read_bytes: Annotated[int, "bytes that are added to the buffer at once, at least"] = 256 * KIB
    write_bytes: Annotated[int, "bytes of lines that are handed on at once, about"] = 1 * MIB
    wrapper_bytes: Annotated[int, "bytes in which the array of records that an object wraps must begin"] = (
        64 * KIB
    )


@dataclass(frozen=True)
class ParquetPolicy(Policy):
    """What a Parquet footer may say without being taken for damaged or for a bomb."""

    max_footer_bytes: Annotated[int, "bytes of the footer"] = 16 * MIB
    max_columns: Annotated[int, "columns, those within structures counted"] = 5_000
    free_rows: Annotated[int, "rows that any file may have"] = 1_000_000
    max_rows_a_byte: Annotated[
        int, "rows for each byte of a larger file: real rows hold something of their own"
    ] = 100
    free_bytes: Annotated[int, "unpacked bytes that any file may have"] = 64 * MIB
    max_ratio: Annotated[int, "unpacked bytes for each byte of a larger file"] = 300
    rewritten_rows: Annotated[int, "rows in memory where a file is written anew for its wide decimals"] = (
        10_000
    )
    max_thrift_depth: Annotated[int, "levels of structures within structures in the footer"] = 24
    max_thrift_values: Annotated[int, "values in the footer that are skipped, at most"] = 4_000_000


@dataclass(frozen=True)
class WorkbookPolicy(Policy):
    """What a workbook may hold without being refused as a bomb or as too large."""

    max_parts: Annotated[int, "files in its zip"] = 10_000
    free_bytes: Annotated[int, "unpacked bytes that any workbook may have"] = 64 * MIB
    max_ratio: Annotated[int, "unpacked bytes for each byte of a larger workbook"] = 300
    max_bytes: Annotated[int, "unpacked bytes of the largest workbook"] = 2 * GIB
    max_part_bytes: Annotated[
        int, "bytes of a part that is read at once: relations, styles, names of sheets"
    ] = 16 * MIB
    max_depth: Annotated[int, "levels of elements within elements"] = 32
    max_cell_characters: Annotated[int, "characters of one cell or tag; Excel writes up to 32,767"] = 4 * MIB
    max_string_bytes: Annotated[int, "bytes in memory of all strings that cells share"] = 256 * MIB
    max_merged_cells: Annotated[int, "merged cells of a sheet"] = 200_000
    max_merged_values: Annotated[int, "values that merged cells add to the rows below"] = 20_000_000


@dataclass(frozen=True)
class SheetPolicy(Policy):
    """How a sheet becomes CSV."""

    header_rows: Annotated[int, "first rows that are looked at to find the header"] = 20
    write_bytes: Annotated[int, "bytes of CSV that are handed on at once, about"] = 1 * MIB
    slice_bytes: Annotated[int, "bytes of XML that are parsed at once"] = 64 * KIB
