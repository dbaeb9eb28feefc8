"""What brought a visit: by click id, medium, and the site that is named or was come from."""

from __future__ import annotations

import json

from tests.support.model_cases import answer

SITE = "https://www.shop.example.com"
CASES = {
    # parameters of the address, the page that it was come from, what that is
    ("utm_source=newsletter-may&utm_medium=Email", ""): "email",
    ("utm_source=edm", ""): "email",
    ("utm_medium=sms", ""): "sms",
    ("utm_source=google&utm_medium=cpc", "https://www.google.com/"): "paid search",
    ("utm_source=baidu&utm_medium=sem", ""): "paid search",
    ("bd_vid=123", "https://www.baidu.com/"): "paid search",
    ("gclid=abc", ""): "paid search",
    ("utm_source=douyin&utm_medium=cpc&utm_campaign=AD01", ""): "paid social",
    ("utm_source=Facebook&utm_medium=paid_social", ""): "paid social",
    ("utm_medium=paid", "https://l.instagram.com/"): "paid social",
    ("ttclid=1", ""): "paid social",
    ("utm_source=partner&utm_medium=cpc", ""): "paid other",
    ("utm_source=partner&utm_medium=banner", ""): "display",
    ("utm_source=partner&utm_medium=affiliate", ""): "affiliate",
    ("", "https://www.google.de/"): "search",
    ("", "https://cn.bing.com/search?q=tea"): "search",
    ("utm_source=google&utm_medium=organic", ""): "search",
    ("", "https://t.co/x"): "social",
    ("", "https://mp.weixin.qq.com/s/1"): "social",
    ("fbclid=1", "https://l.facebook.com/"): "social",
    ("fbclid=1", ""): "social",
    ("utm_source=weibo", ""): "social",
    ("utm_campaign=spring", ""): "campaign",
    ("utm_source=flyer&utm_medium=qr", ""): "campaign",
    ("utm_source=blog&utm_medium=referral", ""): "referral",
    ("", "https://tea-lovers.example.org/best"): "referral",
    ("", "https://so-what.example.org/"): "referral",
    ("", "https://notshop.example.com.evil.org/"): "referral",
    ("", ""): "direct",
    ("", f"{SITE}/cart"): "direct",
    ("", "https://m.shop.example.com/cart"): "direct",
    ("", "https://pay.shop.example.com/"): "direct",
    ("", "https://www.paypal.com/checkout"): "direct",
    ("utm_source=google&utm_medium=cpc", "https://checkout.stripe.com/"): "paid search",
    ("utm_source=&utm_medium=", ""): "direct",
    ("utm_source=%e2%28%a1", ""): "campaign",
}


def _message(number: int, parameters: str, referrer: str) -> dict[str, object]:
    url = f"{SITE}/?{parameters}" if parameters else f"{SITE}/"
    return {
        "message_id": f"m{number}",
        "type": "page",
        "anonymous_id": f"d{number:03d}",
        "timestamp": "2026-01-01 10:00:00+00",
        "context": json.dumps({"page": {"url": url, "referrer": referrer}}),
    }


def test_what_brought_each_visit():
    """Of each kind of link and site that is known; the own site and the cashier bring nobody."""
    rows = [_message(number, *case) for number, case in enumerate(CASES)]
    found = {row["anonymous_id"]: row["channel"] for row in answer("marts.sessions", core__events=rows)}
    wrong = {
        case: found[f"d{number:03d}"]
        for number, (case, channel) in enumerate(CASES.items())
        if found[f"d{number:03d}"] != channel
    }
    assert wrong == {}


def test_an_app_and_a_page_without_an_address_are_direct():
    """Whatever else they say."""
    app = {
        "message_id": "a",
        "type": "screen",
        "name": "Home",
        "anonymous_id": "d1",
        "timestamp": "2026-01-01 10:00:00+00",
        "context": json.dumps({"app": {"name": "shop"}}),
    }
    bare = {"message_id": "b", "type": "page", "anonymous_id": "d2", "timestamp": "2026-01-01 10:00:00+00"}
    assert [row["channel"] for row in answer("marts.sessions", core__events=[app, bare])] == ["direct"] * 2
