"""Patterns of JSON's bytes, by which records are found at the speed of regular expressions.

They tell brackets and strings apart, no more: whether a value is sound is for its reader to say.
"""

from __future__ import annotations

import re
from typing import Final

# Patterns are written out to these depths; what is deeper is found by counting brackets.
_RECORD_DEPTH: Final = 8  # compiling takes longer with each level, and records of CRMs are not as deep
_META_DEPTH: Final = 3
_SPACE = rb"[ \t\r\n]*+"
_PLAIN = rb'[^"\[\]{}]*+'
_STRING = rb'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"'


def _nested(depth: int) -> bytes:
    """Return the pattern of an object or array of up to this depth, whose strings hold no line break."""
    inner = rb"|" + _nested(depth - 1) + _PLAIN if depth > 1 else b""
    return rb"[\[{]" + _PLAIN + rb"(?:(?:" + _STRING + _PLAIN + rb")++" + inner + rb")*+[\]}]"


RECORD = re.compile(_SPACE + rb"(" + _nested(_RECORD_DEPTH) + rb")")
# The separator is part of the match: a number at the end of the buffer may go on.
ELEMENT = re.compile(
    _SPACE
    + rb"("
    + _nested(_RECORD_DEPTH)
    + rb"|"
    + _STRING
    + rb'|[^ \t\r\n"\[\]{},:]++)'
    + _SPACE
    + rb"([,\]])"
)
BLANK = re.compile(_SPACE)
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|"|[\[{]++|[\]}]++', re.DOTALL)
SCALAR = re.compile(rb'[^ \t\r\n"\[\]{},:]++')
STRING_OR_BREAK = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\r\n]', re.DOTALL)

# What CRMs and their APIs put around their records: pages and counts before them, and by which name they call them.
_COUNTS = (
    rb"total|total_?size|total_?count|count|page|pages|per_?page|page_?size|limit|offset|done|next|previous"
    rb"|has_?more|cursor|status|code|success|ok|message|object|@odata\.[a-z]+"
)
_META = rb"meta|metadata|paging|pagination|links|_links"
_PAIR = (
    rb'"(?:(?:' + _COUNTS + rb')"\s*:\s*(?:' + _STRING + rb"|[-+.0-9a-z]++)"
    rb"|(?:" + _META + rb')"\s*:\s*' + _nested(_META_DEPTH) + rb")\s*,\s*"
)
WRAPPER = re.compile(
    rb"\{\s*(?:" + _PAIR + rb')*+"(?:data|records|results|rows|value|batch)"\s*:\s*\[(?=\s*[{\]])',
    re.IGNORECASE,
)
META_KEY = re.compile(rb'"(?:' + _META + rb')"', re.IGNORECASE)
