"""A file's profile for people in a terminal and for machines. Values are masked wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.console.terminal import grid, out, plain, size

if TYPE_CHECKING:
    from lakehouse.ingest.profile.profile import ColumnProfile, Profile

KINDS = {"delimited": "delimited text", "json_lines": "JSON", "parquet": "Parquet"}
_DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}


def as_json(name: str, found: Profile) -> dict[str, Any]:
    """Return a profile under the names that `sources profile --json` uses; shares are 0 to 1, of six digits."""
    return {
        "file": name,
        "bytes": found.bytes,
        "kind": found.kind,
        "delimiter": found.delimiter or None,
        "rows": found.rows,
        "unreadable": found.unreadable,
        "sampled": found.sampled,
        "header_looks_like_a_row": found.headless,
        "columns_left_out": found.left_out,
        "columns": [_column(column, found.rows) for column in found.columns],
    }


def _column(column: ColumnProfile, rows: int) -> dict[str, Any]:
    described = column.found
    return {
        "position": column.position,
        "header": column.header,
        "filled": column.filled,
        "filled_share": round(column.filled / rows, 6) if rows else 0.0,
        "type": described.type,
        "parses": round(described.parses, 6),
        "loads": round(column.loads, 6),
        "formats": _rounded(described.formats),
        "nothing": round(described.null_words, 6),
        "min_length": column.lengths[0] if column.lengths else None,
        "max_length": column.lengths[1] if column.lengths else None,
        "distinct": column.distinct,
        "distinct_is_exact": column.exact,
        "key": column.key,
        "personal": [
            {"kind": one.kind, "share": round(one.share, 6), "header": one.hinted}
            for one in described.personal
        ],
        "samples_masked": list(described.samples),
    }


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 6) for name, share in shares.items()}


def told(found: Profile) -> list[str]:
    """Return what is to be said of the file as a whole, in sentences."""
    lines = [f"{code}: {count:,} rows cannot be read" for code, count in found.unreadable.items()]
    if found.headless:
        lines.append(
            "The first line looks like a row, not like a header; names are masked, and its row is not counted."
        )
    if found.left_out:
        lines.append(f"{found.left_out:,} more columns were left out.")
    if found.sampled < found.rows:
        lines.append(
            f"Types, formats and what is personal are of {found.sampled:,} rows, spread over the file."
        )
    return lines


def headline(found: Profile) -> str:
    """Return what the file is, in a line."""
    mark = f", delimiter {_DELIMITERS.get(found.delimiter, found.delimiter)}" if found.delimiter else ""
    return (
        f"{size(found.bytes)}, {KINDS[found.kind]}{mark}, {found.rows:,} rows, {len(found.columns):,} columns"
    )


def percent(share: float) -> str:
    """Return a share as per cent; what is not all is never shown as 100 %, what is something never as 0 %."""
    if 0 < share < 0.001:  # noqa: PLR2004
        return "<0.1 %"
    if 0.999 < share < 1:  # noqa: PLR2004
        return ">99.9 %"
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")


def type_of(column: ColumnProfile) -> str:
    """Return a column's type, with how much parses as it and how much would load where that is not all."""
    text = column.found.type
    if column.found.parses < 1:
        text += f", {percent(column.found.parses)} parse"
    return text + (
        f", {percent(column.loads)} load as they stand" if column.loads < column.found.parses else ""
    )


def distinct_of(column: ColumnProfile) -> str:
    """Return how many distinct values there are, and whether they make a key."""
    return f"{'' if column.exact else '~'}{column.distinct:,}{', key' if column.key else ''}"


def length_of(column: ColumnProfile) -> str | None:
    """Return the fewest and most characters."""
    if column.lengths is None:
        return None
    least, most = column.lengths
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"


def personal_of(column: ColumnProfile) -> str:
    """Return which personal data the column seems to hold."""
    return ", ".join(f"{one.kind.replace('_', ' ')} {percent(one.share)}" for one in column.found.personal)


def formats_of(column: ColumnProfile) -> str:
    """Return how values are written, and how many say that there is none."""
    shown = [f"{name} {percent(share)}" for name, share in column.found.formats.items()]
    return "; ".join(
        shown + ([f"words for nothing {percent(column.found.null_words)}"] if column.found.null_words else [])
    )


def show_profile(name: str, found: Profile) -> None:
    """Print a profile."""
    rows = [
        [
            plain(column.header),
            percent(column.filled / found.rows if found.rows else 0.0),
            type_of(column),
            formats_of(column) or None,
            length_of(column),
            distinct_of(column),
            personal_of(column) or None,
            " │ ".join(column.found.samples) or None,
        ]
        for column in found.columns
    ]
    names = ("column", "filled", "type", "written as", "length", "distinct", "personal", "masked samples")
    out.print(f"{plain(name)}: {plain(headline(found))}", markup=False, soft_wrap=True)
    out.print(grid("", names, rows))
    for line in told(found):
        out.print(line, markup=False, soft_wrap=True)
