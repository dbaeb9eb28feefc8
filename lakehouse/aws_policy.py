"""Knobs of the ground floor: the AWS clients, and what is built right on them (queues, objects, secrets)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class ClientPolicy(Policy):
    """How boto3 waits for AWS."""

    attempts: Annotated[int, "requests in all before a call fails, the first included"] = 4
    connect_seconds: Annotated[float, "seconds to wait for a connection"] = 5
    read_seconds: Annotated[float, "seconds to wait for the next bytes of an answer"] = 60
    connections: Annotated[int, "connections kept open for each service"] = 32


@dataclass(frozen=True)
class SecretPolicy(Policy):
    """How secrets are kept in memory."""

    max_age_seconds: Annotated[int, "seconds after which a rotated secret is read at the latest"] = 300


@dataclass(frozen=True)
class RedeliveryPolicy(Policy):
    """When a message comes back that a function has not got done; the fifth failure moves it to the dead letters."""

    first_wait_seconds: Annotated[int, "seconds after the first failure; they double each time"] = 60
    longest_wait_seconds: Annotated[int, "no wait is longer, seconds"] = 900


RESEND_MESSAGES = RetryPolicy(attempts=3)  # those of a request that SQS did not take
PUT_ONCE = RetryPolicy(attempts=5)  # conditional writes that met another one under way
