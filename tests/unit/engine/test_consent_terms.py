"""What statements are about, by the words of others."""

from __future__ import annotations

import json

import duckdb
import pytest

from lakehouse.engine import consent_terms
from lakehouse.engine.consent_terms import term_sql, terms, topics_sql


def meant(kind: str, text: str | None) -> str | None:
    row = duckdb.execute(f"SELECT {term_sql(kind, 't')} FROM (SELECT ? AS t)", [text]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        ("channel", "Email", "email"), ("channel", " E-Mail ", "email"), ("channel", "邮件", "email"),
        ("channel", "SMS", "sms"), ("channel", "text_message", "sms"), ("channel", "All", "all"),
        ("channel", "carrier pigeon", None), ("channel", None, None), ("channel", "", None),
        ("purpose", "MARKETING ", "marketing"), ("purpose", "营销", "marketing"), ("purpose", "email", None),
    ],
)  # fmt: skip
def test_a_word_means_one_channel_or_purpose_or_none(kind, text, name):
    assert meant(kind, text) == name


def test_every_word_stands_as_it_is_compared():
    """Else it would never be met."""
    for kind in ("channel", "purpose"):
        for name, words in terms(kind).items():
            assert {meant(kind, word) for word in words} == {name}


OTHERS = ["wecom", "wechat", "push", "ads", "post"]  # of which an address may be anything


@pytest.mark.parametrize(
    ("channel", "address", "names"),
    [
        ("Email", "a@x.org", ["email"]),
        ("all", "a@x.org", ["email", *OTHERS]),
        ("all", "+12125550101", ["sms", "phone", "whatsapp", *OTHERS]),
        ("all", None, ["email", "sms", "phone", "whatsapp", *OTHERS]),
        ("pigeon", "a@x.org", ["pigeon"]),
    ],
)
def test_all_are_the_channels_that_may_use_the_address(channel, address, names):
    assert topics(channel, "marketing", address) == [(name, "marketing") for name in names]


@pytest.mark.parametrize(
    ("purpose", "names"),
    [
        ("Marketing", ["marketing"]),
        ("Any", ["marketing", "service", "analytics", "profiling"]),
        ("fun", ["fun"]),
    ],
)
def test_all_purposes_are_each_of_them(purpose, names):
    assert topics("email", purpose, "a@x.org") == [("email", name) for name in names]
    assert len(topics("all", purpose, None)) == 9 * len(names)


def topics(channel: str, purpose: str, address: str | None) -> list[tuple[str, str]]:
    sql = (
        f"SELECT {topics_sql('c', 'p', 'a')} FROM (SELECT ?::VARCHAR AS c, ?::VARCHAR AS p, ?::VARCHAR AS a)"
    )
    row = duckdb.execute(sql, [channel, purpose, address]).fetchone()
    assert row is not None
    return [(each["channel"], each["purpose"]) for each in json.loads(row[0])]


def test_a_word_on_two_lists_is_refused(monkeypatch, tmp_path):
    """It would mean both."""
    (tmp_path / "consent_terms.csv").write_text("kind,name,words\nchannel,a,x|y\nchannel,b,y\n", "utf-8")
    monkeypatch.setattr(consent_terms, "files", lambda _: tmp_path)
    terms.cache_clear()
    with pytest.raises(ValueError, match="listed twice: y"):
        terms("channel")
    terms.cache_clear()
