"""What statements are about, by the words of others."""

from __future__ import annotations

import json

import duckdb
import pytest

from lakehouse.engine import consent_terms
from lakehouse.engine.consent_terms import channels_sql, term_sql, terms


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


@pytest.mark.parametrize(
    ("channel", "address", "names"),
    [
        ("Email", "a@x.org", ["email"]),
        ("all", "a@x.org", ["email"]),
        ("all", "+12125550101", ["sms", "phone", "whatsapp"]),
        ("all", None, ["email", "sms", "phone", "whatsapp"]),
        ("pigeon", "a@x.org", ["pigeon"]),
    ],
)
def test_all_are_the_channels_that_use_the_address(channel, address, names):
    sql = f"SELECT {channels_sql('c', 'a')} FROM (SELECT ?::VARCHAR AS c, ?::VARCHAR AS a)"
    row = duckdb.execute(sql, [channel, address]).fetchone()
    assert row is not None
    assert json.loads(row[0]) == names


def test_a_word_on_two_lists_is_refused(monkeypatch, tmp_path):
    """It would mean both."""
    (tmp_path / "consent_terms.csv").write_text("kind,name,words\nchannel,a,x|y\nchannel,b,y\n", "utf-8")
    monkeypatch.setattr(consent_terms, "files", lambda _: tmp_path)
    terms.cache_clear()
    with pytest.raises(ValueError, match="listed twice: y"):
        terms("channel")
    terms.cache_clear()
