"""The key that values are hashed with: from the secret store to DuckDB, and shown nowhere."""

from __future__ import annotations

import pytest

from lakehouse.aws_policy import SecretPolicy
from lakehouse.engine.keyed_hash import HashKey
from lakehouse.errors import Terminal, Transient
from lakehouse.ingest.reading import hash_key as module
from lakehouse.ingest.reading.hash_key import hash_key
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.sources.definition import Source

KEY = b"a key of more than thirty-two characters"
HASHING = Source.model_validate(
    {
        "source": "a", "entity": "b", "doc": "B", "grain": "a row", "format": "csv",
        "columns": [{"name": "v", "from": "V", "doc": "V", "collect": "hash"}],
    }
)  # fmt: skip


@pytest.fixture
def secret(monkeypatch):
    """Return a function that sets what the secret store says, and the names that it was asked for."""
    asked: list[str] = []

    def says(answer):
        def secret(name):
            asked.append(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(module, "secret", secret)
        return asked

    return says


def test_the_key_comes_from_the_secret_that_the_settings_name(lake, secret):
    """And nobody asks for it where nothing is hashed."""
    asked = secret({"key": KEY.decode()})
    assert hash_key(lake, HASHING) == HashKey.prepare(KEY)
    assert asked == ["lakehouse/hash"]
    plain = HASHING.model_copy(update={"columns": (HASHING.columns[0].model_copy(update={"collect": None}),)})
    assert hash_key(lake, plain) is None
    assert asked == ["lakehouse/hash"]


@pytest.mark.parametrize("answer", [{}, {"key": ""}, {"key": "too short"}, {"key": 7}, {"key": ["a" * 40]}])
def test_a_key_that_is_none_is_refused(lake, secret, answer):
    """With what to do; of what stands in the secret nothing is quoted."""
    secret(answer)
    with pytest.raises(Terminal, match=r"lakehouse/hash has no key .*openssl rand -hex 32") as refused:
        hash_key(lake, HASHING)
    assert "too short" not in str(refused.value)


def test_a_secret_that_cannot_be_read_is_tried_again(lake, secret):
    """It is the store that may be away: nothing is wrong with the file."""
    secret(Transient("secret lakehouse/hash cannot be read"))
    with pytest.raises(Transient):
        hash_key(lake, HASHING)
    assert SecretPolicy.max_age_seconds == 300


def test_a_key_is_not_shown():
    """Neither in what Python prints of it, nor in what DuckDB says of SQL that fails."""
    key = HashKey.prepare(KEY)
    assert repr(key) == "HashKey()"
    assert KEY.decode() not in stored_sql(HASHING.columns[0], "v")
