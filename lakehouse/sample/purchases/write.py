"""Write the whole sample into a folder."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from lakehouse.sample.purchases import hubspot_export, salesforce_export, shop, web
from lakehouse.sample.purchases.files import SampleFile, stream
from lakehouse.sample.purchases.people import people
from lakehouse.sample.purchases.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GENERATED = """\
# What here is real, and what is generated

Real: the purchases in `shop_orders_*.csv`, all of CDNOW (Fader and Hardie; MIT, see `CDNOW_LICENSE`).

Generated from a fixed seed: everything else. No person, address, phone, contact, deal or visit is real.
The rows say so themselves: `Original Source` (HubSpot) and `LeadSource` (Salesforce) are "Generated sample",
`context.library.name` of the events is "crm-lakehouse-sample". E-mail domains are reserved (RFC 2606) and
American numbers fictional (555-01xx). China reserves no mobile numbers for fiction: never call or text one.

`truth.json` says who is who, what was planted, and which rows cannot load.
"""


def write(
    folder: Path,
    *,
    customers: int | None = None,
    seed: int = 1997,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[SampleFile]:
    """Write every file of the sample, `truth.json` and `GENERATED.md` into `folder`, which is made if needed.

    `customers` keeps the first so many customers of CDNOW (None: all 23,570). The same seed and number give
    the same bytes. `progress` is told the entity, the files written and the files in all. Returns the raw
    files in the order they are best landed: orders, contacts, opportunities, events.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bought = shop.purchases(customers)
    truth = Truth(seed, people(stream(seed, "people"), bought))
    orders = shop.write_orders(folder, bought)
    in_all = len(orders) + 3 + len(web.months(bought))
    files: list[SampleFile] = []
    for file in chain(orders, _generated(folder, seed, bought, truth)):
        files.append(file)
        if progress:
            progress(f"{file.source}/{file.entity}", len(files), in_all)
    (folder / shop.LICENCE.name).write_bytes(shop.LICENCE.read_bytes())
    (folder / "GENERATED.md").write_text(GENERATED, encoding="utf-8", newline="\n")
    truth.write(folder / "truth.json", files)
    return files


def _generated(folder: Path, seed: int, bought: list[shop.Purchase], truth: Truth) -> Iterator[SampleFile]:
    """Yield the generated files; Salesforce comes after HubSpot because it repeats and contradicts it."""
    yield hubspot_export.write_contacts(folder, stream(seed, "hubspot"), truth)
    file, contacts = salesforce_export.write_contacts(folder, stream(seed, "salesforce"), truth)
    yield file
    yield salesforce_export.write_opportunities(folder, stream(seed, "opportunities"), contacts)
    yield from web.write_events(folder, (stream(seed, "web"), stream(seed, "web/bad")), bought, truth)
