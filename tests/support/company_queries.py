"""Questions that the generated company is asked, as SQL over `core.*`."""

from __future__ import annotations

ZONE = "Asia/Shanghai"
# orders with their first line's category and their day in the company's zone
ORDERED = f"""
    CREATE TEMP TABLE ordered AS
    SELECT order_id, o.source, o.customer_id, o.city, o.ordered_at AT TIME ZONE '{ZONE}' AS moment, p.category
    FROM core.orders AS o JOIN core.order_items AS i USING (source, order_id)
    JOIN core.products AS p ON p.product_id = i.product_id AND p.valid_to IS NULL WHERE i.line_id = '1'
"""
RAIN = """
    SELECT count(*) FILTER (rainy AND chocolate), count(*) FILTER (NOT rainy AND chocolate),
           count(*) FILTER (rainy AND NOT chocolate), count(*) FILTER (NOT rainy AND NOT chocolate)
    FROM (SELECT w.precipitation_mm > 0 AS rainy, category = 'chocolate' AS chocolate FROM ordered AS o
          JOIN core.places AS p ON p.city = o.city AND p.kind = 'area'
          JOIN core.weather AS w ON w.place_id = p.place_id AND w.day = o.moment::DATE)
"""
HABITS = """
    WITH noted AS (
        SELECT source, user_id, nullif(body, '无') AS note, count(*) AS times FROM core.activities GROUP BY ALL
    )
    SELECT source, user_id, coalesce(sum(times) FILTER (note IS NULL), 0) / sum(times),
           coalesce(max(times) FILTER (note IS NOT NULL), 0) / sum(times), sum(times)
    FROM noted GROUP BY ALL
"""
# lines of orders, and those that find their product as docs/decisions/0024-references.md says
JOINED = """
    SELECT (SELECT count(*) FROM core.order_items), count(*) FROM core.order_items AS item
    JOIN core.id_sources AS ids ON ids.entity = 'products' AND ids.source = item.source
    JOIN core.products AS product
      ON product.source = ids.id_source AND product.product_id = item.product_id AND product.valid_to IS NULL
"""
