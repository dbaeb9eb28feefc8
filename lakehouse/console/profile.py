"""A file's profile for people in a terminal and for machines. Values are masked wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.console.terminal import counted, grid, out, plain, size

if TYPE_CHECKING:
    from lakehouse.ingest.profile.profile import ColumnProfile, Profile

KINDS = {"delimited": "delimited text", "json_lines": "JSON", "parquet": "Parquet"}
_DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}


def as_json(name: str, profile: Profile) -> dict[str, Any]:
    """Return a profile under the names that `sources profile --json` uses; shares are 0 to 1, of six digits."""
    return {
        "file": name,
        "bytes": profile.bytes,
        "kind": profile.kind,
        "delimiter": profile.delimiter or None,
        "rows": profile.rows,
        "unreadable": profile.unreadable,
        "sampled": profile.sampled,
        "header_looks_like_a_row": profile.headless,
        "columns_left_out": profile.left_out,
        "parts_not_read": [{"name": part.name, "reason": part.reason} for part in profile.unread_parts],
        "columns": [_column(column, profile.rows) for column in profile.columns],
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
            {"kind": personal.kind, "share": round(personal.share, 6), "header": personal.hinted}
            for personal in described.personal
        ],
        "samples_masked": list(described.samples),
    }


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 6) for name, share in shares.items()}


def notes(profile: Profile) -> list[str]:
    """Return what is to be said of the file as a whole, in sentences."""
    lines = [f"{code}: {counted(count, 'row')} cannot be read" for code, count in profile.unreadable.items()]
    lines += [f"Not read: {part.name}: {part.reason}" for part in profile.unread_parts]
    if profile.headless:
        lines.append(
            "The first line looks like a row, not like a header; names are masked, and its row is not counted."
        )
    if profile.left_out:
        lines.append(f"{profile.left_out:,} more columns were left out.")
    if profile.sampled < profile.rows:
        lines.append(
            f"Types, formats and what is personal are of {profile.sampled:,} rows, spread over the file."
        )
    return lines


def headline(profile: Profile) -> str:
    """Return what the file is, in a line."""
    kind = KINDS[profile.kind]
    if profile.delimiter:
        kind += f", delimiter {_DELIMITERS.get(profile.delimiter, profile.delimiter)}"
    return f"{size(profile.bytes)}, {kind}, {counted(profile.rows, 'row')}, {counted(len(profile.columns), 'column')}"


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
    return ", ".join(
        f"{personal.kind.replace('_', ' ')} {percent(personal.share)}" for personal in column.found.personal
    )


def formats_of(column: ColumnProfile) -> str:
    """Return how values are written, and how many say that there is none."""
    shown = [f"{name} {percent(share)}" for name, share in column.found.formats.items()]
    return "; ".join(
        shown + ([f"words for nothing {percent(column.found.null_words)}"] if column.found.null_words else [])
    )


def show_profile(name: str, profile: Profile) -> None:
    """Print a profile."""
    rows = [
        [
            plain(column.header),
            percent(column.filled / profile.rows if profile.rows else 0.0),
            type_of(column),
            formats_of(column) or None,
            length_of(column),
            distinct_of(column),
            personal_of(column) or None,
            ", ".join(column.found.samples) or None,
        ]
        for column in profile.columns
    ]
    names = ("column", "filled", "type", "written as", "length", "distinct", "personal", "masked samples")
    out.print(f"{plain(name)}: {plain(headline(profile))}", markup=False, soft_wrap=True)
    out.print(grid("", names, rows))
    for line in notes(profile):
        out.print(line, markup=False, soft_wrap=True)
