"""A file's profile as one HTML page that needs nothing else: no script, no picture, no address."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lakehouse.console import profile as words
from lakehouse.console.terminal import plain

if TYPE_CHECKING:
    from lakehouse.ingest.profile.profile import ColumnProfile, Profile

_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --dim: #57606a; --bar: #2f6fde; --track: #e6e9ee; --flag: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a414a; --dim: #9aa4af; --bar: #6ea3ff; --track: #2a3038; --flag: #ff8a80; }
  body { background: #14171b; color: #e4e8ec; }
}
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
.dim { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .4rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { display: block; font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.personal { color: var(--flag); }
.track { background: var(--track); border-radius: 3px; height: .5rem; width: 7rem; }
.bar { background: var(--bar); border-radius: 3px; height: 100%; }
"""
_NAMES = ("#", "column", "filled", "type", "written as", "length", "distinct", "personal", "masked samples")


def page(name: str, found: Profile) -> str:
    """Return the page. Whatever comes from the file is escaped, and no rule lets the page load anything."""
    head = "".join(f"<th scope=col>{escape(word)}</th>" for word in _NAMES)
    rows = "\n".join(_row(column, found.rows) for column in found.columns)
    notes = "".join(f"<p>{_text(line)}</p>" for line in words.notes(found))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Profile of {_text(name)}</title><style>{_STYLE}</style></head>\n<body><h1>{_text(name)}</h1>"
        f'<p class=dim>{_text(words.headline(found))}</p>{notes}<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div></body></html>\n"
    )


def _row(column: ColumnProfile, rows: int) -> str:
    share = column.filled / rows if rows else 0.0
    samples = "".join(f"<code>{_text(sample)}</code>" for sample in column.found.samples)
    return (
        f"<tr><td class=number>{column.position}</td><th scope=row>{_text(column.header)}</th>"
        f'<td>{_text(words.percent(share))}<div class="track">'
        f'<div class="bar" style="width:{share:.1%}"></div></div></td>'
        f"<td>{_text(words.type_of(column))}</td><td>{_text(words.formats_of(column))}</td>"
        f"<td class=number>{_text(words.length_of(column) or '–')}</td>"
        f"<td class=number>{_text(words.distinct_of(column))}</td>"
        f"<td class=personal>{_text(words.personal_of(column))}</td><td>{samples}</td></tr>"
    )


def _text(text: str) -> str:
    """Return a text as HTML; control characters are shown, not obeyed."""
    return escape(plain(text))
