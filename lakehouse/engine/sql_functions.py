"""SQL functions that every connection has besides DuckDB's own: definitions of sources may use them.

`country_region(country)`: the ISO 3166-1 alpha-2 code, such as CN, of a country that is written as people write it: by
its name in English or Chinese, or as one of its codes. Case and blanks around it do not matter; what is no country is
null. The names stand in `countries.csv`, by ISO 3166-1, with Kosovo under the code XK that phone numbers use.
"""

from __future__ import annotations

import csv
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal

if TYPE_CHECKING:
    import duckdb


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
    return (
        f"CREATE OR REPLACE TYPE country_name AS ENUM ({names})",
        f"CREATE OR REPLACE MACRO country_region(country) AS substr({codes}, 2 * {number} + 1, 2)",
    )


@lru_cache(maxsize=1)
def version() -> str:
    """Return what changes when a function gives other results than before."""
    return hashlib.sha256("\n".join(statements()).encode()).hexdigest()[:16]


def uses_functions(sql: str) -> bool:
    """Return whether SQL may call one of the functions."""
    return "country_region" in sql.lower()


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the functions on a connection; its cursors have them, too."""
    for statement in statements():
        con.execute(statement)
