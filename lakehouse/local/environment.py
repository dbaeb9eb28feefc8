"""The environment: what a stack sets so that boto3, DuckDB and the functions find it, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lakehouse import aws, settings
from lakehouse.local.runtime.sandbox import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from lakehouse.local.services.keys import Keys
    from lakehouse.local.wiring.resources import Wiring

_NOBODY = "http://127.0.0.1:1"  # refuses at once; without it the user's own AWS account would be asked

# A proxy would be asked for 127.0.0.1 too, and nothing that a local stack talks to is anywhere else.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def shared_environment(wiring: Wiring) -> dict[str, str]:
    """Return what functions find in the environment, with empty URLs for queues that may not exist yet."""
    shared: dict[str, str] = {}
    for function in wiring.functions.values():
        shared |= function.environment(lambda _: "")
    return shared


def service_environment(keys: Keys, endpoints: Mapping[str, str]) -> dict[str, str]:
    """Return what every process needs to find the services, and no others."""
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoints.get("aws", _NOBODY),
        "AWS_ENDPOINT_URL_S3": endpoints["s3"],
        "AWS_CONFIG_FILE": os.devnull,  # a profile there could name other endpoints
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAKEHOUSE_CATALOG": "rest",
        "LAKEHOUSE_CATALOG_URI": endpoints["iceberg"],
        "LAKEHOUSE_HUBSPOT_URL": endpoints.get("hubspot", _NOBODY),
        "POWERTOOLS_METRICS_DISABLED": "true",  # nobody collects them here, and they go to the screen
    }


def stack_environment(
    functions: Mapping[str, str],
    services: Mapping[str, str],
    *,
    scratch: Path,
    definitions: Path,
    as_of: str | None,
    time_zone: str | None = None,
) -> dict[str, str]:
    """Return all that a stack sets.

    `functions` is what the template sets for functions, where empty values set nothing; `services`, from
    `service_environment`, wins over it, and `as_of` and `time_zone`, unless they are None, over the template's.
    """
    environment = {name: value for name, value in functions.items() if value}
    environment |= services
    environment["LAKEHOUSE_SCRATCH"] = str(scratch)
    if as_of:
        environment["LAKEHOUSE_AS_OF"] = as_of
    if time_zone:
        environment["LAKEHOUSE_TIME_ZONE"] = time_zone
    environment["LAKEHOUSE_DEFINITIONS"] = str(definitions.absolute())
    return environment


def secret_values(
    keys: Keys, functions: Mapping[str, str], names: Collection[str], destinations: str = "{}"
) -> dict[str, str]:
    """Return the values of those secrets among `names` that functions find by their environment.

    `destinations`: the JSON of the one that holds credentials of destinations.
    """
    by_variable = {
        "LAKEHOUSE_HUBSPOT_SECRET": keys.hubspot_secret(),
        "LAKEHOUSE_WEBHOOK_SECRET": keys.webhook_secret(),
        "LAKEHOUSE_COLLECT_SECRET": keys.collect_secret(),
        "LAKEHOUSE_HASH_SECRET": keys.hash_secret(),
        "LAKEHOUSE_DESTINATIONS_SECRET": destinations,
    }
    by_name = {functions.get(variable, ""): value for variable, value in by_variable.items()}
    return {name: value for name, value in by_name.items() if name in names}


def activate(env: Mapping[str, str]) -> Callable[[], None]:
    """Make this process use a stack; the returned function, when called, undoes it.

    Every other AWS_ variable goes: a profile or session token of the user's must not meet a local endpoint,
    nor a function run here the user's real account.
    """
    removed = [name for name in os.environ if name.startswith("AWS_") or name in _PROXIES]
    before = {name: os.environ.get(name) for name in (*removed, *env)}
    for name in removed:
        del os.environ[name]
    os.environ.update(env)
    forget_cached()

    def undo() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        forget_cached()

    return undo


def forget_cached() -> None:
    """Drop the settings and clients that were made from an earlier environment."""
    settings.current.cache_clear()
    aws.forget_clients()
