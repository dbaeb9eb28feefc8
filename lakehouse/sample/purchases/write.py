"""Write the whole sample into a folder."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from lakehouse.progress import Progress, no_progress
from lakehouse.sample.purchases import hubspot_export, salesforce_export, shop, web
from lakehouse.sample.purchases.people import make_people
from lakehouse.sample.purchases.randomness import random_stream
from lakehouse.sample.purchases.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakehouse.sample.purchases.files import SampleFile

_CRM_FILES = (
    "hubspot/contacts",
    "salesforce/contacts",
    "salesforce/accounts",
    "salesforce/users",
    "salesforce/opportunities",
)
GENERATED = """\
# What here is real, and what is generated

Real: the purchases in `shop_orders_*.csv`, all of CDNOW (Fader and Hardie; MIT, see `CDNOW_LICENSE`).

Generated from a fixed seed: everything else. No person, address, phone, contact, deal or visit is real.
The rows say so themselves: `Original Source` (HubSpot), `LeadSource`, `AccountSource` and a user's `Title` (Salesforce)
are "Generated sample",
`context.library.name` of the events is "crm-lakehouse-sample". E-mail domains are reserved (RFC 2606) and
American numbers fictional (555-01xx). China reserves no mobile numbers for fiction: never call or text one.

`truth.json` says who is who, what was planted, and which rows cannot load.
"""


def write(
    folder: Path,
    *,
    customers: int | None = None,
    seed: int = 1997,
    progress: Progress = no_progress,
) -> list[SampleFile]:
    """Write every file of the sample, `truth.json` and `GENERATED.md` into `folder`, which is made if needed.

    `customers` keeps the first so many customers of CDNOW (None: all 23,570). The same seed and number give
    the same bytes. `progress` hears of files, each under its entity. Returns the raw
    files in the order they are best landed: orders, CRMs, events.
    """
    folder.mkdir(parents=True, exist_ok=True)
    purchases = shop.read_purchases(customers)
    truth = Truth(seed, make_people(random_stream(seed, "people"), purchases))
    orders = shop.write_orders(folder, purchases)
    total = len(orders) + len(_CRM_FILES) + len(web.months(purchases))
    files: list[SampleFile] = []
    for file in chain(orders, _write_generated(folder, seed, purchases, truth)):
        files.append(file)
        progress(f"{file.source}/{file.entity}", len(files), total)
    (folder / shop.LICENCE.name).write_bytes(shop.LICENCE.read_bytes())
    (folder / "GENERATED.md").write_text(GENERATED, encoding="utf-8", newline="\n")
    truth.write(folder / "truth.json", files)
    return files


def _write_generated(
    folder: Path, seed: int, purchases: list[shop.Purchase], truth: Truth
) -> Iterator[SampleFile]:
    """Write the generated files and yield each; Salesforce comes after HubSpot, which it repeats and contradicts."""
    yield hubspot_export.write_contacts(folder, random_stream(seed, "hubspot"), truth)
    file, contacts = salesforce_export.write_contacts(folder, random_stream(seed, "salesforce"), truth)
    yield file
    yield salesforce_export.write_accounts(folder, contacts)
    yield salesforce_export.write_users(folder)
    yield salesforce_export.write_opportunities(folder, random_stream(seed, "opportunities"), contacts)
    streams = random_stream(seed, "web"), random_stream(seed, "web/bad")
    yield from web.write_events(folder, streams, purchases, truth)
