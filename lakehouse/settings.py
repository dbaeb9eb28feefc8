"""Settings: the only reader of the environment. On AWS the template sets them, on a laptop the stack does."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lakehouse.command_line import command_line
from lakehouse.errors import Terminal

_ZONE: Final = re.compile(r"UTC|[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+")


class Settings(BaseSettings):
    """Where things are. Names in the environment carry the prefix LAKEHOUSE_ unless given otherwise."""

    model_config = SettingsConfigDict(env_prefix="LAKEHOUSE_", extra="ignore", frozen=True)

    # object storage
    landing_bucket: str = "landing"
    ops_bucket: str = "ops"

    # Iceberg catalog: `sql` (an SQLAlchemy URL), `rest` (a URL) or `glue` (no URL)
    catalog: Literal["sql", "rest", "glue"] = "glue"
    catalog_uri: str = ""
    warehouse: str = ""

    # AWS; boto3 itself reads AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and the credentials, DuckDB is given them
    region: str = Field("us-east-1", validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))
    s3_endpoint: str | None = Field(None, validation_alias="AWS_ENDPOINT_URL_S3")
    access_key: str | None = Field(None, validation_alias="AWS_ACCESS_KEY_ID")
    secret_key: SecretStr | None = Field(None, validation_alias="AWS_SECRET_ACCESS_KEY")
    session_token: SecretStr | None = Field(None, validation_alias="AWS_SESSION_TOKEN")

    # messages
    event_bus: str = "default"
    ingest_queue_url: str = ""
    resolve_queue_url: str = ""
    aggregate_queue_url: str = ""
    export_queue_url: str = ""
    publish_queue_url: str = ""
    books_queue_url: str = ""
    collect_queue_url: str = ""
    settle_seconds: int = Field(
        30,
        ge=0,
        le=900,
        description="how long a stage that waits for those before it puts itself off, each time",
    )

    # privacy and the CRM
    consent_table: str = "consent"
    limits_table: str = Field(
        "",
        description="table where workers of `publish` share what destinations allow; empty: each keeps to its part",
    )
    consent_max_age_hours: int = Field(
        72,
        ge=1,
        description="hours for which a consent projection grants anything; older than that it withholds all",
    )
    webhook_secret: str = "lakehouse/webhook"  # noqa: S105 - the name of a secret, not the secret
    hubspot_secret: str = "lakehouse/hubspot"  # noqa: S105 - the name of a secret, not the secret
    hash_secret: str = "lakehouse/hash"  # noqa: S105 - the name of a secret, not the secret
    collect_secret: str = "lakehouse/collect"  # noqa: S105 - the name of a secret, not the secret
    hubspot_url: str = "https://api.hubapi.com"
    destinations_secret: str = "lakehouse/destinations"  # noqa: S105 - the name of a secret, not the secret
    inward_hosts: str = Field(
        "",
        description="hosts inside that destinations may be reached at: names or name:port, with commas; empty, none",
    )

    # definitions of people, and the day that time-relative definitions look back from
    definitions: Path | None = None
    as_of: datetime | None = None
    time_zone: str = Field(
        "UTC",
        description="IANA name of the zone whose days are the business's: of orders, of events, and today",
    )

    # limits of one function's DuckDB
    memory_limit: str = ""  # DuckDB's, like 800MB; empty: half of the function's
    spill_limit: str = ""  # DuckDB's on scratch disk, like 6GB; empty: nine tenths of what is free there
    function_memory_mb: int = Field(
        2048,
        ge=128,
        validation_alias="AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        description="MiB of a function; DuckDB takes half of it, and units of ingest grow with it",
    )
    threads: int = Field(
        2, ge=1, description="threads of one function: of a query, or of readers beside each other"
    )
    scratch: Path = Path("/tmp")  # noqa: S108 - Lambda's only writable folder

    @property
    def duck_memory(self) -> str:
        """Return DuckDB's memory limit; what it holds beside it, Python and Iceberg need the rest of the function's."""
        return self.memory_limit or f"{self.function_memory_mb // 2}MB"

    def now_or_as_of(self, now: datetime | None = None) -> datetime:
        """Return the moment that time-relative definitions mean by 'now'; without a zone it is the business's."""
        moment = self.as_of or now or datetime.now(UTC)
        return moment if moment.tzinfo else moment.replace(tzinfo=_zone(self.time_zone))

    @property
    def zone(self) -> tzinfo:
        """Return the business's time zone."""
        return _zone(self.time_zone)

    def as_of_day(self, now: datetime | None = None) -> date:
        """Return the business's day of `now_or_as_of`."""
        return self.now_or_as_of(now).astimezone(_zone(self.time_zone)).date()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        """Refuse what cannot be a zone. Who needs it asks whether there is one: zones may not be installed."""
        if _ZONE.fullmatch(zone) is None:
            raise ValueError(f"{zone!r} is no time zone of IANA, such as Asia/Shanghai or UTC")
        return zone


def _zone(name: str) -> tzinfo:
    """Return a time zone; UTC needs none that is installed. `Terminal` for one that this machine does not know."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Terminal(
            f"LAKEHOUSE_TIME_ZONE: this machine knows no time zone {name!r}; where the name is right, install tzdata"
        ) from error


def names_catalog() -> bool:
    """Return whether the environment names a catalog."""
    return "LAKEHOUSE_CATALOG" in os.environ


def named_or_running(data: Path) -> Settings:
    """Return the environment's settings where it names a catalog, else those of the stack that runs on `data`.

    Raises `Terminal` when there is neither.
    """
    if names_catalog():
        return current()
    try:
        env = json.loads((data / "stack.json").read_text("utf-8"))["env"]
        values = {name: env[alias] for name, alias in _environment_names().items() if alias in env}
    except (OSError, ValueError, KeyError, TypeError):  # no such file, or another program's
        raise Terminal(
            f"no stack runs on {data} and LAKEHOUSE_CATALOG is not set: start one with `{command_line('up', data)}`"
        ) from None
    return _StackSettings.model_validate(values)


class _StackSettings(Settings):
    """A stack's settings as its file has them, and nothing of the environment.

    The keys of somebody's own account must not meet the stack's endpoints.
    """

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as pydantic calls it
        init_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _environment_names() -> dict[str, str]:
    """Return the name in the environment of each setting."""
    names = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            alias = str(alias.choices[0])
        names[str(alias or name)] = str(alias or f"LAKEHOUSE_{name.upper()}")
    return names


@lru_cache(maxsize=1)
def current() -> Settings:
    """Return the process's settings, read once. Tests call `current.cache_clear()`."""
    return Settings()
