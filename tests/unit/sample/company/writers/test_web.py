"""The clickstream: one JSON message a line, shaped as Segment delivers it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest


@pytest.fixture(scope="module")
def messages(exports: Any) -> list[dict[str, Any]]:
    """All messages, read as JSON."""
    return [json.loads(line) for line in exports["web/events"]["line"]]


def test_messages_are_json_in_order_of_time(messages: Any) -> None:
    """Of five kinds; a page of the app is a screen."""
    moments = [message["originalTimestamp"] for message in messages]
    assert moments == sorted(moments)
    kinds = {(message["type"], message.get("event")) for message in messages}
    assert kinds == {
        ("page", None),
        ("screen", None),
        ("identify", None),
        ("track", "Product Viewed"),
        ("track", "Order Completed"),
    }


def test_a_message_is_sent_after_it_happened_and_then_received(messages: Any) -> None:
    """Its timestamp is the moment corrected by the way it took."""
    for message in messages:
        assert message["originalTimestamp"] < message["sentAt"] < message["receivedAt"]
        assert message["originalTimestamp"] < message["timestamp"] < message["receivedAt"]
        assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", message["timestamp"])


def test_traits_say_who_an_account_is(messages: Any) -> None:
    """A phone or WeChat's unionid, of somebody who is signed in."""
    identifies = [message for message in messages if message["type"] == "identify"]
    assert identifies
    for message in identifies:
        assert message["userId"]
        assert ("phone" in message["traits"]) != ("unionid" in message["traits"])


def test_an_app_has_a_system_and_a_page_a_browser(messages: Any) -> None:
    """All name the library that says they are generated."""
    contexts = [message["context"] for message in messages]
    assert {("app" in context, "page" in context) for context in contexts} == {(True, False), (False, True)}
    assert {context["library"]["name"] for context in contexts} == {"crm-lakehouse-sample"}
    assert all(("os" in context) == ("app" in context) for context in contexts)
