"""Robots of chat groups, 钉钉, Feishu (飞书) and 企业微信: one message a run, how many people are new in it.

The message holds a number and nobody's data. It cannot be taken back, and one whose answer was lost is not sent again.
These APIs answer 200 whatever happens; a code in the body says what did.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import Answer, Declared
from lakehouse.outbound.destinations.client import Client, Request, at, code_or, json_of
from lakehouse.outbound.destinations.credentials import Credentials, credentials
from lakehouse.outbound.destinations.definition import Rate
from lakehouse.outbound.destinations.delivery import RowSender
from lakehouse.outbound.destinations.exchange import Answered, AskAgain, until_answered
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.outbound.destinations.definition import RobotDefinition
    from lakehouse.outbound.destinations.exchange import Asking
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

_OK: Final = "0"


class Robot(RowSender):
    """One robot. `later`: the codes that say that it was asked too often; all others need a person."""

    later: ClassVar[frozenset[str]]
    code_at: ClassVar[tuple[str, ...]] = ("errcode",)
    rate: ClassVar[Rate] = Rate(requests=20, seconds=60)

    def __init__(
        self,
        client: Client,
        definition: RobotDefinition,
        secrets: Credentials,
        unix_time: Callable[[], float] = time.time,
        **timing: Callable[..., Any],
    ) -> None:
        super().__init__(**timing)
        self._client, self._message, self._secrets = client, definition.message, secrets
        self._who = f"destination {definition.name}"
        self._unix_time = unix_time
        self.declared = Declared(RequestPolicy.robot_rows, self.rate, idempotent=False, removal="none")

    @property
    def who(self) -> str:
        """Return how errors call it."""
        return self._who

    def upsert(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Say how many rows there are; raises as `until_answered`."""
        text = self._message.format_map({"count": len(rows), "sync": chunk.sync})

        def once() -> dict[int, Answer]:
            request = self.request(text, self._unix_time())  # made anew for each try: signatures grow old
            body = json_of(self._client.call(request))
            codes = (code_or(at(body, path), "") for path in self.code_at)
            code = next(filter(None, codes), "")
            if code in self.later:
                raise AskAgain(f"asks to wait ({code})", done=False)
            if not code:
                raise AskAgain("answers without a code")
            if code != _OK:
                raise Terminal(
                    f"{self.who} refuses the message ({code}): look at its token, its signing secret and its keywords"
                )
            return {row.row: Answer("sent") for row in rows}

        return until_answered(once, asking)

    def remove(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Raise: what was said is said."""
        raise NotImplementedError

    @abstractmethod
    def request(self, text: str, now: float) -> Request:
        """Return the request that says a text; `now`: seconds since 1970."""


class DingTalk(Robot):
    """钉钉. Credentials: `token` (of the webhook's URL), and `secret` where the robot checks signatures."""

    later = frozenset({"-1", "130101"})

    def request(self, text: str, now: float) -> Request:
        """Return the request that says a text."""
        query = {"access_token": self._secrets["token"]}
        if "secret" in self._secrets:
            secret = self._secrets["secret"]
            timestamp = str(int(now * 1000))
            digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
            # httpx encodes it for the URL: encoded here as well it would not match
            query |= {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
        return Request(
            "POST", "/robot/send", json={"msgtype": "text", "text": {"content": text}}, query=query
        )


class Feishu(Robot):
    """Feishu (飞书). Credentials: `token` (the end of the webhook's URL), `secret` where it checks signatures."""

    later = frozenset({"9499", "11232"})
    code_at = ("code", "StatusCode")
    rate = Rate(requests=100, seconds=60)

    def request(self, text: str, now: float) -> Request:
        """Return the request that says a text."""
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if "secret" in self._secrets:
            timestamp = str(int(now))
            key = f"{timestamp}\n{self._secrets['secret']}"  # it is the key, and what is signed is empty
            digest = hmac.new(key.encode(), b"", hashlib.sha256).digest()
            body |= {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
        return Request("POST", f"/open-apis/bot/v2/hook/{self._secrets['token']}", json=body)


class WeCom(Robot):
    """企业微信. Credentials: `token` (the `key` of the webhook's URL)."""

    later = frozenset({"-1", "45009"})

    def request(self, text: str, now: float) -> Request:  # noqa: ARG002 - nothing is signed
        """Return the request that says a text."""
        query = {"key": self._secrets["token"]}
        body = {"msgtype": "text", "text": {"content": text}}
        return Request("POST", "/cgi-bin/webhook/send", json=body, query=query)


_ROBOTS: Final[dict[str, type[Robot]]] = {"dingtalk": DingTalk, "feishu": Feishu, "wecom": WeCom}


def chunk_rows(_: RobotDefinition) -> int:
    """Return how many rows a chunk has at most: all of a run, since each chunk is a message."""
    return RequestPolicy.robot_rows


def open_destination(settings: Settings, definition: RobotDefinition) -> Robot:
    """Return the robot that a destination's file names; Terminal as `Client` and `credentials`."""
    made = _ROBOTS[definition.kind]
    return made(Client(settings, definition), definition, credentials(settings, definition))
