"""Puts the browser's SDK into the shop's pages: `python -m tests.support.browser_sdk` takes it from its npm package.

The package's version is that of tests/e2e/clients. With it go the licences of all packages that are built into it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.support import node_clients

_PAGES = Path(__file__).parents[2] / "lakehouse/local/shop/pages"
PACKAGE = "@segment/analytics-next"
_BUILT_IN = re.compile(r"/node_modules/((?:@[^/]+/)?[^/]+)/")


def files(modules: Path) -> dict[str, bytes]:
    """Return the SDK and its licences by the names that they are carried under, from a folder of packages."""
    built = modules / PACKAGE / "dist/umd"
    sources = json.loads((built / "standalone.js.map").read_text("utf-8"))["sources"]
    names = {PACKAGE} | {match[1] for source in sources if (match := _BUILT_IN.search(source))}
    licences = "\n\n".join(_licence(modules / name) for name in sorted(names))
    return {
        "analytics.js": (built / "standalone.js").read_bytes(),
        "analytics.LICENSES": f"{licences}\n".encode(),
    }


def _licence(package: Path) -> str:
    """Return name, version and licence of a package: the text that it brings, else what it says of itself."""
    about = json.loads((package / "package.json").read_text("utf-8"))
    texts = [path for path in sorted(package.iterdir()) if path.stem.lower() == "license"]
    text = texts[0].read_text("utf-8").strip() if texts else f"License: {about['license']}. {about['author']}"
    return f"{about['name']} {about['version']}\n\n{text}"


def install() -> None:
    """Write the SDK and its licences into the shop's pages, where it is served from; nothing of it is committed."""
    for name, body in files(node_clients.modules()).items():
        (_PAGES / name).write_bytes(body)


if __name__ == "__main__":
    if node_clients.node() is None:
        sys.exit(
            "Node and npm are missing: install Node 20 or newer; the shop's page runs the SDK of browsers"
        )
    install()
