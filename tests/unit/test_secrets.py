"""A secret is a JSON object; whatever else it holds is an error that does not quote it."""

from __future__ import annotations

import pytest

from lakehouse import aws, secrets
from lakehouse.errors import Terminal, Transient


class Store:
    """Answers for the secret store, and counts how often it is asked."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked = 0

    def get_secret_value(self, **_):
        self.asked += 1
        if self.text is None:
            raise RuntimeError("away")
        return {"SecretString": self.text}


@pytest.fixture
def secret_store(monkeypatch):
    def make(text: str | None) -> Store:
        made = Store(text)
        monkeypatch.setattr(aws, "secrets", lambda: made)
        secrets._provider.cache_clear()
        return made

    yield make
    secrets._provider.cache_clear()


def test_a_secret_is_fetched_once(secret_store):
    """And kept for a few minutes."""
    made = secret_store('{"token": "pat"}')
    assert [secrets.secret("a"), secrets.secret("a")] == [{"token": "pat"}] * 2
    assert made.asked == 1


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("pat-123", Terminal, "not JSON"),
        ('["pat-123"]', Terminal, "not a JSON object"),
        (None, Transient, "cannot be read"),
    ],
)
def test_a_secret_that_is_none_is_an_error_without_its_text(secret_store, text, error, message):
    """Logs show errors."""
    secret_store(text)
    with pytest.raises(error, match=message) as caught:
        secrets.secret("a")
    assert "pat-123" not in str(caught.value)
