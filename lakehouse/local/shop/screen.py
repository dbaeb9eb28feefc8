"""`lakehouse demo --shop`: a stack of its own with the shop in front of it, until Ctrl-C."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse import settings as settings_module
from lakehouse.command_line import command_line
from lakehouse.console import terminal
from lakehouse.landing.put import put
from lakehouse.local.attachment import announce, interruptible
from lakehouse.local.shop import server
from lakehouse.local.shop.known import known_of
from lakehouse.local.shop.office import Office
from lakehouse.local.stack import Stack

if TYPE_CHECKING:
    from lakehouse.local.attachment import StackInfo
    from lakehouse.settings import Settings

FOLDER = "shop"  # within the data folder: the sample's customers bought in 1998, the shop's buy now


def show_shop(data: Path, *, as_json: bool = False) -> None:
    """Serve the shop on a stack in `data`/shop and say where it is; return when that is stopped.

    Raises Terminal where the browser's SDK is not installed.
    """
    server.check_sdk()
    folder = data / FOLDER
    with interruptible() as stopping, Stack(folder) as stack:
        if not as_json:
            terminal.out.print("starting object store, catalog, queues …")
        stack.start("all")
        info = stack.run(tell=terminal.complain)
        shop = server.start(make_shop(folder, settings_module.current(), info))
        try:
            info.endpoints["shop"] = shop.url
            announce(stack.folder, info)
            _show_open(shop.url, folder, as_json=as_json)
            stack.wait(stopping)
            if not as_json:
                terminal.out.print("stopping …")
        finally:
            shop.stop()


def _show_open(url: str, folder: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"shop": url, "data": str(folder)}), flush=True)  # noqa: T201
        return
    timeline = command_line("timeline CUSTOMER", folder)
    hint = f"Look around, sign in with any address, buy. The page shows what the tables know, and so does `{timeline}`."
    terminal.out.print(f"The shop is open; stop with Ctrl-C: {url}", soft_wrap=True)
    terminal.out.print(hint, markup=False, soft_wrap=True)


def make_shop(folder: Path, settings: Settings, info: StackInfo) -> server.Shop:
    """Return the shop of a running stack: its events go to the stack's HTTP front, its orders to `shop/orders`."""

    def land(export: Path) -> None:
        put(settings, "shop/orders", export)

    return server.Shop(
        collector=info.endpoints["http"],
        write_key=info.secrets["write_key"],
        timeline=command_line("timeline CUSTOMER", folder),
        office=Office(folder / "office", land, lambda: datetime.now(UTC)),
        known=lambda device: known_of(settings, device),
    )
