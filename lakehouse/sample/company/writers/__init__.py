"""How systems write the company down: each writer turns a chunk of the world into files of its own shape.

A writer is a function from a `Chunk` (or, for what knows no customers, a `Scenario`) to `Export`s. Another system is
another module with such a function, listed in `OF_CUSTOMERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.sample.company.writers import (
    ads,
    campaigns,
    context,
    crm,
    forms,
    hubspot_export,
    salesforce_export,
    shop,
    shop_goods,
    shopify,
    web,
    woocommerce,
    wukong_export,
    zoho_export,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.scenario import Scenario
    from lakehouse.sample.company.writers.export import Export

OF_CUSTOMERS: tuple[Callable[[Chunk], Iterator[Export]], ...] = (
    shop.exports,
    shopify.exports,
    woocommerce.exports,
    forms.exports,
    crm.exports,
    hubspot_export.exports,
    salesforce_export.exports,
    zoho_export.exports,
    wukong_export.exports,
    web.exports,
    ads.exports,
)
OF_COMPANY: tuple[Callable[[Scenario], Iterator[Export]], ...] = (
    shop_goods.of_company,
    ads.of_company,
    campaigns.of_company,
    context.of_company,
)
