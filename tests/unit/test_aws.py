"""The AWS clients: made once, from the environment, and made anew when it has changed."""

from __future__ import annotations

import pytest

from lakehouse import aws, settings


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch):
    """Nothing here may meet a real account."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:2",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.current.cache_clear()
    aws.forget_clients()
    yield
    settings.current.cache_clear()
    aws.forget_clients()


def test_endpoints_come_from_the_environment():
    """Object storage has its own; nothing of it stands in the code."""
    others = [aws.sqs(), aws.events(), aws.dynamodb(), aws.secrets()]
    assert {client.meta.endpoint_url for client in others} == {"http://127.0.0.1:1"}
    assert aws.s3().meta.endpoint_url == "http://127.0.0.1:2"
    assert {client.meta.region_name for client in [*others, aws.s3()]} == {"eu-west-1"}


def test_a_client_is_made_once_and_forgotten_on_demand(monkeypatch):
    """Then it has the new keys, too."""
    first = aws.s3()
    assert aws.s3() is first
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    aws.forget_clients()
    assert aws.s3() is not first
    assert aws.s3()._request_signer._credentials.access_key == "other"
