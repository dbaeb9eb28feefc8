"""Names of companies without their legal form, so that `Acme Ltd.` and `ACME Limited` compare equal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lakehouse.identity.normalise.policy import NamePolicy
from lakehouse.identity.normalise.sounds import HAN

_LEGAL_FORMS: Final = frozenset(
    [
        "ltd",
        "limited",
        "inc",
        "incorporated",
        "corp",
        "corporation",
        "co",
        "company",
        "llc",
        "llp",
        "lp",
        "plc",
        "pty",
        "gmbh",
        "mbh",
        "ag",
        "kg",
        "kgaa",
        "ohg",
        "gbr",
        "ug",
        "ev",
        "se",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "ab",
        "as",
        "oy",
        "oyj",
        "aps",
        "kk",
        "pte",
        "bhd",
        "sdn",
        "sro",
        "zoo",
        "doo",
        "kft",
    ]
)
_JOINED: Final = frozenset({"and", "und", "et", "the", "of"})
_CHINESE_FORM: Final = re.compile(
    r"(?:集团)?(?:股份|控股)?(?:有限责任|有限)?(?:公司|企业|厂|商行|事务所|合伙企业)?(?:分公司)?$"
)
_DOTTED: Final = re.compile(r"\b(?:[a-z]\.){2,}")
_ASIDE: Final = re.compile(r"\([^)]*\)")


def company_name(text: str | None) -> str:
    """Return a company's name folded and without its legal form; '' where nothing is said.

    A name that is a legal form alone stays as it is. What stands in brackets of a Chinese name is the place of a branch
    and goes (腾讯（深圳）有限公司). What is longer than `NamePolicy.longest_name` characters is no name.
    """
    if not text or len(text) > NamePolicy.longest_name:
        return ""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if HAN.search(folded):
        bare = re.sub(r"[^\w]+", "", _ASIDE.sub("", folded))
        return _CHINESE_FORM.sub("", bare) or bare
    undotted = _DOTTED.sub(lambda found: found.group().replace(".", ""), folded)
    plain = re.sub(r"[\u0300-\u036f']", "", unicodedata.normalize("NFD", undotted)).replace("&", " and ")
    words = [word for word in re.sub(r"[^\w]+", " ", plain).split() if word not in _JOINED]
    named = list(words)
    while len(named) > 1 and named[-1] in _LEGAL_FORMS:
        named.pop()
    return " ".join(named if named[-1:] and named[-1] not in _LEGAL_FORMS else words)
