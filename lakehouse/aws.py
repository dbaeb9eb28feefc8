"""The boto3 clients, each made once a process, and only when it is needed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

from lakehouse.aws_policy import ClientPolicy
from lakehouse.settings import current

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": ClientPolicy.attempts},
    connect_timeout=ClientPolicy.connect_seconds,
    read_timeout=ClientPolicy.read_seconds,
    s3={"addressing_style": "path"},
    max_pool_connections=ClientPolicy.connections,
)


@lru_cache(maxsize=16)
def _client(service: str) -> Any:
    return boto3.client(cast("Any", service), region_name=current().region, config=_CONFIG)


def s3() -> S3Client:
    """Return the client of object storage."""
    return cast("S3Client", _client("s3"))


def sqs() -> SQSClient:
    """Return the client of the queues."""
    return cast("SQSClient", _client("sqs"))


def events() -> EventBridgeClient:
    """Return the client of the event bus."""
    return cast("EventBridgeClient", _client("events"))


def dynamodb() -> DynamoDBClient:
    """Return the client of the key-value store that holds what may be lost."""
    return cast("DynamoDBClient", _client("dynamodb"))


@lru_cache(maxsize=1)
def dynamodb_once() -> DynamoDBClient:
    """Return one that asks once and waits a second: for what is told where it is known, and else is not."""
    config = _CONFIG.merge(Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2))
    return boto3.client("dynamodb", region_name=current().region, config=config)


def secrets() -> SecretsManagerClient:
    """Return the client of the secret store."""
    return cast("SecretsManagerClient", _client("secretsmanager"))


def forget_clients() -> None:
    """Drop every client: endpoints and keys have changed (a new local stack, another test)."""
    _client.cache_clear()
    dynamodb_once.cache_clear()
    boto3.DEFAULT_SESSION = None  # it keeps the credentials it found first
