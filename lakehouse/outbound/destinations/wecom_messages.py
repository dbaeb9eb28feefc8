"""企业微信: one message to many external contacts (企业群发). Employees get a task each, and confirm before it leaves.

All rows of a run are one message, so that an employee confirms once. It cannot be taken back here, and one whose answer
was lost is not sent again. A contact gets four a month of a company at most. Body: developer.work.weixin.qq.com, 92135.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lakehouse.outbound.destinations import Answer, Declared
from lakehouse.outbound.destinations.client import Client, at
from lakehouse.outbound.destinations.credentials import Credentials, credentials
from lakehouse.outbound.destinations.definition import Rate
from lakehouse.outbound.destinations.delivery import RowSender
from lakehouse.outbound.destinations.exchange import Answered
from lakehouse.outbound.destinations.wecom_api import WeComApi
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.outbound.destinations.definition import WeComMessagesDefinition
    from lakehouse.outbound.destinations.exchange import Asking
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

NOT_REACHED: Final = (
    "NOT_REACHED"  # no employee of the app may write to the contact, or it had its four of the month
)


class WeComMessages(RowSender):
    """A company of 企业微信. Credentials: `corpid`, and `corpsecret` of an app that may send to customers."""

    def __init__(
        self,
        client: Client,
        definition: WeComMessagesDefinition,
        secrets: Credentials,
        **timing: Callable[..., Any],
    ) -> None:
        super().__init__(**timing)
        self._who = f"destination {definition.name}"
        self._message = definition.message
        self._api = WeComApi(client, definition.url, self._who, secrets)
        rate = definition.rate or Rate(requests=1, seconds=1)
        self.declared = Declared(RequestPolicy.message_rows, rate, idempotent=False, removal="none")

    @property
    def who(self) -> str:
        """Return how errors call it."""
        return self._who

    def upsert(self, _chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Make the message to all contacts of these rows; raises as `until_answered`."""
        body = {
            "chat_type": "single",
            "external_userid": [row.id for row in rows],
            "text": {"content": self._message},
        }
        answered = self._api.ask("POST", "externalcontact/add_msg_template", asking, body)
        failed = at(answered.value, "fail_list")
        unreached = {str(each) for each in failed} if isinstance(failed, list) else set()
        answers = {
            row.row: Answer("failed", NOT_REACHED) if row.id in unreached else Answer("sent") for row in rows
        }
        return Answered(answers, answered.after_lost)

    def remove(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Raise: what was said is said."""
        raise NotImplementedError


def chunk_rows(_: WeComMessagesDefinition) -> int:
    """Return how many rows a chunk has at most: all of a run, since each chunk is a message."""
    return RequestPolicy.message_rows


def open_destination(settings: Settings, definition: WeComMessagesDefinition) -> WeComMessages:
    """Return the company that a destination's file names; Terminal as `Client` and `credentials`."""
    return WeComMessages(Client(settings, definition), definition, credentials(settings, definition))
