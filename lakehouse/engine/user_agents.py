"""What a user agent says of browser, system and device, and whether a robot is behind it.

Browser, system and device are read by ua-parser with the rules of uap-core, robots are known by the list of
crawler-user-agents. Both look at regular expressions one after the other, half a millisecond a text: ask of distinct
texts only. What kind of device it is neither says; `_device_type` does, by the words that makers of browsers agreed on.

An iPad that asks for pages as a Mac does says that it is one, and Windows 11 says 10: nobody can tell by this text.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version as package_version
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from lakehouse.engine.policy import UserAgentPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTION: Final = "user_agent_facts"
IS_ROBOT: Final = "is_robot"
_CALL = re.compile(rf"\b(?:{FUNCTION}|{IS_ROBOT})\(", re.IGNORECASE)
_PACKAGES: Final = ("ua-parser", "ua-parser-builtins", "crawler-user-agents")
_RULES: Final = 1  # raised with what is said below, so that tables are computed anew
_SPIDER: Final = "Spider"  # what uap-core calls the device of a robot that it knows, or that says so
# Programs that speak HTTP for somebody: what comes through them is of a company's own app or server, no robot's.
_LIBRARY_TAG: Final = "http-library"

_TV = re.compile(
    r"smart-?tv|hbb ?tv|apple ?tv|google ?tv|android ?tv|bravia|\bAFT[A-Z]|roku|crkey|netcast|viera|web0s|\bTV\b",
    re.IGNORECASE,
)
_CONSOLE = re.compile(r"playstation|xbox|nintendo", re.IGNORECASE)
_WATCH = re.compile(r"\bwatch|\bwearos", re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet(?! pc)|kindle|playbook|\bKF[A-Z]{2,}\b|\bSM-[TPX]\d", re.IGNORECASE)
_MOBILE = re.compile(
    r"mobile|mobi\b|iphone|ipod|phone|blackberry|opera mini|ucweb|midp|android", re.IGNORECASE
)
_BROWSER_OF_ANDROID = re.compile(r"^Mozilla/.*\bAndroid\b")
_DESKTOPS: Final = (
    "Windows",
    "Mac OS X",
    "Linux",
    "Ubuntu",
    "Fedora",
    "Debian",
    "Chrome OS",
    "FreeBSD",
    "OpenBSD",
)


class UserAgent(NamedTuple):
    """What a user agent says; None where it does not. Versions are the first number, or for Windows its name."""

    browser: str | None
    browser_version: str | None
    os: str | None
    os_version: str | None
    device: str | None
    device_type: str | None
    is_bot: bool


@lru_cache(maxsize=UserAgentPolicy.remembered_texts)
def read(text: str) -> UserAgent:
    """Return what a user agent says. A robot has no type of device: it says one to see the pages for it."""
    said = text[: UserAgentPolicy.longest_text].strip()
    found = _parser()(said)
    device = found.device.family if found.device else None
    os = found.os.family if found.os else None
    is_bot = device == _SPIDER or _is_crawler(said)
    return UserAgent(
        browser=found.user_agent.family if found.user_agent else None,
        browser_version=found.user_agent.major if found.user_agent else None,
        os=os,
        os_version=found.os.major if found.os else None,
        device=None if is_bot else device,
        device_type=None if is_bot else _device_type(said, os),
        is_bot=is_bot,
    )


def _device_type(said: str, os: str | None) -> str | None:
    """Return desktop, mobile, tablet, tv, console or watch.

    Browsers of Android say `Mobile` on a phone and nothing on a tablet; other programs of Android say neither.
    """
    for kind, words in (("tv", _TV), ("console", _CONSOLE), ("watch", _WATCH), ("tablet", _TABLET)):
        if words.search(said):
            return kind
    if _BROWSER_OF_ANDROID.search(said) and "mobi" not in said.lower():
        return "tablet"
    if _MOBILE.search(said) or os == "iOS":
        return "mobile"
    return "desktop" if os in _DESKTOPS else None


def _is_crawler(said: str) -> bool:
    return any(chunk.search(said) for chunk in _crawlers())


@lru_cache(maxsize=1)
def _parser() -> Callable[[str], Any]:
    from ua_parser import Parser  # noqa: PLC0415 - 0.1 s with its rules, only when used
    from ua_parser.basic import Resolver  # noqa: PLC0415
    from ua_parser.loaders import load_builtins  # noqa: PLC0415

    return Parser(Resolver(load_builtins())).parse


@lru_cache(maxsize=1)
def _crawlers() -> tuple[re.Pattern[str], ...]:
    """Return patterns of what robots are called, some at once, as the package itself does: one of all is slower."""
    from crawleruseragents import CHUNK_SIZE, CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415 - 0.5 MB of JSON

    patterns = [
        crawler["pattern"] for crawler in CRAWLER_USER_AGENTS_DATA if crawler.get("tags") != [_LIBRARY_TAG]
    ]
    chunks = (patterns[start : start + CHUNK_SIZE] for start in range(0, len(patterns), CHUNK_SIZE))
    return tuple(re.compile("|".join(chunk)) for chunk in chunks)


@lru_cache(maxsize=1)
def version() -> str:
    """Return what changes when a text may be read otherwise than before."""
    return f"{_RULES} {' '.join(package_version(name) for name in _PACKAGES)}"


def is_called(sql: str) -> bool:
    """Return whether SQL calls one of the functions."""
    return _CALL.search(sql) is not None


def create_for(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Make both functions of a text on a connection if SQL that is about to be run calls one.

    `user_agent_facts` is the JSON of a `UserAgent`, null of no text; `is_robot` says whether a robot is behind it, and
    is false of no text. Other connections are spared the libraries, and PyArrow.
    """
    if not is_called(sql):
        return
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    def facts(texts: Any) -> Any:
        said = [json.dumps(read(text)._asdict()) for text in texts.dictionary.to_pylist()]
        return pa.array(said, pa.string()).take(texts.indices)

    def is_robot(texts: Any) -> Any:
        said = pa.array([read(text).is_bot for text in texts.dictionary.to_pylist()], pa.bool_())
        return said.take(texts.indices).fill_null(False)

    for name, function, duck_type in ((FUNCTION, facts, "VARCHAR"), (IS_ROBOT, is_robot, "BOOLEAN")):
        _create(con, name, function, duck_type)


def _create(
    con: duckdb.DuckDBPyConnection, name: str, function: Callable[[Any], Any], duck_type: str
) -> None:
    """Make a function of one text, which is given each distinct text of some rows once, as a dictionary of PyArrow."""
    # it may be there already, made on this connection or on one that it is a cursor of
    with suppress(duckdb.NotImplementedException, duckdb.CatalogException):
        con.create_function(
            name,
            # a lambda, since DuckDB evaluates annotations; it gives a chunked array
            lambda texts: function(texts.combine_chunks().dictionary_encode()),
            ["VARCHAR"],
            duck_type,
            null_handling=FunctionNullHandling.SPECIAL,
            type=PythonUDFType.ARROW,
        )
