"""From plan to outcome with destinations by file: on real queues, objects and secrets, over real connections."""

from __future__ import annotations

import csv
import io
import json
import socket
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import stamina

from lakehouse import aws, objects, settings
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import client
from tests.integration.outbound.conftest import statuses, wanted
from tests.support import cloud as clouds

ROOT = "exports/drops/csv_files/news/"


def _wanted(number):
    return replace(wanted(number), properties={"message": "hello"})


def _to(company, destination, **more):
    company.sync = company.sync.model_copy(update={"destination": destination, **more})


def test_a_run_is_a_file_and_who_leaves_another(company):
    """Somebody who consents, somebody who does not, and then nobody any more."""
    _to(company, "csv_files")
    company.allow(1)
    assert statuses(company.loop(wanted(1), wanted(2, consented=False))) == {"c0001": ("sent", "")}
    (name,) = objects.list_keys(clouds.OPS, ROOT)
    lines = list(csv.reader(io.StringIO(objects.get(clouds.OPS, ROOT + name).decode("utf-8-sig"))))
    assert lines == [["email", "lakehouse_segments"], ["p0001@x.org", "vip"]]
    company.inputs = {"ops.segment_members": "2"}
    assert statuses(company.loop(wanted(3, consented=False))) == {"c0001": ("removed", "")}
    (_, leavers) = objects.list_keys(clouds.OPS, ROOT)
    assert leavers.startswith("00000002/")
    assert leavers.endswith("-remove.csv")


@pytest.fixture
def gateway(company, tmp_path, monkeypatch):
    """A gateway of messages on this machine; it hangs up, unanswered, on whoever `hangs_up` names."""
    sent: Counter[str] = Counter()
    hangs_up: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != "Bearer right-token":
                self.send_response(401)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            sent[body["to"]] += 1
            if body["to"] in hangs_up:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    port = server.server_address[1]
    (tmp_path / "own" / "destinations").mkdir(parents=True)
    text = f"name: texts\nkind: http\nurl: http://127.0.0.1:{port}\ntemplate: sms\n"
    (tmp_path / "own" / "destinations" / "texts.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "own"))
    monkeypatch.setenv("LAKEHOUSE_INWARD_HOSTS", f"127.0.0.1:{port}")
    settings.current.cache_clear()
    value = json.dumps({"texts": {"token": "right-token"}})
    aws.secrets().create_secret(Name="lakehouse/destinations", SecretString=value)
    _to(company, "texts", properties={"message": "segments"})
    yield sent, hangs_up
    client.close_clients()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_message_whose_answer_was_lost_is_told_and_never_sent_again(company, gateway):
    """Its neighbours were sent or are sent later; each once."""
    sent, hangs_up = gateway
    hangs_up.add("p0002@x.org")
    company.allow(1, 2, 3)
    people = [_wanted(n) for n in (1, 2, 3)]
    with stamina.set_testing(True, attempts=2):
        assert statuses(company.loop(*people)) == {
            "c0001": ("sent", ""),
            "c0002": ("unknown", "NO_ANSWER"),
            "c0003": ("failed", "NOT_SENT_YET"),
        }
        hangs_up.clear()
        company.inputs = {"ops.segment_members": "2"}
        assert statuses(company.loop(*people)) == {"c0003": ("sent", "")}
    assert sent == {f"p000{n}@x.org": 1 for n in (1, 2, 3)}


def test_a_wrong_token_uses_up_no_attempt(company, gateway):
    """Once the secret is right, the messages go."""
    sent, _ = gateway
    company.allow(1)
    wrong = json.dumps({"texts": {"token": "wrong-token"}})
    aws.secrets().put_secret_value(SecretId="lakehouse/destinations", SecretString=wrong)
    company.plan(_wanted(1))
    with pytest.raises(Terminal, match="'texts' in the secret lakehouse/destinations") as caught:
        company.publish()
    assert "wrong-token" not in str(caught.value)
    right = json.dumps({"texts": {"token": "right-token"}})
    aws.secrets().put_secret_value(SecretId="lakehouse/destinations", SecretString=right)
    clouds.secrets._provider.cache_clear()
    company.inputs = {"ops.segment_members": "2"}
    assert statuses(company.loop(_wanted(1))) == {"c0001": ("sent", "")}
    assert sent == {"p0001@x.org": 1}


def test_without_the_secret_nothing_is_claimed(company, gateway):
    """It may come in a moment: the message goes back to its queue."""
    company.allow(1)
    aws.secrets().delete_secret(SecretId="lakehouse/destinations", ForceDeleteWithoutRecovery=True)
    company.plan(wanted(1))
    with pytest.raises(Transient, match="lakehouse/destinations cannot be read"):
        company.publish()
    assert [key for key in objects.list_keys(clouds.OPS, "outbound/news/") if "claim" in key] == []
