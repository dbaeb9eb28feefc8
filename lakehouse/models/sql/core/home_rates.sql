/*
doc: "What one unit of a currency was worth in the home currency."
zh: "一单位外币折合多少本位币。"
grain: "one row a foreign currency and day that has a rate"
key: [currency, day]
sort: [currency, day]
columns:
  - {name: currency, type: string, doc: "ISO 4217 of what is priced", zh: "外币代码 ISO 4217"}
  - {name: day, type: date, doc: "Day; the rate counts until the next one", zh: "日期；汇率到下一个日期为止有效"}
  - {name: rate, type: double, doc: "Units of the home currency for one of `currency`", zh: "一单位外币折合的本位币"}
audits:
  - {name: "rates are above zero", condition: "rate > 0"}
*/
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
