/*
doc: "What was given back of orders, each on its own day: refunds, returns, orders below zero."
zh: "退还的金额，各记在自己的日期：退款、退货、负数订单。"
only_on: duckdb
grain: "one row a refund, a return, what an order says beyond them, or an order below zero"
key: [source, kind, refund_id]
sort: [refunded_at, refund_id]
columns:
  - {name: source, type: string, doc: "Shop", zh: "店铺"}
  - {name: kind, type: string, doc: "payment, return, order (what it says itself, beyond both) or negative order", zh: "类别：付款、退货、订单自述的其余部分、负数订单"}
  - {name: refund_id, type: string, doc: "Id of the payment, return or order in its source", zh: "付款、退货或订单在来源中的编号"}
  - {name: order_id, type: string, doc: "Order that it takes back; null where none is known", zh: "被退的订单；未知时为空"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: refunded_at, type: timestamptz, doc: "When, UTC; not before its order, and with it where no time is known", zh: "退还时间（UTC）；不早于订单"}
  - {name: refunded_on, type: date, doc: "Day of it in the zone of the business", zh: "退还日（业务时区）"}
  - {name: amount, type: "decimal(18,2)", doc: "What it says, in `currency`", zh: "原币金额"}
  - {name: currency, type: string, doc: "ISO 4217", zh: "货币代码 ISO 4217"}
  - {name: value, type: "decimal(18,2)", doc: "What of it counts, in the home currency; 0 where nothing does", zh: "计入的本位币金额；不计时为 0"}
  - {name: takes_all, type: boolean, doc: "With it nothing is left of the order", zh: "此后订单已全部退还"}
  - {name: reason, type: string, doc: "Why it counts for nothing, or for less than it says, as `more than the order`; else null", zh: "为何不计或少计；否则为空"}
audits:
  - {name: "what counts names its day", condition: "value = 0 OR refunded_on IS NOT NULL"}
*/
-- What was given back of which order, and when. Refunds that were paid and returns that came back may tell of the same money:
-- of an order those count that come to more, on a tie the payments. What the order itself says beyond that, by its status or
-- its sum, is one more refund on the day of the last. A refund without a time counts on the day of its order, and none before.
-- An order below zero takes back the last order before it of the same customer, source, currency and amount; where there is
-- none, it is given back to the customer all the same.
-- No order gives back more than it is worth: what is beyond it is in no sum. A refund is worth what its order was, at the
-- rate of that day; one in another currency is first made one of the order's at the rate of its own day.
-- `reason` says why a row counts for nothing, or for less than it says.
WITH said AS (
    SELECT source, 'payment' AS kind, payment_id AS refund_id, order_id, customer_id, paid_at AS said_at, amount, currency,
        counts_as
    FROM core.payments
    WHERE kind = 'refund'
    UNION ALL
    SELECT source, 'return', return_id, order_id, NULL, returned_at, amount, currency, counts_as
    FROM core.returns
),
found AS (
    SELECT r.source, r.kind, r.refund_id, r.order_id, coalesce(s.customer_id, r.customer_id) AS customer_id,
        coalesce(greatest(r.said_at, s.ordered_at), s.ordered_at, r.said_at) AS refunded_at, abs(r.amount) AS amount,
        coalesce(r.currency, s.currency) AS currency, s.currency AS order_currency, s.home_currency, s.rate,
        CASE
            WHEN r.counts_as IN ('pending', 'cancelled', 'refund asked', 'test')
                OR r.counts_as = 'unknown' AND r.said_at IS NULL THEN 'not given back'
            WHEN s.order_id IS NULL THEN 'no such order'
            WHEN NOT s.is_order THEN 'the order counts nowhere'
            WHEN r.amount IS NULL OR s.amount IS NULL THEN 'no amount'
        END AS reason
    FROM said AS r
    LEFT JOIN core.sales AS s ON s.source = r.source AND s.order_id = r.order_id
),
converted AS (
    SELECT f.* EXCLUDE (reason),
        CASE
            WHEN f.reason IS NOT NULL THEN NULL
            WHEN f.currency IS NOT DISTINCT FROM f.order_currency
                OR coalesce(f.currency, f.home_currency) = coalesce(f.order_currency, f.home_currency) THEN f.amount
            ELSE TRY_CAST(
                f.amount * CASE WHEN f.currency = f.home_currency THEN 1 ELSE r.rate END / f.rate AS DECIMAL(18, 2)
            )
        END AS taken,
        f.reason
    FROM found AS f
    ASOF LEFT JOIN core.home_rates AS r
        ON r.currency = f.currency AND r.day <= CAST(f.refunded_at AT TIME ZONE getvariable('time_zone') AS DATE)
),
ledgers AS (
    SELECT source, order_id, kind, sum(taken) AS taken, max(refunded_at) AS last_at
    FROM converted
    WHERE taken IS NOT NULL
    GROUP BY source, order_id, kind
    QUALIFY row_number() OVER (PARTITION BY source, order_id ORDER BY sum(taken) DESC, kind) = 1
),
beyond AS (
    SELECT s.source, 'order' AS kind, s.order_id AS refund_id, s.order_id, s.customer_id,
        coalesce(l.last_at, s.ordered_at) AS refunded_at, s.currency,
        CASE WHEN s.counts_as = 'refunded' THEN s.amount ELSE least(coalesce(s.said_refunded, 0), s.amount) END - coalesce(l.taken, 0)
            AS taken
    FROM core.sales AS s
    LEFT JOIN ledgers AS l ON l.source = s.source AND l.order_id = s.order_id
    WHERE s.is_order
),
given_back_below_zero AS (
    SELECT DISTINCT source, customer_id, coalesce(currency, home_currency, '') AS currency, -amount AS amount
    FROM core.sales
    WHERE counts_as = 'return' AND customer_id IS NOT NULL
),
candidates AS (
    SELECT s.*, n.currency AS in_currency
    FROM core.sales AS s
    JOIN given_back_below_zero AS n ON n.source = s.source AND n.customer_id = s.customer_id
        AND n.currency = coalesce(s.currency, s.home_currency, '') AND n.amount = abs(s.amount)
    WHERE s.is_order OR s.counts_as = 'return'
),
steps AS (
    SELECT source, order_id, customer_id, in_currency AS currency, abs(amount) AS amount, ordered_at,
        CASE WHEN is_order THEN 1 ELSE -1 END AS step
    FROM candidates AS s
    WHERE counts_as = 'return' OR (
        NOT EXISTS (SELECT 1 FROM ledgers AS l WHERE l.source = s.source AND l.order_id = s.order_id)
        AND NOT EXISTS (SELECT 1 FROM beyond AS b WHERE b.source = s.source AND b.order_id = s.order_id AND b.taken > 0)
    )
),
counted AS (
    SELECT *, sum(step) OVER in_time AS balance FROM steps
    WINDOW in_time AS (
        PARTITION BY source, customer_id, currency, amount ORDER BY ordered_at, step DESC, order_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),
floored AS (
    SELECT *, balance - least(0, min(balance) OVER in_time) AS held FROM counted
    WINDOW in_time AS (
        PARTITION BY source, customer_id, currency, amount ORDER BY ordered_at, step DESC, order_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),
levelled AS (
    SELECT *, CASE WHEN step = 1 THEN held ELSE coalesce(lag(held) OVER in_time, 0) END AS level FROM floored
    WINDOW in_time AS (PARTITION BY source, customer_id, currency, amount ORDER BY ordered_at, step DESC, order_id)
),
paired AS (
    SELECT source, order_id AS refund_id, step, lag(order_id) OVER (
        PARTITION BY source, customer_id, currency, amount, level ORDER BY ordered_at, step DESC, order_id
    ) AS order_id
    FROM levelled
    WHERE level > 0
),
negative AS (
    SELECT s.source, 'negative order' AS kind, s.order_id AS refund_id, p.order_id, s.customer_id, s.ordered_at AS refunded_at,
        -s.amount AS amount, s.currency, -s.amount AS taken, -s.sale AS own_value
    FROM core.sales AS s
    LEFT JOIN paired AS p ON p.source = s.source AND p.refund_id = s.order_id AND p.step = -1
    WHERE s.counts_as = 'return'
),
entries AS (
    SELECT c.source, c.kind, c.refund_id, c.order_id, c.customer_id, c.refunded_at, c.amount, c.currency, c.taken,
        NULL AS own_value,
        CASE
            WHEN c.reason IS NOT NULL THEN c.reason
            WHEN c.taken IS NULL THEN 'no rate'
            WHEN c.kind <> l.kind THEN 'said elsewhere'
        END AS reason
    FROM converted AS c
    LEFT JOIN ledgers AS l ON l.source = c.source AND l.order_id = c.order_id
    UNION ALL
    SELECT source, kind, refund_id, order_id, customer_id, refunded_at, taken, currency, taken, NULL, NULL
    FROM beyond
    WHERE taken > 0
    UNION ALL
    SELECT source, kind, refund_id, order_id, customer_id, refunded_at, amount, currency, taken, own_value,
        CASE WHEN own_value IS NULL AND order_id IS NULL THEN 'no rate' END
    FROM negative
),
summed AS (
    SELECT e.*, s.amount AS order_amount, s.rate, s.sale,
        sum(e.taken) OVER (
            PARTITION BY e.source, e.order_id, e.reason IS NULL ORDER BY e.refunded_at, e.kind, e.refund_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS so_far
    FROM entries AS e
    LEFT JOIN core.sales AS s ON s.source = e.source AND s.order_id = e.order_id
),
valued AS (
    SELECT *,
        CASE
            WHEN reason IS NOT NULL THEN NULL
            WHEN order_id IS NULL THEN own_value
            WHEN sale IS NULL THEN NULL
            ELSE CAST(least(so_far, order_amount) * rate AS DECIMAL(18, 2))
                - CAST(least(so_far - taken, order_amount) * rate AS DECIMAL(18, 2))
        END AS value
    FROM summed
)
SELECT source, kind, refund_id, order_id, customer_id, refunded_at,
    CAST(refunded_at AT TIME ZONE getvariable('time_zone') AS DATE) AS refunded_on, amount, currency,
    coalesce(value, 0) AS value,
    reason IS NULL AND order_id IS NOT NULL AND order_amount > 0 AND so_far >= order_amount AS takes_all,
    CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN order_id IS NOT NULL AND sale IS NULL THEN 'no rate'
        WHEN order_id IS NOT NULL AND so_far > order_amount THEN 'more than the order'
    END AS reason
FROM valued
