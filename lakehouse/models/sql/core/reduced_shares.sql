/*
doc: "How much of all is bought at reduced prices and with coupons: what marts.customer_habits mixes with the customer's own."
zh: "全体客户以降价和优惠券购买的比例；marts.customer_habits 用它与客户自己的比例混合。"
grain: one row in all
key: [as_of]
columns:
  - {name: as_of, type: date, doc: Day the row looks back from, zh: 回看的日期}
  - {name: price_share, type: double, doc: "Products of orders that were bought at a reduced price, of those of which it is known; null where none is", zh: 降价购买的商品占比；无从得知时为空}
  - {name: coupon_share, type: double, doc: "Orders with a coupon, of all; null where there is none", zh: 使用优惠券的订单占比；没有订单时为空}
audits:
  - {name: shares are shares, condition: "price_share BETWEEN 0 AND 1 AND coupon_share BETWEEN 0 AND 1"}
*/
WITH priced AS (
    SELECT count(*) FILTER (is_reduced) / nullif(count(*), 0) AS share
    FROM core.order_products
    WHERE is_reduced IS NOT NULL AND customer_id IS NOT NULL AND ordered_on <= getvariable('as_of')
        AND coalesce(taken_back_on > getvariable('as_of'), true)
),
placed AS (
    SELECT count(*) FILTER (o.coupon_code IS NOT NULL OR r.order_id IS NOT NULL) / nullif(count(*), 0) AS share
    FROM core.order_values AS v
    JOIN core.orders AS o ON o.source = v.source AND o.order_id = v.order_id
    LEFT JOIN (SELECT DISTINCT source, order_id FROM core.coupon_redemptions) AS r
        ON r.source = v.source AND r.order_id = v.order_id
    WHERE v.is_order AND v.ordered_on <= getvariable('as_of') AND coalesce(v.taken_back_on > getvariable('as_of'), true)
        AND v.customer_id IS NOT NULL
)
SELECT getvariable('as_of') AS as_of, p.share AS price_share, c.share AS coupon_share
FROM priced AS p
CROSS JOIN placed AS c
