"""Destination definitions: files in `destinations/` of people's definitions folder, one a destination.

HubSpot needs none: its URL and token are settings.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import nearest, parse_yaml
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound.destinations.limits import zone_of
from lakehouse.outbound.destinations.template import HttpTemplate, Rate, load_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Definition", "Rate", "find_destination", "load_destinations", "wrong_destinations"]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ROBOT_URLS = {
    "dingtalk": "https://oapi.dingtalk.com",
    "feishu": "https://open.feishu.cn",
    "wecom": "https://qyapi.weixin.qq.com",
}


class Quota(BaseModel):
    """So many requests a day, which turns at midnight of `zone` (its IANA name)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: Annotated[int, Field(ge=1)]
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        zone_of(zone)
        return zone


class Definition(BaseModel):
    """One destination: its name, its kind, and what of a destination that kind needs.

    Credentials stand in the secret that the setting `destinations_secret` names, under the destination's name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    kind: Literal[
        "hubspot",
        "http",
        "webhook",
        "salesforce",
        "file",
        "dingtalk",
        "feishu",
        "wecom",
        "wecom_tags",
        "wecom_messages",
    ]
    quota: Quota | None = None

    @property
    def file(self) -> str:
        """Return how errors call the definition's file."""
        return f"destinations/{self.name}.yaml"


class WithUrl(Definition):
    """A destination that is reached at a URL."""

    url: str

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        """Refuse a URL that is none, or that carries what belongs elsewhere; where it points is asked later."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("it is no URL") from None
        if _CONTROL.search(url) or " " in url:
            raise ValueError("a URL has no blanks and no control characters")
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
            raise ValueError("a URL begins with https:// and names a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("credentials do not stand in a URL: put them into the secret")
        if parts.fragment or parts.query:
            raise ValueError("a base URL has neither `?` nor `#`")
        return url.rstrip("/")


class HttpDefinition(WithUrl):
    """A generic HTTP API, by a template that ships with the package (its name) or that stands here."""

    kind: Literal["http"]
    template: HttpTemplate

    @field_validator("template", mode="before")
    @classmethod
    def _by_name(cls, template: Any) -> Any:
        return load_template(template) if isinstance(template, str) else template


class WebhookDefinition(WithUrl):
    """Whoever takes webhooks that are signed by standardwebhooks.com; `path`: where below the URL."""

    kind: Literal["webhook"]
    rate: Rate | None = None


class SalesforceDefinition(WithUrl):
    """A Salesforce organisation: the URL of its own domain, and the version of its API."""

    kind: Literal["salesforce"]
    version: Annotated[str, StringConstraints(pattern=r"^v\d{2,3}\.\d$")] = "v62.0"
    duplicates: Annotated[
        Literal["refuse", "allow"],
        Field(description="what a rule about duplicates that only warns does to rows that are written"),
    ] = "refuse"


class FileDefinition(Definition):
    """Files for people to import: tables in the ops bucket, below `exports/drops/<destination>/`."""

    kind: Literal["file"]
    format: Literal["xlsx", "csv"] = "xlsx"
    rows: Annotated[int, Field(ge=1, le=10_000, description="rows of one file at most")] = 5_000
    record_column: str = Field(
        "", description="a column for the id of the CRM's record, where it is known; empty, none"
    )


class RobotDefinition(WithUrl):
    """A robot of a chat group. `message` is said of each run; `{count}` in it is how many people are new."""

    kind: Literal["dingtalk", "feishu", "wecom"]
    url: str = ""
    message: Annotated[str, StringConstraints(min_length=1, max_length=1000)]

    def model_post_init(self, _context: Any) -> None:
        """Take the vendor's URL where none was given."""
        if not self.url:
            object.__setattr__(self, "url", _ROBOT_URLS[self.kind])

    @field_validator("message")
    @classmethod
    def _only_count(cls, message: str) -> str:
        try:
            message.format_map({"count": 0, "sync": ""})
        except (KeyError, ValueError, IndexError, AttributeError):
            raise ValueError("only {count} and {sync} stand in braces") from None
        return message


class WeComTagsDefinition(WithUrl):
    """The tags of 企业微信's customers; `create_tags` lets those be made that a group lacks."""

    kind: Literal["wecom_tags"]
    url: str = _ROBOT_URLS["wecom"]
    create_tags: bool = False
    rate: Rate | None = None


class WeComMessagesDefinition(WithUrl):
    """Messages to 企业微信's customers; `message` is what all of a run are told, after an employee confirmed it."""

    kind: Literal["wecom_messages"]
    url: str = _ROBOT_URLS["wecom"]
    message: Annotated[str, StringConstraints(min_length=1, max_length=1300)]  # of 4,000 bytes
    rate: Rate | None = None


_BY_KIND: dict[str, type[Definition]] = {
    "http": HttpDefinition,
    "webhook": WebhookDefinition,
    "salesforce": SalesforceDefinition,
    "file": FileDefinition,
    "wecom_tags": WeComTagsDefinition,
    "wecom_messages": WeComMessagesDefinition,
    **dict.fromkeys(_ROBOT_URLS, RobotDefinition),
}
HUBSPOT = Definition(name="hubspot", kind="hubspot")


def parse_destination(text: str, where: str) -> Definition:
    """Read one definition; BadDefinition names the file, the field and its line."""
    kind = _kind_of(text)
    if kind not in _BY_KIND:
        raise BadDefinition(f"{where}: kind: there is no kind {kind!r}{nearest(kind, sorted(_BY_KIND))}")
    definition = parse_yaml(text, where, _BY_KIND[kind])
    if definition.name != PurePath(where).stem:
        raise BadDefinition(f"{where}: name: {definition.name!r} must be the file's own name")
    if definition.name == HUBSPOT.name:
        raise BadDefinition(f"{where}: name: HubSpot's URL and token are settings; call this one otherwise")
    return definition


def _kind_of(text: str) -> str:
    """Return what a text says as its `kind`, without judging the rest of it."""
    found = re.search(r"^kind:[ \t]*[\"']?([^\s\"'#]*)", text, re.MULTILINE)
    return found[1] if found else ""


_load = DefinitionLoader(
    "destinations", ("lakehouse.outbound", "shipped_destinations"), parse_destination, lambda one: one.name
)


def load_destinations(overrides: Path | None = None) -> dict[str, Definition]:
    """Return the destinations that there are, by name; those whose file is wrong are left out."""
    return {**_load.load_each(overrides).definitions, HUBSPOT.name: HUBSPOT}


def wrong_destinations(overrides: Path | None = None) -> Mapping[str, str]:
    """Return what is wrong with each file that defines no destination, by its name."""
    return _load.load_each(overrides).wrong


def find_destination(overrides: Path | None, name: str) -> Definition:
    """Return the destination of that name; Terminal for one that is unknown or whose file is wrong."""
    if name == HUBSPOT.name:
        return HUBSPOT
    known = load_destinations(overrides)
    if name in known:
        return known[name]
    wrong = wrong_destinations(overrides)
    if name in wrong:
        raise Terminal(f"destinations/{wrong[name]}")
    raise Terminal(f"no destination is called {name!r}{nearest(name, sorted(known))}")
