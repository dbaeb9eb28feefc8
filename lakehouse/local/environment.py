"""The environment: what a stack sets so that boto3, DuckDB and the functions find it, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lakehouse import aws, settings
from lakehouse.local.runtime.sandbox import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakehouse.local.services.keys import Keys
    from lakehouse.local.wiring.resources import Wiring

_NOBODY = "http://127.0.0.1:1"  # refuses at once; without it the user's own AWS account would be asked

# A proxy would be asked for 127.0.0.1 too, and nothing that a local stack talks to is anywhere else.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def shared_environment(wiring: Wiring) -> dict[str, str]:
    """Return what functions find in the environment, with empty URLs for queues that may not exist yet."""
    return {k: v for f in wiring.functions.values() for k, v in f.environment(lambda _: "").items()}


def service_environment(keys: Keys, endpoints: Mapping[str, str]) -> dict[str, str]:
    """Return what every process needs to find the services, and no others."""
    cloud = endpoints.get("aws", _NOBODY)
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ENDPOINT_URL_S3": endpoints["s3"],
        "AWS_CONFIG_FILE": os.devnull,  # a profile there could name other endpoints
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAKEHOUSE_CATALOG": "rest",
        "LAKEHOUSE_CATALOG_URI": endpoints["iceberg"],
        "LAKEHOUSE_HUBSPOT_URL": endpoints.get("hubspot", _NOBODY),
        "POWERTOOLS_METRICS_DISABLED": "true",  # nobody collects them here, and they go to the screen
    }


def activate(env: Mapping[str, str]) -> Callable[[], None]:
    """Make this process use a stack; the answer, when called, undoes it.

    Every other AWS_ variable goes: a profile or session token of the user's must not meet a local endpoint,
    nor a function run here his real account.
    """
    gone = [n for n in os.environ if n.startswith("AWS_") or n in _PROXIES]
    before = {name: os.environ.get(name) for name in (*gone, *env)}
    for name in gone:
        del os.environ[name]
    os.environ.update(env)
    _forget()

    def undo() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _forget()

    return undo


def _forget() -> None:
    settings.current.cache_clear()
    aws.forget_clients()
