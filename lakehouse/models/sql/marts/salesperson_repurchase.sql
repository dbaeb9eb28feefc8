/*
doc: "Who makes customers buy again: purchases and repurchases by the user who looked after the customer on that day."
zh: "按当时负责人统计的购买与复购。"
grain: "one row a month, CRM and user whose customers bought"
key: [month, source, owner_id]
sort: [month, source]
columns:
  - {name: month, type: date, doc: "First day of the month of the purchases, in the zone of the business", zh: "购买月份的第一天（业务时区）"}
  - {name: source, type: string, doc: "CRM that names the user", zh: "来源系统"}
  - {name: owner_id, type: string, doc: "User who looked after the customer when the purchase was made", zh: "购买当时的负责人编号"}
  - {name: team, type: string, doc: "Team of that user now", zh: "该员工现在的团队"}
  - {name: buyers, type: long, doc: "Customers who bought", zh: "购买的客户数"}
  - {name: purchases, type: long, doc: "Days on which one of them bought something that is kept", zh: "购买次数（按客户与日计）"}
  - {name: revenue, type: "decimal(18,2)", doc: "Net value of these orders in the home currency", zh: "净收入（本位币）"}
  - {name: repeat_purchases, type: long, doc: "Of these by customers who had bought before, whoever looked after them then", zh: "其中老客户的购买次数"}
  - {name: taken_over, type: long, doc: "Of these the purchase before was under another user, or under none", zh: "其中上次购买时由他人或无人负责的次数"}
  - {name: due, type: long, doc: "Purchases whose 90 days are over", zh: "已满 90 天的购买次数"}
  - {name: repurchased, type: long, doc: "Of these followed by another one within 90 days, whoever looked after the customer then", zh: "其中 90 天内再次购买的次数"}
  - {name: repurchase_rate, type: double, doc: "Repurchased over due; null where none is due", zh: "复购率；尚无到期时为空"}
audits:
  - {name: "parts are no more than all", condition: "repurchased <= due AND due <= purchases AND taken_over <= repeat_purchases"}
*/
-- A purchase is a day on which a customer ordered something of which something is left. It is that of the user who had the
-- customer at its first order of that day: a customer that changes hands takes nothing along that was sold before. Where a
-- CRM has several contacts of a customer, the user counts who had one of them last. Each CRM has its own users, so a purchase
-- counts once in each CRM that knows the customer: sums over CRMs are of no meaning.
WITH purchases AS (
    SELECT customer_id, ordered_on AS day, min(ordered_at) AS ordered_at, sum(coalesce(value, 0)) AS value
    FROM core.order_values
    WHERE customer_id IS NOT NULL AND is_order AND ordered_on <= getvariable('as_of')
        AND coalesce(taken_back_on > getvariable('as_of'), true)
    GROUP BY customer_id, ordered_on
),
in_order AS (
    SELECT *, lag(day) OVER of_customer AS day_before, lead(day) OVER of_customer AS next_day
    FROM purchases
    WINDOW of_customer AS (PARTITION BY customer_id ORDER BY day)
),
owned AS (
    SELECT p.*, s.source, s.owner_id
    FROM in_order AS p
    JOIN core.owner_spans AS s ON s.customer_id = p.customer_id
        AND s.owned_from <= p.ordered_at AND coalesce(s.owned_to > p.ordered_at, true)
    QUALIFY row_number() OVER (
        PARTITION BY s.source, p.customer_id, p.day ORDER BY s.owned_from DESC, s.contact_id, s.owner_id
    ) = 1
),
with_before AS (
    SELECT o.*, b.owner_id AS owner_before
    FROM owned AS o
    LEFT JOIN owned AS b ON b.source = o.source AND b.customer_id = o.customer_id AND b.day = o.day_before
),
teams AS (SELECT source, user_id, any_value(team) AS team FROM core.users WHERE valid_to IS NULL GROUP BY source, user_id)
SELECT CAST(date_trunc('month', w.day) AS DATE) AS month, w.source, w.owner_id, any_value(t.team) AS team,
    count(DISTINCT w.customer_id) AS buyers, count(*) AS purchases, sum(w.value) AS revenue,
    count(w.day_before) AS repeat_purchases,
    count(*) FILTER (w.day_before IS NOT NULL AND w.owner_before IS DISTINCT FROM w.owner_id) AS taken_over,
    count(*) FILTER (w.day + 90 < getvariable('as_of')) AS due,
    count(*) FILTER (w.day + 90 < getvariable('as_of') AND w.next_day <= w.day + 90) AS repurchased,
    count(*) FILTER (w.day + 90 < getvariable('as_of') AND w.next_day <= w.day + 90)
        / nullif(count(*) FILTER (w.day + 90 < getvariable('as_of')), 0) AS repurchase_rate
FROM with_before AS w
LEFT JOIN teams AS t ON t.source = w.source AND t.user_id = w.owner_id
GROUP BY 1, 2, 3
