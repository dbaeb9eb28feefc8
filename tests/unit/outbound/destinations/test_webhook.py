"""Webhooks are signed as standardwebhooks.com says, anew for each try, under a name that stays."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.webhook import sign, signing_key
from tests.support.destination_simulators import SIGNING
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import KINDS, World


def test_the_signature_is_the_one_of_the_specification():
    """The example that libraries of standardwebhooks.com are tested with."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_nö", "whsec_a", "plain text"])
def test_a_secret_that_is_none_is_told(secret):
    """An empty key would let everybody sign; the text of the error says nothing of it."""
    with pytest.raises(Terminal) as caught:
        signing_key(secret)
    assert "whsec_nö" not in str(caught.value)


def test_a_message_is_called_the_same_whenever_it_comes_again(make):
    """Within an attempt and in the next; another row or run is another message, and its signature is of now."""
    world = make("webhook")
    clock = iter(range(100, 200))
    world.destination._unix_time = lambda: next(clock)
    world.fail(*[Fault(status=500), Fault(status=200)] * 2, *[Fault(status=200)] * 2)
    for run, row in (("1", 0), ("1", 0), ("1", 1), ("2", 0)):
        world.send(world.row(row, "a@x.org"), run=run)
    heads = [request.headers for request in world.wire.requests]
    names = [head["webhook-id"] for head in heads]
    assert names[0] == names[1] == names[2] == names[3]
    assert len(set(names)) == 3
    assert len({head["webhook-timestamp"] for head in heads}) == 6
    assert len({head["webhook-signature"] for head in heads}) == 6
    assert len({request.content for request in world.wire.requests[:4]}) == 1


def test_while_a_secret_is_replaced_both_sign(make, monkeypatch):
    """The receiver accepts either."""
    world = make("webhook")
    other = base64.b64encode(b"another-secret-of-theirs").decode()
    world.destination._keys = [signing_key(SIGNING), signing_key(other)]
    assert world.send(world.row(0, "a@x.org"))[0].status == "sent"
    assert world.wire.requests[0].headers["webhook-signature"].count("v1,") == 2


def test_what_is_said(make):
    """Who, what kind of change, by which sync, and our properties."""
    world = make("webhook")
    world.send(world.row(0, "a@x.org"), world.leaver(1, "b@x.org"))
    said = [json.loads(request.content) for request in world.wire.requests]
    assert [one["type"] for one in said] == ["customer.removed", "customer.updated"]
    assert said[1]["data"] == {
        "sync": "news",
        "object": "contacts",
        "email": "a@x.org",
        "customer_id": "c0",
        "properties": {"tier": "gold"},
    }


def test_a_receiver_that_is_gone_for_good_is_told(make):
    """410, as the specification has it."""
    world = make("webhook")
    world.fail(Fault(status=410))
    with pytest.raises(Terminal, match="gone for good"):
        world.send(world.row(0, "a@x.org"))


def test_without_a_secret_nothing_is_sent(tmp_path, monkeypatch):
    """Told by the destination's name in the secret."""
    kind = KINDS["webhook"]
    monkeypatch.setitem(KINDS, "webhook", replace(kind, secret={}))
    with pytest.raises(Terminal, match="'my_webhook' in the secret lakehouse/destinations has no 'secret'"):
        World("webhook", tmp_path, monkeypatch)
