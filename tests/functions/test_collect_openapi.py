"""docs/collect-openapi.yaml says what the front door answers: whatever is sent, it is one of those, and never a 5xx."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from functions.collect.handler import handler
from lakehouse import objects
from lakehouse import settings as settings_module
from lakehouse.landing import collect as door
from lakehouse.landing.write_keys import RateLimits
from lakehouse.local.runtime.http_front import Request, answer, match
from lakehouse.local.stack import load_wiring
from tests.support import cloud as clouds

PAGE = yaml.safe_load((Path(__file__).parents[2] / "docs/collect-openapi.yaml").read_text("utf-8"))
CODES = set(PAGE["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
EXAMPLES = 100


@dataclass
class Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "collect"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    """The routes of the template that lead to `collect`."""
    wiring = load_wiring(tmp_path_factory.mktemp("wiring"))
    return [
        route for route in wiring.routes if route.function == "CollectFunction" or "collect" in route.function
    ]


@pytest.fixture
def cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        monkeypatch.setattr(door, "limits", RateLimits())
        yield


def operations():
    """Return method, path and operation of each operation of the page."""
    for path, item in PAGE["paths"].items():
        for method in ("get", "post", "options"):
            if method in item:
                yield method.upper(), path, item[method]


def calls(path):
    """Return the values of a path's parameter `call`; a path without one has itself alone."""
    item = PAGE["paths"][path]
    parameters = [*item.get("parameters", []), *item.get("get", {}).get("parameters", [])]
    return next((one["schema"]["enum"] for one in parameters if one["name"] == "call"), [""])


def test_the_page_and_the_template_have_the_same_paths(routes):
    """Each path of the page leads to `collect`, and each route of `collect` stands in the page."""
    led = {
        match(routes, method, path.format(call=calls(path)[0], key="k"))[0]
        for method, path, _ in operations()
    }
    assert led == set(routes)


def test_the_page_names_every_call_and_code():
    """What the door knows, and nothing else."""
    named = {call for path in PAGE["paths"] if "pixel" not in path for call in calls(path) if call}
    whole = {path.removeprefix("/v1/") for path in PAGE["paths"] if "{" not in path}
    assert named | whole == set(door.CALLS)
    source = Path(door.__file__).read_text("utf-8")
    assert set(re.findall(r'Refused\(\s*HTTPStatus\.\w+,\s*"(\w+)"', source)) == CODES


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["writeKey", "batch", "messageId", "type", "event", "userId", "timestamp", "context", "traits"]
)
KEYS = st.sampled_from(["key-new", "key-app", "wrong", ""])
EVENTS = st.dictionaries(MEMBERS, VALUES, max_size=5)
BATCHES = st.fixed_dictionaries(
    {"batch": st.lists(EVENTS | VALUES, max_size=4)}, optional={"writeKey": KEYS | VALUES}
)
DAMAGED = [
    b"",
    b"{",
    b"NaN",
    b'{"a":1,"a":2}',
    b"[" * 9_000,
    b'{"batch":[' + b'{"a":' * 5_000,
    b'{"a":"\xff"}',
    b'{"batch":[' + b"[" * 9_000 + b"]" * 9_000 + b"]}",
]
TEXTS = (
    st.builds(json.dumps, EVENTS | BATCHES | VALUES).map(str.encode)
    | st.binary(max_size=30)
    | st.sampled_from(DAMAGED)
    | st.integers(32_700, 33_000).map(lambda size: b'{"event":"' + b"x" * size + b'"}')
)
# With its content encoding: as it should be, and as it should not.
BODIES = (
    st.tuples(TEXTS, st.sampled_from(["", "identity", "gzip", "br"]))
    | st.tuples(TEXTS.map(gzip.compress), st.just("gzip"))
    | st.tuples(TEXTS.map(lambda text: gzip.compress(text)[:-5]), st.just("gzip"))
    | st.tuples(
        st.sampled_from([b"x" * 600_000, gzip.compress(b" " * 600_000)]), st.sampled_from(["", "gzip"])
    )
)


def basic(key):
    return f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"


# Mostly what lets a request in: else nothing behind it is reached.
AUTHORIZATIONS = st.sampled_from(
    [basic("key-new")] * 6 + [basic("key-app"), basic("wrong"), "Basic", "Basic %", "Bearer x"]
)
HEADERS = st.fixed_dictionaries(
    {"Authorization": AUTHORIZATIONS},
    optional={
        "Content-Type": st.sampled_from(["application/json", "text/plain", "image/png"]),
        "Origin": st.sampled_from(["https://shop.example.com", "https://other.example", "null"]),
        "X": st.sampled_from([*"abcdefgh", "x" * 11_000]),
    },
)
QUERIES = {
    "POST": st.sampled_from([*[""] * 8, "?a=1", "?writeKey=key-new"]),
    "OPTIONS": st.just(""),
    "GET": st.sampled_from(["", "?data=", "?data=%", "?data=%FF%FE", "?data=%E8%AE%A2"])
    | TEXTS.map(lambda text: f"?data={base64.urlsafe_b64encode(text[:3_000]).decode()}"),
}


PLACES = [(method, path) for method, path, _ in operations() for _ in range(4 if method == "POST" else 1)]


@seed(20261130)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    place=st.sampled_from(PLACES),
    data=st.data(),
    body=BODIES,
    headers=HEADERS,
)
def test_whatever_is_sent_is_answered_as_the_page_says(cloud, routes, place, data, body, headers):
    """With a documented status and, where it is refused, a code of the page; stored is what was answered 200."""
    method, path = place
    call = data.draw(st.sampled_from([*calls(path) * 2, "nothing", "%2F", "é"]))
    target = path.format(call=call, key="k") + data.draw(QUERIES[method])
    bucket = settings_module.current().ops_bucket
    before = len(list(objects.list_keys(bucket, "collected/")))

    def invoke(function, event):
        return handler(event, Context())

    sent, encoding = body if method == "POST" else (b"", "")
    pairs = [*headers.items(), *([("Content-Encoding", encoding)] if encoding else [])]
    response = answer(Request(method, target, pairs, sent), routes, invoke)
    operation = PAGE["paths"][path][method.lower()]
    assert str(response.status) in operation["responses"]
    assert response.status < 500
    stored = len(list(objects.list_keys(bucket, "collected/"))) - before
    if method == "POST":
        assert stored == (response.status == 200)
        if response.status in {400, 401, 403, 429}:
            assert json.loads(response.body)["code"] in CODES
    else:
        assert stored in ({0, 1} if path.startswith("/v1/pixel") and response.status == 200 else {0})


@pytest.mark.parametrize("key", ["key-new", None])
def test_an_event_too_deep_for_python_is_taken_with_its_batch(cloud, routes, key):
    """Ingest sets it aside; a key that stands behind it is read all the same, and one that is wrong is refused."""
    headers = [("Authorization", basic(key))] if key else []
    deep = "[" * 9_000 + "]" * 9_000
    for written, status in (("key-old", 200), ("wrong", 200 if key else 401)):
        batch = f'{{"batch":[{deep},{{"userId":"u"}}],"writeKey":"{written}"}}'
        for call, body in (("batch", batch), ("track", f'{{"a":{deep},"writeKey":"{written}"}}')):
            request = Request("POST", f"/v1/{call}", headers, body.encode())
            assert answer(request, routes, lambda _, event: handler(event, Context())).status == status
