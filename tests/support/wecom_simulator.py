"""企业微信 in memory: tokens, corp tags, messages, and customers whom employees follow, as its documents describe them.

Every answer is 200; `errcode` says what it is.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import count
from typing import Any

import httpx

CORP, SECRET_ERROR = "ww-corp-of-a-test", 40001


class WeComSimulator:
    """Customers by external_userid, each followed by employees. `rejected` is nobody's customer, `poison` unfit."""

    def __init__(self, secret: str, rejected: str = "", poison: str = "") -> None:
        self._secret, self.rejected, self.poison = secret, rejected, poison
        self.followers: dict[str, list[str]] = {}  # of whom nothing is said here, one employee
        self.groups: dict[str, dict[str, str]] = {"tier": {}}  # names of tags by their ids, by group
        self.marked: dict[tuple[str, str], set[str]] = {}  # ids of tags by customer and employee
        self.writes: Counter[str] = Counter()
        self.batches: list[int] = []
        self.tokens_given = 0
        self.valid_tokens: set[str] = set()
        self.codes: list[int] = []  # what the next calls that mark, or make a message, answer
        self.messages: list[tuple[str, list[str]]] = []  # texts, and to whom
        self._ids = count(1)
        for name in ("gold", "silver", "platinum"):
            self.groups["tier"][self._id()] = name

    def _id(self) -> str:
        return f"et{next(self._ids):030d}"

    @property
    def records(self) -> dict[str, dict[str, str]]:
        """What each customer has, by group: the tags in it, in the words of a row."""
        found: dict[str, dict[str, str]] = {}
        for (customer, _), tags in self.marked.items():
            record = found.setdefault(customer.lower(), {"_id": customer})
            for group, names in self.groups.items():
                record[group] = ";".join(sorted(names[tag] for tag in tags if tag in names))
        return found

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix("/cgi-bin/"), request.url.params
        if path == "gettoken":
            return self._give_token(query)
        if query.get("access_token") not in self.valid_tokens:
            return _answer(42001 if query.get("access_token") else 41001)
        body = json.loads(request.content) if request.content else {}
        if (request.method, path) == ("GET", "externalcontact/get"):
            return self._get(query["external_userid"])
        calls = {
            "get_corp_tag_list": self._list,
            "add_corp_tag": self._add,
            "mark_tag": self._mark,
            "add_msg_template": self._message,
        }
        call = calls.get(path.removeprefix("externalcontact/"))
        return call(body) if call and request.method == "POST" else httpx.Response(404)

    def _give_token(self, query: httpx.QueryParams) -> httpx.Response:
        if query.get("corpid") != CORP:
            return _answer(40013)
        if query.get("corpsecret") != self._secret:
            return _answer(SECRET_ERROR)
        self.tokens_given += 1
        token = f"access-{self.tokens_given}"
        self.valid_tokens = {token}
        return _answer(0, access_token=token, expires_in=7200)

    def _get(self, customer: str) -> httpx.Response:
        follows = self._followers(customer)
        if not follows:
            return _answer(84061)
        shown = [
            {
                "userid": userid,
                "remark": customer,
                "tags": [
                    {"group_name": group, "tag_name": names[tag], "tag_id": tag, "type": 1}
                    for group, names in self.groups.items()
                    for tag in sorted(self.marked.get((customer, userid), set()))
                    if tag in names
                ]
                + [
                    {"group_name": "own", "tag_name": "小本本", "type": 2}
                ],  # an employee's own: without an id
            }
            for userid in follows
        ]
        contact = {"external_userid": customer, "name": "…", "type": 1}
        return _answer(0, external_contact=contact, follow_user=shown)

    def _followers(self, customer: str) -> list[str]:
        if customer == self.rejected or customer.startswith("nobody"):
            return []
        return self.followers.get(customer, ["sales-1"])

    def _list(self, body: dict[str, Any]) -> httpx.Response:
        if body.get("group_id") == [""]:
            return _answer(40058)
        shown = [
            {
                "group_id": f"g-{group}",
                "group_name": group,
                "tag": [
                    {"id": tag, "name": name, "create_time": 1, "order": 0} for tag, name in names.items()
                ],
            }
            for group, names in self.groups.items()
        ]
        return _answer(0, tag_group=shown)

    def _add(self, body: dict[str, Any]) -> httpx.Response:
        names = [tag.get("name") for tag in body.get("tag", [])]
        if (
            body.keys() - {"group_id", "group_name", "order", "tag"}
            or not all(names)
            or body.get("group_id") == ""
        ):
            return _answer(40058)
        group = self.groups.setdefault(body["group_name"], {})
        if set(names) & set(group.values()):
            return _answer(40071)
        made = {self._id(): str(name) for name in names}
        group |= made
        shown = [{"id": tag, "name": name} for tag, name in made.items()]
        return _answer(0, tag_group={"group_name": body["group_name"], "tag": shown})

    def _mark(self, body: dict[str, Any]) -> httpx.Response:
        self.batches.append(1)
        if self.codes:
            return _answer(self.codes.pop(0))
        add, remove = body.get("add_tag", []), body.get("remove_tag", [])
        customer, userid = str(body.get("external_userid", "")), str(body.get("userid", ""))
        if body.keys() - {"userid", "external_userid", "add_tag", "remove_tag"} or not (add or remove):
            return _answer(40058)
        if customer == self.poison:
            return _answer(40096)
        if userid not in self._followers(customer):
            return _answer(84061)
        known = {tag for names in self.groups.values() for tag in names}
        if set(add) - known:
            return _answer(40068)
        self.marked.setdefault((customer, userid), set()).difference_update(remove)
        self.marked[customer, userid] |= set(add)
        self.writes[customer.lower()] += 1
        return _answer(0)

    def _message(self, body: dict[str, Any]) -> httpx.Response:
        customers, text = body.get("external_userid", []), body.get("text", {}).get("content", "")
        self.batches.append(len(customers))
        if self.codes:
            return _answer(self.codes.pop(0))
        if body.keys() - {"chat_type", "external_userid", "sender", "text", "attachments"} or not text:
            return _answer(40058)
        if not customers or len(customers) > 10_000 or len(text.encode()) > 4_000 or self.poison in customers:
            return _answer(40058)
        reached = [each for each in customers if self._followers(each)]
        failed = [each for each in customers if each not in reached]
        if not reached:
            return _answer(41048, fail_list=failed)
        self.messages.append((text, reached))
        self.writes.update(each.lower() for each in reached)
        return _answer(0, fail_list=failed, msgid=f"msg{len(self.messages)}")


def _answer(code: int, **body: Any) -> httpx.Response:
    return httpx.Response(
        200, json={"errcode": code, "errmsg": "ok" if code == 0 else f"hint {code}", **body}
    )
