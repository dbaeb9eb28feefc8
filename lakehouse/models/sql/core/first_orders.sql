/*
doc: "The day of each customer's first order of which something is left."
zh: "每位客户尚有剩余的首单日期。"
grain: one row a customer with such an order
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, doc: Customer, zh: 客户}
  - {name: ordered_on, type: date, doc: Day of the first order in the zone of the business, zh: 首单日（业务时区）}
incremental:
  by: customer_id
  of:
    core.order_values: customer_id
*/
-- Whoever counts new buyers by day reads this, and so need not read all orders for one day. An order that was wholly taken
-- back since is none.
SELECT customer_id, min(ordered_on) AS ordered_on
FROM core.order_values
WHERE customer_id IS NOT NULL AND is_order AND taken_back_on IS NULL
GROUP BY customer_id
