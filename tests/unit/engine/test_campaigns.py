"""Campaigns are found where SDKs, sites and mails leave them, each part as it was meant."""

from __future__ import annotations

import json

import duckdb
import pytest

from lakehouse.engine import sql_functions


@pytest.fixture(scope="module")
def con():
    made = duckdb.connect()
    sql_functions.create(made)
    return made


def campaign(con, context=None, properties=None):
    """Return what an event names of a campaign: its parts by name, those that it does not name left out."""
    said = "CASE WHEN contains(context, '\"campaign\"') THEN context->'$.campaign' END"
    given = "SELECT $1 AS context, $2 AS properties"
    links = f"SELECT context, link_parts(campaign_links(context, properties)) AS parts FROM ({given})"
    sql = f"SELECT campaign_said(parts, {said}) FROM ({links})"
    texts = [None if each is None else json.dumps(each, ensure_ascii=False) for each in (context, properties)]
    ((found,),) = con.execute(sql, texts).fetchall()
    return {name: value for name, value in (found or {}).items() if value is not None}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.org/?utm_source=a&utm_medium=b&utm_campaign=c&utm_content=d&utm_term=e",
         {"source": "a", "medium": "b", "name": "c", "content": "d", "term": "e"}),
        ("https://x.org/?utm_source=a+b%20c&utm_campaign=%E6%98%A5", {"source": "a b c", "name": "春"}),
        ("https://x.org/?utm_source=a&amp;utm_medium=b", {"source": "a", "medium": "b"}),
        ("https://x.org/#/shop?utm_source=a", {"source": "a"}),
        ("https://x.org/#utm_source=a&utm_medium=b", {"source": "a", "medium": "b"}),
        ("https://x.org/?utm_source=a&utm_source=b", {"source": "a"}),
        ("https://x.org/?utm_source=&utm_medium=b", {"medium": "b"}),
        ("https://x.org/?utm_source=e%ffx%2", {"source": "e%ffx%2"}),
        ("https://x.org/?next=https://y.org/?utm_source=z", {"source": "z"}),
        ("https://x.org/?gclid=Aa-_9&x=1", {"click": "gclid=Aa-_9"}),
        ("https://x.org/?fbclid=1#top", {"click": "fbclid=1"}),
        ("https://x.org/?msclkid=1", {"click": "msclkid=1"}),
        ("https://x.org/?ttclid=1", {"click": "ttclid=1"}),
        ("https://x.org/?bd_vid=1", {"click": "bd_vid=1"}),
        ("https://x.org/?qz_gdt=1", {"click": "qz_gdt=1"}),
        ("https://x.org/?epik=1", {"click": "epik=1"}),
        ("https://x.org/?gclid=", {}),
        ("https://x.org/?id=7&product_id=8&utm_id=9", {}),
        ("not an address", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["context", "search", "properties"])
def test_an_address_names_them(con, url, expected, where):
    """Wherever the address stands."""
    if where == "properties":
        assert campaign(con, None, {"url": url}) == expected
    elif where == "context":
        assert campaign(con, {"page": {"url": url}}) == expected
    elif "?" in url and "#" not in url:
        assert campaign(con, {"page": {"search": url[url.index("?") :]}}) == expected


def test_an_sdks_words_come_before_the_address(con):
    """Part by part; an empty one is none, and what is no object says nothing."""
    page = {"url": "https://x.org/?utm_source=a&utm_medium=b&gclid=1"}
    said = {"source": "", "medium": "cpc", "name": "spring"}
    assert campaign(con, {"page": page, "campaign": said}) == {
        "source": "a", "medium": "cpc", "name": "spring", "click": "gclid=1",
    }  # fmt: skip
    assert campaign(con, {"campaign": said}) == {"medium": "cpc", "name": "spring"}
    for odd in ("text", [], 7, None, {}):
        assert campaign(con, {"campaign": odd}) == {}


@pytest.mark.parametrize(
    ("address", "host", "path"),
    [
        ("https://user:p@x.org:8443/a/b?c#d", "x.org", "/a/b"),
        ("android-app://com.google.android.gm/", "com.google.android.gm", "/"),
        ("https://x.org", "x.org", ""),
        ("/only/path?x=1", None, "/only/path"),
        ("", None, ""),
    ],
)
def test_parts_of_an_address(con, address, host, path):
    """Without what stands behind `?`, which may say anything of anybody."""
    found = con.execute("SELECT address_host($1), address_path($1)", [address]).fetchall()
    assert found == [(host, path)]
