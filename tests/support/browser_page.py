"""A page with the browser's SDK, as its npm package has it, that sends to an address of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from lakehouse.local.services.loopback import LoopbackServer, QuietHandler
from tests.support import node_clients

SDK = "@segment/analytics-next/dist/umd/standalone.js"
_PAGE = """<!doctype html><meta charset="utf-8"><title>Page</title>
<script>
  var analytics = (window.analytics = []);
  for (const call of ["identify", "group", "page", "track"])
    analytics[call] = (...said) => analytics.push([call, ...said]);
  Object.assign(analytics, %s);
</script>
<script src="/sdk.js"></script>"""


@contextmanager
def browser_page(key: str, url: str, *, batch: int = 1) -> Iterator[str]:
    """Serve a page whose SDK sends to `url`, each event by itself or `batch` at once; yield its address."""
    there = urlsplit(url)
    sending = (
        {"deliveryStrategy": {"strategy": "batching", "config": {"size": batch, "timeout": 200}}}
        if batch > 1
        else {}
    )
    options = {
        "disableClientPersistence": batch > 1,
        "integrations": {
            "Segment.io": {"apiHost": f"{there.netloc}/v1", "protocol": there.scheme, **sending}
        },
    }
    text = _PAGE % json.dumps({"_writeKey": key, "_cdn": url, "_loadOptions": options})
    sdk = (node_clients.modules() / SDK).read_bytes()

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - the server's name for it
            body, kind = (sdk, "text/javascript") if self.path == "/sdk.js" else (text.encode(), "text/html")
            self.reply(200, body, (("Content-Type", kind),))

    server = LoopbackServer(Handler)
    server.start("page")
    try:
        yield server.url
    finally:
        server.stop()
