"""SQL functions that every connection has besides DuckDB's own: definitions of sources may use them.

`country_region(country)`: the ISO 3166-1 alpha-2 code, such as CN, of a country that is written as people write it: by
its name in English or Chinese, or as one of its codes. Case and blanks around it do not matter; what is no country is
null. The names stand in `countries.csv`, by ISO 3166-1, with Kosovo under the code XK that phone numbers use.

`person_id(id)`: an id of a person or a device, null for a placeholder such as `undefined`, `null` or 0: see
`lakehouse.engine.ids`.

`personal_email(email)`: an e-mail in lower case; null for a mailbox that is nobody's, such as noreply@, by which no
record should be named.

`read_moment(text)`, `read_moment(text, zone)`: the moment that a text says; without a zone in it in the one given, else
in UTC. `read_day(text)`: the day. Both are null for what is none. A cast would take a zone's name for the texts of
other rows, too, and would leave out a time behind a day: see `lakehouse.engine.moments`.

`consent_word(text)`: true for a word by which a system says that somebody consented, false for one that says that they
did not, else null: see `lakehouse.engine.consent_words`.

`order_state(text)`: what a status says of an order, a refund or a return, such as `cancelled`: see
`lakehouse.engine.order_words`.

`currency_code(text)`: the ISO 4217 code of a currency as people write it: see `lakehouse.engine.currencies`.

`consent_channel(text)`, `consent_purpose(text)`: the channel or purpose that a word means, null for one that is on no
list; `consent_topics(channel, purpose, address)`: the JSON list of those that a statement is about, several where it
says `all`: see `lakehouse.engine.consent_terms`.

`subject_hash(type, value)`: the keyed hash by which an erased person's address or other identifier is known, null on a
connection without the key; `needs_hash_key(hash)`: the hash, an error without the key: see
`lakehouse.engine.keyed_hash`.

`consent_preferences(said, categories)`: what a tracked event says of consent, as a JSON list: see
`lakehouse.engine.consent_preferences`.

`campaign_links(context, properties)`, `link_parts(links)`, `campaign_said(parts, campaign)`: step by step the campaign
that a tracked event names, as a struct; `address_host(address)`, `address_path(address)`: parts of an address. See
`lakehouse.engine.campaigns`.
"""

from __future__ import annotations

import csv
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lakehouse.engine import (
    campaigns,
    consent_preferences,
    consent_terms,
    consent_words,
    currencies,
    ids,
    keyed_hash,
    moments,
    order_words,
)
from lakehouse.engine.escape import literal
from lakehouse.engine.function_file import FunctionFile

if TYPE_CHECKING:
    import duckdb


NAMES = (
    "address_host",
    "address_path",
    "campaign_links",
    "campaign_said",
    "consent_channel",
    "consent_lists",
    "consent_preferences",
    "consent_purpose",
    "consent_word",
    "country_region",
    "currency_code",
    "link_parts",
    "order_state",
    "person_id",
    "personal_email",
    "read_moment",
    "read_day",
    "subject_hash",
)


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """Return by a country's name or code, in lower case, its ISO 3166-1 alpha-2 code; ValueError for a name of two."""
    regions: dict[str, str] = {}
    text = (files("lakehouse.engine") / "countries.csv").read_text("utf-8")
    for country in csv.DictReader(text.splitlines()):
        region = country["alpha_2"]
        names = [
            region,
            country["alpha_3"],
            country["english"],
            country["chinese"],
            *country["other"].split("|"),
        ]
        for name in filter(None, names):
            if regions.setdefault(name.lower(), region) != region:
                raise ValueError(f"countries.csv: {name} is {regions[name.lower()]} and {region}")
    return regions


@lru_cache(maxsize=1)
def statements() -> tuple[str, ...]:
    """Return the SQL that makes the functions.

    An ENUM finds a name by its hash and numbers it; the codes stand one behind the other in the order of the names.
    """
    regions = countries()
    names = ", ".join(map(literal, regions))
    codes = literal("".join(regions.values()))
    number = "enum_code(TRY_CAST(lower(trim(country)) AS country_name))"
    preferences = consent_preferences.consent_preferences_sql("said", "categories")
    topics = consent_terms.topics_sql("channel", "purpose", "address")
    in_utc = moments.read_moment_sql("text", literal(moments.UTC))
    links = campaigns.campaign_links_sql("context", "properties")
    in_zone = moments.read_moment_sql("text", "zone")
    return (
        f"CREATE OR REPLACE MACRO consent_word(text) AS {consent_words.consent_word_sql('text')}",
        f"CREATE OR REPLACE MACRO consent_channel(text) AS {consent_terms.term_sql('channel', 'text')}",
        f"CREATE OR REPLACE MACRO consent_purpose(text) AS {consent_terms.term_sql('purpose', 'text')}",
        f"CREATE OR REPLACE MACRO consent_topics(channel, purpose, address) AS {topics}",
        f"CREATE OR REPLACE MACRO consent_preferences(said, categories) AS {preferences}",
        f"CREATE OR REPLACE MACRO consent_lists(said) AS {consent_preferences.consent_lists_sql('said')}",
        f"CREATE OR REPLACE TYPE country_name AS ENUM ({names})",
        ids.type_sql(),
        currencies.type_sql(),
        f"CREATE OR REPLACE MACRO currency_code(text) AS {currencies.currency_code_sql('text')}",
        f"CREATE OR REPLACE MACRO person_id(id) AS {ids.id_or_null_sql('id', 'person')}",
        order_words.type_sql(),
        f"CREATE OR REPLACE MACRO order_state(text) AS {order_words.order_state_sql('text')}",
        f"CREATE OR REPLACE MACRO read_moment(text) AS {in_utc}, (text, zone) AS {in_zone}",
        f"CREATE OR REPLACE MACRO read_day(text) AS {moments.read_day_sql('text')}",
        f"CREATE OR REPLACE MACRO campaign_links(context, properties) AS {links}",
        f"CREATE OR REPLACE MACRO link_parts(links) AS {campaigns.link_parts_sql('links')}",
        f"CREATE OR REPLACE MACRO campaign_said(parts, campaign) AS {campaigns.campaign_sql('parts', 'campaign')}",
        f"CREATE OR REPLACE MACRO address_host(address) AS {campaigns.host_sql('address')}",
        f"CREATE OR REPLACE MACRO address_path(address) AS {campaigns.path_sql('address')}",
        f"CREATE OR REPLACE MACRO personal_email(email) AS {_personal_email_sql('email')}",
        f"CREATE OR REPLACE MACRO subject_hash(type, value) AS {keyed_hash.subject_hash_sql('type', 'value')}",
        f"CREATE OR REPLACE MACRO needs_hash_key(hash) AS {keyed_hash.needs_key_sql('hash')}",
        f"CREATE OR REPLACE MACRO country_region(country) AS substr({codes}, 2 * {number} + 1, 2)",
    )


def _personal_email_sql(email: str) -> str:
    mailbox = f"lower(trim(split_part({email}, '@', 1)))"
    is_nobodys = f"regexp_full_match({mailbox}, {literal(ids.no_id_pattern('mailbox'))})"
    return f"CASE WHEN NOT {is_nobodys} THEN lower({email}) END"


@lru_cache(maxsize=1)
def version() -> str:
    """Return what changes when a function gives other results than before."""
    return hashlib.sha256("\n".join(statements()).encode()).hexdigest()[:16]


def reader_sql(sql: str, duck_type: str) -> str:
    """Return the SQL by which a mapping reads a text as a value of a type, null where it is none."""
    readers = {"TIMESTAMPTZ": f"read_moment({sql})", "DATE": f"read_day({sql})"}
    return readers.get(duck_type, f"TRY_CAST({sql} AS {duck_type})")


def uses_functions(sql: str) -> bool:
    """Return whether SQL may call one of the functions."""
    lower = sql.lower()
    return any(name in lower for name in NAMES)


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the functions on a connection; its cursors have them, too."""
    _file_of(statements()).create(con)


@lru_cache(maxsize=2)
def _file_of(made_by: tuple[str, ...]) -> FunctionFile:
    def make(con: duckdb.DuckDBPyConnection) -> None:
        moments.create(con)
        for statement in made_by:
            con.execute(statement)

    return FunctionFile(make)
