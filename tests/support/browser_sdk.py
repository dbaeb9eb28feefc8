"""The browser's SDK that the shop carries: `python -m tests.support.browser_sdk` takes it from its npm package.

The package's version is that of tests/e2e/clients. With it go the licences of all packages that are built into it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support import node_clients

CARRIED = Path(__file__).parents[2] / "lakehouse/local/shop/pages"
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


if __name__ == "__main__":
    for name, body in files(node_clients.modules()).items():
        (CARRIED / name).write_bytes(body)
