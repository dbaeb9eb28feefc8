-- table: core.home_currency
-- inputs: core.orders, core.deals
-- The currency of most orders that count; where that is a tie, or nobody ordered, the one that most orders and deals name
-- together.
SELECT currency, count(*) FILTER (ordered) AS orders, count(*) FILTER (NOT ordered) AS deals
FROM (
    SELECT currency, true AS ordered FROM core.orders WHERE coalesce(counts_as, 'sold') IN ('sold', 'refunded', 'return')
    UNION ALL
    SELECT currency, false FROM core.deals WHERE valid_to IS NULL
)
WHERE currency IS NOT NULL
GROUP BY currency
ORDER BY orders DESC, orders + deals DESC, currency
LIMIT 1
