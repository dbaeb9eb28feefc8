"""Normal forms of identifiers, so that two spellings of one identifier are equal text.

Who resolves identities and who looks one up ask here, each of every distinct value. The plain spellings (`PLAIN_EMAIL`,
a Chinese mobile) are settled by SQL (`create_plain`); whatever is unusual is judged by email-validator and
phonenumbers. Tests hold both ways to the same answers.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from lakehouse.engine import ids
from lakehouse.engine.escape import literal
from lakehouse.engine.ids import BLANKS
from lakehouse.engine.policy import NormalFormPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The types of identifiers that have one; others have that of `lakehouse.engine.ids`.
KINDS = ids.CONTACT_TYPES

# E-mails that need no library: plain ASCII, dot-atom, a domain of letters. Shorter than 64 characters, so no
# label is too long; '--' and special-use domains go the long way.
PLAIN_EMAIL = (
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
PLAIN_EMAIL_LENGTH: Final = 64  # below RFC 1035's longest label

# An address as mail programs show it, `Ann Lee <ann@example.com>`, and as a link, `mailto:ann@example.com?subject=…`.
_SHOWN_EMAIL = re.compile(r"[^<>]*<([^<>]+)>")
_LINKED_EMAIL = re.compile(r"mailto:([^?]*)(?:\?.*)?", re.DOTALL)
EMAIL_DIVIDERS: Final = "[;,|]"  # pattern of what stands between e-mails of one cell
EMAIL_SEPARATOR: Final = "|"  # of the normal forms of several e-mails in one cell
# By one apostrophe Excel is kept from reading a cell.
_QUOTED_EMAIL = re.compile(r"""(["'`])(.*)\1|'(.*)""", re.DOTALL)
_EMAIL_LENGTH: Final = 254  # RFC 5321, with errata 1690 of RFC 3696

# A Chinese mobile as people write it: 11 digits, or grouped 3-4-4. Other groupings are read as American,
# since 1-380-555-0100 has eleven digits too.
CN_MOBILE_SHAPE = r"(?:\+86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
_CN_GUESS = re.compile(r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", re.ASCII)
# What pages and phones put between letters and nobody sees: soft hyphen, no space at all, directions of writing.
_UNSEEN = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF]
)
# A switchboard's extension as it is written in China: 010-88886666转801, and behind a hyphen.
_CN_EXTENSION = re.compile(r"\s*(?:转接?|轉接?|分机号?|分機號?|内线|內線)[:\s]*(?=\d)")
_CN_HYPHEN = re.compile(r"((?:\+?86[ -]?)?\(?0?[1-9]\d{1,2}\)?[ -]?\d{7,8})-(\d{1,6})", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.ASCII | re.IGNORECASE)
_DEFAULT_REGION = "US"


def email(value: str) -> str | None:
    """Return the e-mail address in lower case with an ASCII domain, or None if it is no address.

    NFKC first, so that full-width letters and `＠` count as typed. Of `Ann Lee <ann@example.com>` and of a link
    (`mailto:`) it is the address; quotes around it, a dot behind it and what nobody sees are none of it. Reserved
    domains (`example.com`, `.test`) pass; nothing is looked up.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 50 ms, only when used

    typed = value.strip(BLANKS + "\0")[: NormalFormPolicy.longest_text].translate(_UNSEEN)
    text = _nfkc_lower(typed).strip(BLANKS)
    for form in (_SHOWN_EMAIL, _LINKED_EMAIL):
        if found := form.fullmatch(text):
            text = found[1].strip(BLANKS)
    if quoted := _QUOTED_EMAIL.fullmatch(text):
        text = (quoted[2] or quoted[3] or "").strip(BLANKS)
    text = text.rstrip("." + BLANKS)
    if len(text) > _EMAIL_LENGTH:  # before the library walks through a megabyte that someone pasted
        return None
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{valid.local_part}@{valid.ascii_domain}"


def phone(value: str, region: str | None = None) -> str | None:
    """Return the phone number as E.164 (`;ext=` follows an extension, as in RFC 3966), or None if not valid.

    `region` (ISO 3166 alpha-2) says whose national format it is; without a known one, what looks like a
    Chinese mobile is Chinese and the rest American. What a spreadsheet has rounded (`1.38E+10`) is lost.
    """
    import phonenumbers  # noqa: PLC0415 - 50 ms, only when used

    text = unicodedata.normalize("NFKC", value.translate(_UNSEEN)).strip(BLANKS)
    text = _CN_EXTENSION.sub(" ext. ", text)
    if _SCIENTIFIC.fullmatch(text):
        return None
    country = (region or "").strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        country = "CN" if _CN_GUESS.fullmatch(text) else _DEFAULT_REGION
    if country == "CN" and (switchboard := _CN_HYPHEN.fullmatch(text)):
        text = f"{switchboard[1]} ext. {switchboard[2]}"
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


def unusual(values: Iterable[tuple[int, str, str, str]]) -> Iterator[tuple[int, str]]:
    """Yield (value_id, normal form) of the valid ones among (value_id, type, value, region)."""
    for value_id, kind, value, region in values:
        normal = normal_form(kind, value, region)
        if normal is not None:
            yield value_id, normal


def normal_form(kind: str, value: str, region: str | None) -> str | None:
    """Return the normal form of an e-mail or a phone, as `kind` says; None if the value is none."""
    return email(value) if kind == "email" else phone(value, region)


def normal_forms_of_cell(kind: str, value: str, region: str | None) -> str | None:
    """Return the normal form of the e-mail or phone in a cell; of several e-mails those that are valid, with | between.

    Systems with one field for all of somebody's e-mails divide them by ; , or |.
    """
    single = normal_form(kind, value, region)
    parts = re.split(EMAIL_DIVIDERS, value[: NormalFormPolicy.longest_text]) if kind == "email" else []
    if single is not None or len(parts) < 2:  # noqa: PLR2004 - one is no list
        return single
    return EMAIL_SEPARATOR.join(dict.fromkeys(filter(None, map(email, parts)))) or None


def create_plain(con: duckdb.DuckDBPyConnection) -> None:
    """Make the functions `plain_identifier` and `id_form` on a connection; its cursors have them, too.

    `plain_identifier(kind, value, region)` gives the normal form of an e-mail or phone that is spelled plainly, and
    null where a library must judge. The value has no blanks around it; the region is in upper case, '' for none.
    `id_form(kind, value)` gives that of an identifier of another type.
    """
    con.execute(_plain_statement())
    con.execute(_ID_STATEMENT)


def create_for(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Make `identifier_form` and `is_address` on a connection if SQL that is about to be run calls one of them.

    Other connections are spared the libraries, PyArrow, and NumPy, which DuckDB loads for a function in Python.
    """
    if _CALL.search(sql):
        create(con)


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make `identifier_form` (see `form_sql`) on a connection; again, it changes nothing.

    And `is_address(kind, value, region)`: whether a value is an e-mail or a phone, or several e-mails, with a normal
    form, so that it can be found again however it is spelled; null for null.
    """
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    create_plain(con)
    remembered = lru_cache(maxsize=NormalFormPolicy.remembered_values)(normal_forms_of_cell)
    # it may be there already, made on this connection or on one that it is a cursor of
    with suppress(duckdb.NotImplementedException, duckdb.CatalogException):
        con.create_function(
            "unusual_identifier",
            # a lambda, since DuckDB evaluates annotations
            lambda kinds, values, regions: pa.array(
                map(remembered, kinds.to_pylist(), values.to_pylist(), regions.to_pylist()), pa.string()
            ),
            ["VARCHAR", "VARCHAR", "VARCHAR"],
            "VARCHAR",
            null_handling=FunctionNullHandling.SPECIAL,
            type=PythonUDFType.ARROW,  # a thousand values at once: one by one costs DuckDB 150 µs each
        )
    con.execute(_FORM_STATEMENT)
    con.execute(_ADDRESS_STATEMENT)


def form_sql(kind: str, value: str, region: str) -> str:
    """Return the SQL of the text by which `core.identities` knows an identifier, from SQL of its type, value, region.

    What is neither e-mail nor phone has the form of an id, and null for one that has been rounded. An e-mail or phone
    that is no valid one stays as it is: it names nobody. Of several e-mails in a cell it is all, with | between. Each
    piece of SQL is computed several times, so it should be a column.
    """
    return f"identifier_form({kind}, {value}, {region})"


_CALL = re.compile(r"\b(?:identifier_form|is_address)\(")
_TRIMMED = ids.trimmed_sql("value")
_REGION = "CASE WHEN kind = 'phone' THEN coalesce(upper(trim(region)), '') ELSE '' END"
# `coalesce` computes what comes next only for the rows that have nothing yet: most values need no trimming, and Python
# hears of the unusual ones alone. `|| ''` copies its answers: `coalesce` keeps pointers to text of Arrow's, and DuckDB
# 1.5 frees that too early.
_NORMAL = (
    f"plain_identifier(kind, value, {_REGION}), plain_identifier(kind, {_TRIMMED}, {_REGION}), "
    f"unusual_identifier(kind, {_TRIMMED}, {_REGION}) || ''"
)
_FORM_STATEMENT = (
    "CREATE OR REPLACE MACRO identifier_form(kind, value, region) AS "
    f"CASE WHEN kind IN ('email', 'phone') AND value IS NOT NULL THEN coalesce({_NORMAL}, value) "
    "ELSE id_form(kind, value) END"
)
_ADDRESS_STATEMENT = (
    "CREATE OR REPLACE MACRO is_address(kind, value, region) AS "
    f"CASE WHEN value IS NOT NULL THEN kind IN ('email', 'phone') AND coalesce({_NORMAL}) IS NOT NULL END"
)
_ID_STATEMENT = (
    "CREATE OR REPLACE MACRO id_form(kind, value) AS "
    f"CASE WHEN starts_with(kind, {literal(ids.SALESFORCE)}) THEN {ids.salesforce_form_sql('value')} "
    f"ELSE {ids.form_sql('value')} END"
)


@lru_cache(maxsize=1)
def _plain_statement() -> str:
    """Return the SQL that makes `plain_identifier`, with what the libraries know of domains and Chinese mobiles."""
    import email_validator  # noqa: PLC0415 - 50 ms, only when used
    import phonenumbers  # noqa: PLC0415 - 50 ms, only when used

    china = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    if (
        china is None or china.mobile is None or not china.mobile.national_number_pattern
    ):  # never in a whole phonenumbers package
        raise LookupError("phonenumbers has no metadata of CN; reinstall it")
    special_domains = ", ".join(map(literal, email_validator.SPECIAL_USE_DOMAIN_NAMES))
    top_domain = r"lower(regexp_extract(value, '\.([A-Za-z]+)$', 1))"
    mobile = china.mobile.national_number_pattern
    last_eleven = "right(replace(replace(value, ' ', ''), '-', ''), 11)"
    return f"""CREATE OR REPLACE MACRO plain_identifier(kind, value, region) AS CASE
        WHEN kind = 'email'
            AND length(value) < {PLAIN_EMAIL_LENGTH}
            AND regexp_full_match(value, {literal(PLAIN_EMAIL)})
            AND NOT contains(value, '--')
            AND NOT list_contains([{special_domains}], {top_domain})
            THEN lower(value)
        WHEN kind = 'phone'
            AND (region IN ('', 'CN') OR starts_with(value, '+86'))
            AND regexp_full_match(value, {literal(CN_MOBILE_SHAPE)})
            AND regexp_full_match({last_eleven}, {literal(mobile)})
            THEN '+86' || {last_eleven}
    END"""


def _nfkc_lower(text: str) -> str:
    """Return the text in NFKC and lower case; twice, since lowering may undo the normal form."""
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).lower()
    return unicodedata.normalize("NFKC", text)
