"""User agents say browser, system and kind of device, and whether nobody is behind them."""

from __future__ import annotations

import json

import duckdb
import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from lakehouse.engine import user_agents
from lakehouse.engine.policy import UserAgentPolicy

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("text", "browser", "os", "device_type"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome", "Windows", "desktop"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", "Chrome", "Chrome OS", "desktop"),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Tablet PC 2.0)", "IE", "Windows", "desktop"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "Chrome Mobile", "Android", "mobile"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Safari/537.36", "Chrome", "Android", "tablet"),
        (f"Mozilla/5.0 (Linux; Android 8.0.0; CUBOT_P20) {CHROME} Mobile Safari/537.36",
         "Chrome Mobile", "Android", "mobile"),
        (f"Mozilla/5.0 (Linux; Android 5.1; FEVER Build/LMY47D; wv) {CHROME} Mobile Safari/537.36",
         "Chrome Mobile WebView", "Android", "mobile"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) {WEBKIT} Mobile/15E148 MicroMessenger/8.0.30",
         "WeChat Browser", "iOS", "mobile"),
        (f"Mozilla/5.0 (iPad; CPU OS 12_1 like Mac OS X) {WEBKIT} Version/12.0 Mobile/15E148 Safari/604.1",
         "Mobile Safari", "iOS", "tablet"),
        # as an iPad asks for pages since 2019: nobody can tell
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.0 Safari/605.1.15",
         "Safari", "Mac OS X", "desktop"),
        (f"Mozilla/5.0 (Linux; Android 9; AFTMM) {CHROME} Mobile Safari/537.36", "Chrome Mobile", "Android", "tv"),
        (f"Mozilla/5.0 (PlayStation; PlayStation 5/6.00) {WEBKIT} Version/13.0 Safari/605.1.15",
         "Safari", None, "console"),
        ("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ1A)", "Android", "Android", "mobile"),
        ("MyApp/1 CFNetwork/1408.0.4 Darwin/22.5.0", "MyApp", "iOS", "mobile"),
        ("okhttp/4.9.3", "okhttp", None, None),
        ("python-requests/2.31", "Python Requests", None, None),
        ("analytics-node-next/latest", None, None, None),
        ("  ", None, None, None),
        ("\0", None, None, None),
        ("x" * 100_000, None, None, None),
    ],
)  # fmt: skip
def test_what_people_use(text, browser, os, device_type):
    """A telephone whose maker is called Cubot is one, and a library speaks for somebody."""
    found = user_agents.read(text)
    assert (found.browser, found.os, found.device_type, found.is_bot) == (browser, os, device_type, False)


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"Mozilla/5.0 (X11; Linux x86_64) {CHROME.replace('Chrome', 'HeadlessChrome')} Safari/537.36",
        f"Mozilla/5.0 (Linux; Android 7.0; Moto G (4)) {CHROME} Mobile Safari/537.36 Chrome-Lighthouse",
        "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
        "Mozilla/5.0 (compatible; OfTomorrowBot/1.0)",
    ],
)
def test_what_robots_use(text):
    """Also those that are on no list, but say it, and browsers that nobody looks at; they have no device."""
    found = user_agents.read(text)
    assert found.is_bot
    assert (found.device, found.device_type) == (None, None)


def test_robots_of_the_list_are_known():
    """All but HTTP libraries; one of each pattern."""
    robots = [
        entry["instances"][0]
        for entry in CRAWLER_USER_AGENTS_DATA
        if entry.get("instances") and entry.get("tags") != ["http-library"]
    ]
    assert len(robots) > 500
    assert [text for text in robots if not user_agents.read(text).is_bot] == []


def test_sql_asks_for_it_and_no_other_connection_has_it():
    """Made twice it stays; null stays null; each text is read once."""
    con = duckdb.connect()
    user_agents.create_for(con, "SELECT 1")
    with pytest.raises(duckdb.CatalogException):
        con.execute("SELECT user_agent_facts('x')")
    query = "SELECT user_agent_facts(t), t FROM (VALUES ('Googlebot/2.1'), (NULL), ('okhttp/4')) AS v (t)"
    user_agents.create_for(con, query)
    user_agents.create_for(con.cursor(), query)
    user_agents.read.cache_clear()
    for _ in range(2):
        robot, nothing, library = (row[0] for row in con.execute(query).fetchall())
    assert (json.loads(robot)["is_bot"], nothing, json.loads(library)["browser"]) == (True, None, "okhttp")
    assert user_agents.read.cache_info().misses == 2


def test_a_long_text_is_read_as_far_as_the_limit():
    """What stands behind it is not looked at."""
    padded = "x" * UserAgentPolicy.longest_text
    assert not user_agents.read(f"{padded} Googlebot/2.1").is_bot
    assert user_agents.read(f"{padded[:-20]} Googlebot/2.1").is_bot
