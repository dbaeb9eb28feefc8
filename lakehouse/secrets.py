"""Secrets, as JSON objects, kept for five minutes at most so that a rotation is seen soon."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError, TransformParameterError

from lakehouse import aws
from lakehouse.aws_policy import SecretPolicy
from lakehouse.errors import Terminal, Transient


@lru_cache(maxsize=1)
def _provider(client: Any) -> SecretsProvider:
    return SecretsProvider(boto3_client=client)


def secret(name: str, *, max_age_seconds: int = SecretPolicy.max_age_seconds) -> dict[str, Any]:
    """Return the secret `name`, no older than so many seconds.

    Transient when it cannot be fetched, Terminal when it is no JSON object.
    """
    try:
        value: Any = _provider(aws.secrets()).get(name, max_age=max_age_seconds, transform="json")
    except TransformParameterError:  # its text quotes the secret, so nothing of it goes on
        raise Terminal(f"secret {name} is not JSON; write it as a JSON object") from None
    except GetParameterError:
        raise Transient(
            f"secret {name} cannot be read; does it exist, and may this function read it?"
        ) from None
    if not isinstance(value, dict):
        raise Terminal(f"secret {name} is not a JSON object")
    return value
