"""企业微信: the corp tags of external contacts (客户标签). A property is a tag group, its value the tags in it.

A tag hangs on an employee's relation with a contact, so each who follows the contact gets it. Codes and bodies:
developer.work.weixin.qq.com, 92117 and 92118.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer, Declared, NotSent
from lakehouse.outbound.destinations.client import Client, at, code_or
from lakehouse.outbound.destinations.credentials import Credentials, credentials
from lakehouse.outbound.destinations.definition import Rate
from lakehouse.outbound.destinations.delivery import RowSender, done
from lakehouse.outbound.destinations.delivery import chunk_rows as rows_within_rate
from lakehouse.outbound.destinations.exchange import Answered, Refused
from lakehouse.outbound.destinations.wecom_api import WeComApi

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lakehouse.outbound.destinations.definition import WeComTagsDefinition
    from lakehouse.outbound.destinations.exchange import Asking
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

SEPARATOR: Final = ";"  # between the tags of one value
_GONE: Final = frozenset({"84061", "86003", "40096"})  # no relation with the contact, or no such contact
_TAG_GONE: Final = "40068"  # a tag that was deleted, or made a moment ago
_TAG_THERE: Final = "40071"  # another worker made it meanwhile
_REQUESTS_A_ROW: Final = 2  # one to read the contact, one to tag; more where several employees follow it


@dataclass(frozen=True, slots=True)
class Marked:
    """What one employee's relation with a contact is to get and to lose, as ids of tags."""

    userid: str
    add: list[str]
    remove: list[str]


def marks(
    contact: Mapping[str, Any], wanted: Mapping[str, Collection[str]], ids: Mapping[tuple[str, str], str]
) -> list[Marked]:
    """Return what changes for each who follows a contact, so that in each wanted group it has the wanted tags.

    `ids` has tags by group and name. Tags of other groups, and those that an employee made alone, are left.
    """
    found = []
    add_ids = {ids[group, name] for group, names in wanted.items() for name in names}
    follows = contact.get("follow_user")
    for follow in follows if isinstance(follows, list) else []:
        tags = follow.get("tags")
        held = {
            str(tag.get("tag_id", ""))
            for tag in (tags if isinstance(tags, list) else [])
            if str(tag.get("group_name", "")) in wanted and tag.get("tag_id")
        }
        change = Marked(str(follow.get("userid", "")), sorted(add_ids - held), sorted(held - add_ids))
        if change.userid:
            found.append(change)
    return found


def names_of(value: str) -> list[str]:
    """Return the tags that a property's value names."""
    return [name for part in value.split(SEPARATOR) if (name := part.strip())]


class WeComTags(RowSender):
    """A company of 企业微信. Credentials: `corpid`, and `corpsecret` of an app that may manage customers' tags."""

    def __init__(
        self,
        client: Client,
        definition: WeComTagsDefinition,
        secrets: Credentials,
        **timing: Callable[..., Any],
    ) -> None:
        super().__init__(**timing)
        self._definition = definition
        self._who = f"destination {definition.name}"
        self._api = WeComApi(client, definition.url, self._who, secrets)
        self._ids: dict[tuple[str, str], str] | None = None
        self.declared = declared(definition)

    @property
    def who(self) -> str:
        """Return how errors call it."""
        return self._who

    def upsert(self, _chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Give a contact the tags that its row names, and no others of their groups; raises as `until_answered`."""
        return self._mark(rows, asking)

    def remove(self, _chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Take the tags of a row's groups off a contact; one whom nobody follows any more has none."""
        return self._mark(rows, asking)

    def _mark(self, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        answers: dict[int, Answer] = {}
        after_lost = False
        for row in rows:
            try:
                answered = self._mark_one(row, asking)
            except Refused as refused:
                if refused.code not in _GONE or row.action == "upsert":
                    raise
                answered = Answered(Answer("removed", "GONE"), refused.after_lost)
            answers[row.row] = answered.value
            after_lost = after_lost or answered.after_lost
        return Answered(answers, after_lost)

    def _mark_one(self, row: Row, asking: Asking) -> Answered[Answer]:
        wanted = {group: names_of(value) for group, value in row.properties.items()}
        ids = self._ids_of(wanted, asking)
        body = self._api.ask("GET", "externalcontact/get", asking, query={"external_userid": row.id}).value
        contact = body if isinstance(body, dict) else {}
        changes = marks(contact, wanted, ids)
        if not changes:
            raise Refused("84061")
        marked, after_lost, refused = 0, False, None
        for change in changes:
            if not (change.add or change.remove):
                marked += 1
                continue
            try:
                after_lost |= self._mark_relation(row, change, asking).after_lost
                marked += 1
            except Refused as error:
                refused = error
            except NotSent as error:
                raise Transient(str(error)) if marked else error from None
        if refused is not None and not marked:
            raise refused
        return Answered(Answer(done(row.action), crm_id=code_or(row.id, "")), after_lost)

    def _mark_relation(self, row: Row, change: Marked, asking: Asking) -> Answered[Any]:
        body: dict[str, Any] = {"userid": change.userid, "external_userid": row.id}
        body |= {"add_tag": change.add} if change.add else {}  # an empty list is refused
        body |= {"remove_tag": change.remove} if change.remove else {}
        try:
            return self._api.ask("POST", "externalcontact/mark_tag", asking, body)
        except Refused as refused:
            if refused.code == _TAG_GONE:
                self._ids = None  # the next row asks which tags there are
            raise

    def _ids_of(self, wanted: Mapping[str, Collection[str]], asking: Asking) -> dict[tuple[str, str], str]:
        """Return the ids of tags by group and name; those that are missing are made, where the file says so."""
        if self._ids is None:
            self._ids = self._listed(asking)
        missing = {
            group: [name for name in names if (group, name) not in self._ids]
            for group, names in wanted.items()
        }
        for group, names in missing.items():
            if names:
                self._make(group, names, asking)
        return self._ids

    def _make(self, group: str, names: Sequence[str], asking: Asking) -> None:
        if not self._definition.create_tags:
            raise Terminal(
                f"{self._definition.file}: 企业微信's tag group {group!r} lacks {len(names)} of a row's tags: "
                "make them there (`lakehouse publish SYNC --dry-run` shows them), or say `create_tags: true`"
            )
        body = {"group_name": group, "tag": [{"name": name} for name in names]}
        try:
            self._api.ask("POST", "externalcontact/add_corp_tag", asking, body)
        except Refused as refused:
            if refused.code != _TAG_THERE:
                raise Terminal(f"{self._who} makes no tag in the group {group!r} ({refused.code})") from None
        self._ids = self._listed(asking)
        if lacking := [name for name in names if (group, name) not in self._ids]:
            raise Transient(
                f"{self._who} does not list a tag that it made ({len(lacking)}); the chunk is tried again"
            )

    def _listed(self, asking: Asking) -> dict[tuple[str, str], str]:
        body = self._api.ask("POST", "externalcontact/get_corp_tag_list", asking, {}).value
        groups = at(body, "tag_group")
        return {
            (str(group.get("group_name", "")), str(tag.get("name", ""))): str(tag["id"])
            for group in (groups if isinstance(groups, list) else [])
            for tag in group.get("tag") or []
            if tag.get("id") and not tag.get("deleted")
        }


def declared(definition: WeComTagsDefinition) -> Declared:
    """Return what the destination says of itself."""
    rate = definition.rate or Rate(requests=5, seconds=1)
    return Declared(1, rate, idempotent=True, removal="clear")


def chunk_rows(definition: WeComTagsDefinition) -> int:
    """Return how many rows a chunk has at most: each takes several requests."""
    return max(rows_within_rate(declared(definition)) // _REQUESTS_A_ROW, 1)


def open_destination(settings: Settings, definition: WeComTagsDefinition) -> WeComTags:
    """Return the company that a destination's file names; Terminal as `Client` and `credentials`."""
    return WeComTags(Client(settings, definition), definition, credentials(settings, definition))
