"""企业微信's API: tokens, and what its codes mean. It always answers 200; `errcode` in the body says what was done.

Codes: developer.work.weixin.qq.com, 90313.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.client import Client, Request, at, code_or, json_of
from lakehouse.outbound.destinations.exchange import Answered, AskAgain, Refused, until_answered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.outbound.destinations.credentials import Credentials
    from lakehouse.outbound.destinations.exchange import Asking

_OK: Final = "0"
_OLD_TOKEN: Final = frozenset({"40001", "40014", "42001"})
_LATER: Final = frozenset({"45009", "45033"})  # asked too often, or by too many at once: nothing was done
_BUSY: Final = "-1"
# What no other row changes: the app, its rights, its secret, its address.
_NEEDS_PERSON: Final = frozenset(
    {"40013", "40056", "40091", "48001", "48002", "50001", "60011", "60020", "84074", "301002"}
)
_TOKENS: Final[dict[tuple[str, str, str], str]] = {}
_GETTING_TOKEN: Final = Lock()


class WeComApi:
    """One app of a company, by `corpid` and `corpsecret` of the credentials."""

    def __init__(self, client: Client, url: str, who: str, secrets: Credentials) -> None:
        self._client, self._url, self._who, self._secrets = client, url, who, secrets

    def ask(
        self,
        method: str,
        path: str,
        asking: Asking,
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> Answered[Any]:
        """Ask as often as it takes; a token that has run out is got anew once. Raises as `until_answered`."""

        def once() -> Any:
            for is_last in (False, True):
                token = self._token()
                asked = Request(
                    method, f"/cgi-bin/{path}", json=body, query={"access_token": token, **(query or {})}
                )
                said = json_of(self._client.call(asked, _errcode))
                code = _errcode(said)
                if code in _OLD_TOKEN and not is_last:
                    self._forget(token)
                    continue
                return self._judged(said, code)
            raise AssertionError("the second answer is returned or raised")

        return until_answered(once, asking)

    def _judged(self, said: Any, code: str) -> Any:
        """Return a body that says that it was done; raise what any other means."""
        if code == _OK:
            return said
        if code in _LATER:
            raise AskAgain(f"asks to wait ({code})", done=False)
        if code in ("", _BUSY):
            raise AskAgain("answers without a code" if not code else "is busy (-1)")
        if code in _NEEDS_PERSON or code in _OLD_TOKEN:
            raise Terminal(
                f"{self._who} refuses the app ({code}): look at its rights to customers and their tags, at its trusted "
                "addresses, and at the secret"
            )
        raise Refused(code)

    def _key(self) -> tuple[str, str, str]:
        return self._url, self._secrets["corpid"], self._secrets["corpsecret"]

    def _forget(self, token: str) -> None:
        """Forget a token, unless another worker has got a new one meanwhile."""
        with _GETTING_TOKEN:
            if _TOKENS.get(self._key()) == token:
                del _TOKENS[self._key()]

    def _token(self) -> str:
        """Return an access token, one that is there or a new one; kept for the life of the process."""
        with _GETTING_TOKEN:
            key = self._key()
            if key not in _TOKENS:
                query = {"corpid": self._secrets["corpid"], "corpsecret": self._secrets["corpsecret"]}
                said = json_of(self._client.call(Request("GET", "/cgi-bin/gettoken", query=query), _errcode))
                token = at(self._judged(said, _errcode(said)), "access_token")
                if not isinstance(token, str) or not token:
                    raise AskAgain("gives no token", done=False)
                _TOKENS[key] = token
            return _TOKENS[key]


def _errcode(body: Any) -> str:
    return code_or(at(body, "errcode"), "")


def forget_tokens() -> None:
    """Forget the tokens that were got."""
    _TOKENS.clear()
