"""Which products were bought, as SELECTs; variables of the connection as in `features`.

A product is named by its shop and its id, with a unit separator between them.
"""

from __future__ import annotations

from typing import Final

from lakehouse.scores.policy import NextProductPolicy

INPUTS: Final = ("core.order_values", "core.order_items")

_LINES: Final = """
SELECT o.customer_id, i.source || chr(31) || i.product_id AS product, o.ordered_on
FROM core.order_items AS i
JOIN core.order_values AS o ON o.source = i.source AND o.order_id = i.order_id
WHERE o.is_order AND o.customer_id IS NOT NULL AND i.product_id IS NOT NULL
    AND coalesce(i.quantity, 1) > 0 AND coalesce(i.amount, 0) >= 0
    AND coalesce(o.taken_back_on > getvariable('{known_on}'), true)
"""

# A row a customer and product that was bought by the cutoff
BOUGHT: Final = f"""
SELECT customer_id, product, count(DISTINCT ordered_on) AS days,
    date_diff('day', max(ordered_on), getvariable('cutoff')) AS ago
FROM ({_LINES.format(known_on="cutoff")})
WHERE ordered_on <= getvariable('cutoff') AND ordered_on > getvariable('cutoff') - {NextProductPolicy.history_days}
GROUP BY ALL
"""

# What was bought after it
SINCE: Final = f"""
SELECT DISTINCT customer_id, product FROM ({_LINES.format(known_on="until")})
WHERE ordered_on > getvariable('cutoff') AND ordered_on <= getvariable('until')
"""

# The columns of the table from the rows of `next_product`
COLUMNS: Final = """
SELECT * EXCLUDE (product), split_part(product, chr(31), 1) AS source,
    substr(product, strpos(product, chr(31)) + 1) AS product_id
FROM scored
"""
