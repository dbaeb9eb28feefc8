-- table: core.home_rates
-- inputs: core.home_currency, core.exchange_rates
-- A pair of currencies counts whichever way round it is written. Of a pair written both ways, the one from the foreign
-- currency counts: buying and selling differ. Of two sources the first by name counts. What is not above zero is no rate.
WITH both_ways AS (
    SELECT day, currency, quote, rate, source, false AS inverted FROM core.exchange_rates WHERE rate > 0
    UNION ALL
    SELECT day, quote, currency, 1 / rate, source, true FROM core.exchange_rates WHERE rate > 0
)
SELECT b.currency, b.day, b.rate
FROM both_ways AS b
JOIN core.home_currency AS h ON h.currency = b.quote
WHERE b.currency <> b.quote
QUALIFY row_number() OVER (PARTITION BY b.day, b.currency ORDER BY b.source, b.inverted) = 1
