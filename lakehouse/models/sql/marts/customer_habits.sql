/*
doc: "What a segment may ask of a customer beside `marts.customer_360`: where, how old, whose, last contact, favourites, prices."
zh: "客户习惯：地区、年龄段、负责人、最近联系、偏好、价格与优惠券敏感度；不含个人信息。"
grain: "one row a customer"
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: as_of, type: date, doc: "Day the row looks back from", zh: "回看的日期"}
  - {name: country, type: string, doc: "ISO 3166-1 alpha-2, as in `core.customers`", zh: "国家代码"}
  - {name: region_code, type: string, doc: "ISO 3166-2 of the province or state: the newest that a contact record names", zh: "省份代码（ISO 3166-2）：联系人记录中最新的"}
  - {name: city, type: string, doc: "City, as in `core.customers`", zh: "城市"}
  - {name: language, type: string, doc: "Preferred language", zh: "首选语言"}
  - {name: age_group, type: string, doc: "0-17, 18-24, 25-34, 35-44, 45-54, 55-64, 65+, by the newest date of birth that can be", zh: "年龄段，按最新的可信出生日期"}
  - {name: owner_source, type: string, doc: "System of the owner", zh: "负责人所在系统"}
  - {name: owner_id, type: string, doc: "User who looks after the customer: by the newest ownership that lasts, else contact record", zh: "负责人：最新的有效归属，否则联系人记录"}
  - {name: last_contact_at, type: timestamptz, doc: "Last call, e-mail, meeting or message with the company, UTC", zh: "最近一次联系时间（UTC）"}
  - {name: last_contact_kind, type: string, doc: "call, email, meeting or message", zh: "联系方式"}
  - {name: last_contact_source, type: string, doc: "System of that user", zh: "联系人所在系统"}
  - {name: last_contact_by, type: string, doc: "User who did it", zh: "联系人（员工）"}
  - {name: contacts_90d, type: long, doc: "Such contacts in the last 90 days", zh: "近 90 天联系次数"}
  - {name: open_tickets, type: long, doc: "Tickets that are not closed", zh: "未关闭的工单数"}
  - {name: open_complaints, type: long, doc: "Complaints among them", zh: "其中的投诉数"}
  - {name: favourite_product_source, type: string, doc: "Catalogue of the favourite product", zh: "最爱商品所属目录"}
  - {name: favourite_product, type: string, doc: "Id of the product in most orders of the last 365 days", zh: "近 365 天出现在最多订单中的商品编号"}
  - {name: favourite_category, type: string, doc: "Category in most orders of the last 365 days", zh: "近 365 天出现在最多订单中的类目"}
  - {name: favourite_channel, type: string, doc: "Sales channel of most orders of the last 365 days, as the shop calls it", zh: "近 365 天订单最多的销售渠道"}
  - {name: best_hour, type: int, doc: "Hour in which the customer is there: `marts.best_contact_time`", zh: "最活跃小时，见 best_contact_time"}
  - {name: best_weekday, type: int, doc: "Weekday, 1 is Monday", zh: "最活跃星期几，1 为周一"}
  - {name: time_sure, type: double, doc: "How much of both is the customer's own, 0 to 1", zh: "时间结论中本人依据的权重"}
  - {name: best_channel, type: string, doc: "Channel that the customer answers most by", zh: "最常回应的渠道"}
  - {name: stage, type: string, doc: "Stage of `marts.lifecycle`", zh: "生命周期阶段"}
  - {name: stage_since, type: date, doc: "First day of it", zh: "阶段起始日"}
  - {name: due_products, type: long, doc: "Products that are due again: `marts.buying_cycle`", zh: "到期的商品数"}
  - {name: price_sensitivity, type: double, doc: "Expected share of products bought below their list price, 0 to 1", zh: "价格敏感度：预计以低于标价购买的商品比例"}
  - {name: price_evidence, type: long, doc: "Products of orders whose list price or discount is known", zh: "依据：已知标价或优惠的商品行数"}
  - {name: coupon_sensitivity, type: double, doc: "Expected share of orders with a coupon, 0 to 1", zh: "优惠券敏感度：预计使用优惠券的订单比例"}
  - {name: coupon_evidence, type: long, doc: "Orders", zh: "依据：订单数"}
incremental:
  by: customer_id
  of:
    core.customers: customer_id
    core.contacts: customer_id
    core.ownerships: customer_id
    core.activities: customer_id
    core.tickets: customer_id
    core.order_products: customer_id
    core.order_values: customer_id
    core.orders: customer_id
    marts.best_contact_time: customer_id
    marts.buying_cycle: customer_id
    marts.lifecycle: customer_id
audits:
  - {name: "shares are shares", condition: "price_sensitivity BETWEEN 0 AND 1 AND coupon_sensitivity BETWEEN 0 AND 1"}
*/
-- A mart of its own, for what changes with other tables than orders and events, and for what few segments ask. Of what contact
-- records say the newest counts; a birth after `as_of`, or more than 120 years before, is a slip. A contact is one that both
-- sides know of: no note, no task. Favourites are those of most orders, on a tie the last bought, then the first by name. Both
-- sensitivities mix five observations of what all do with the customer's own (see `marts.best_contact_time`); null where all
-- have none.
WITH records AS (
    SELECT customer_id, arg_max(region_code, (valid_from, source, contact_id)) FILTER (region_code IS NOT NULL) AS region_code,
        arg_max(birth_date, (valid_from, source, contact_id)) FILTER (
            birth_date BETWEEN getvariable('as_of') - to_years(120) AND getvariable('as_of')) AS birth_date,
        arg_max({'source': source, 'user': owner_id}, (valid_from, source, contact_id)) FILTER (owner_id IS NOT NULL) AS owner
    FROM core.contacts
    WHERE valid_to IS NULL AND customer_id IS NOT NULL
    GROUP BY customer_id
),
owners AS (
    SELECT customer_id, arg_max({'source': source, 'user': user_id}, (owned_from, source, ownership_id)) AS owner
    FROM core.ownerships
    WHERE customer_id IS NOT NULL AND user_id IS NOT NULL
        AND CAST(owned_from AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of')
        AND coalesce(CAST(owned_to AT TIME ZONE getvariable('time_zone') AS DATE) > getvariable('as_of'), true)
    GROUP BY customer_id
),
dated_contacts AS (
    SELECT *, CAST(occurred_at AT TIME ZONE getvariable('time_zone') AS DATE) AS day
    FROM core.activities
    WHERE customer_id IS NOT NULL AND kind IN ('call', 'email', 'meeting', 'message')
),
contacted AS (
    SELECT customer_id, max(occurred_at) AS last_at, count(*) FILTER (day > getvariable('as_of') - 90) AS contacts_90d,
        arg_max({'kind': kind, 'source': source, 'user': user_id}, (occurred_at, source, activity_id)) AS last
    FROM dated_contacts
    WHERE day <= getvariable('as_of')
    GROUP BY customer_id
),
tickets AS (
    SELECT customer_id, count(*) AS open_tickets, count(*) FILTER (regexp_matches(lower(kind), 'complain|投诉')) AS complaints
    FROM core.tickets
    WHERE valid_to IS NULL AND customer_id IS NOT NULL AND NOT coalesce(is_closed, false)
        AND coalesce(CAST(created_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of'), true)
    GROUP BY customer_id
),
bought AS (
    FROM core.order_products
    WHERE ordered_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of') AND customer_id IS NOT NULL
        AND coalesce(taken_back_on > getvariable('as_of'), true)
),
products AS (
    SELECT customer_id, product_source, product_id, count(*) AS orders, max(ordered_on) AS last_on
    FROM bought
    GROUP BY customer_id, product_source, product_id
    QUALIFY row_number() OVER (
        PARTITION BY customer_id ORDER BY orders DESC, last_on DESC, product_source, product_id) = 1
),
categories AS (
    SELECT customer_id, category, count(DISTINCT (source, order_id)) AS orders, max(ordered_on) AS last_on
    FROM bought
    WHERE category IS NOT NULL
    GROUP BY customer_id, category
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY orders DESC, last_on DESC, category) = 1
),
placed AS (
    SELECT v.customer_id, v.ordered_on, o.channel, o.coupon_code IS NOT NULL OR r.order_id IS NOT NULL AS has_coupon
    FROM core.order_values AS v
    JOIN core.orders AS o ON o.source = v.source AND o.order_id = v.order_id
    LEFT JOIN (SELECT DISTINCT source, order_id FROM core.coupon_redemptions) AS r
        ON r.source = v.source AND r.order_id = v.order_id
    WHERE v.is_order AND v.ordered_on <= getvariable('as_of') AND coalesce(v.taken_back_on > getvariable('as_of'), true)
        AND v.customer_id IS NOT NULL
),
channels AS (
    SELECT customer_id, channel, count(*) AS orders, max(ordered_on) AS last_on
    FROM placed
    WHERE channel IS NOT NULL AND ordered_on > getvariable('as_of') - 365
    GROUP BY customer_id, channel
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY orders DESC, last_on DESC, channel) = 1
),
coupons AS (SELECT customer_id, count(*) AS orders, count(*) FILTER (has_coupon) AS used FROM placed GROUP BY customer_id),
priced AS (
    SELECT customer_id, count(*) AS products, count(*) FILTER (is_reduced) AS reduced
    FROM core.order_products
    WHERE is_reduced IS NOT NULL AND customer_id IS NOT NULL AND ordered_on <= getvariable('as_of')
        AND coalesce(taken_back_on > getvariable('as_of'), true)
    GROUP BY customer_id
),
due AS (
    SELECT customer_id, count(*) AS products FROM marts.buying_cycle
    WHERE kind = 'product' AND standing = 'due'
    GROUP BY customer_id
),
ages AS (SELECT customer_id, date_sub('year', birth_date, getvariable('as_of')) AS age FROM records)
SELECT c.customer_id, getvariable('as_of') AS as_of, c.country, r.region_code, c.city, c.language,
    CASE WHEN a.age < 18 THEN '0-17' WHEN a.age < 25 THEN '18-24' WHEN a.age < 35 THEN '25-34' WHEN a.age < 45 THEN '35-44'
        WHEN a.age < 55 THEN '45-54' WHEN a.age < 65 THEN '55-64' WHEN a.age >= 65 THEN '65+' END AS age_group,
    coalesce(o.owner, r.owner).source AS owner_source, coalesce(o.owner, r.owner).user AS owner_id,
    k.last_at AS last_contact_at, k.last.kind AS last_contact_kind, k.last.source AS last_contact_source,
    k.last.user AS last_contact_by, coalesce(k.contacts_90d, 0) AS contacts_90d, coalesce(t.open_tickets, 0) AS open_tickets,
    coalesce(t.complaints, 0) AS open_complaints, p.product_source AS favourite_product_source,
    p.product_id AS favourite_product, g.category AS favourite_category, h.channel AS favourite_channel,
    b.best_hour, b.best_weekday, b.time_sure, b.best_channel, l.stage, l.since AS stage_since,
    coalesce(d.products, 0) AS due_products,
    (coalesce(s.reduced, 0) + 5 * e.price_share) / (coalesce(s.products, 0) + 5) AS price_sensitivity,
    coalesce(s.products, 0) AS price_evidence,
    (coalesce(q.used, 0) + 5 * e.coupon_share) / (coalesce(q.orders, 0) + 5) AS coupon_sensitivity,
    coalesce(q.orders, 0) AS coupon_evidence
FROM core.customers AS c
LEFT JOIN core.reduced_shares AS e ON true
LEFT JOIN records AS r USING (customer_id)
LEFT JOIN ages AS a USING (customer_id)
LEFT JOIN owners AS o USING (customer_id)
LEFT JOIN contacted AS k USING (customer_id)
LEFT JOIN tickets AS t USING (customer_id)
LEFT JOIN products AS p USING (customer_id)
LEFT JOIN categories AS g USING (customer_id)
LEFT JOIN channels AS h USING (customer_id)
LEFT JOIN marts.best_contact_time AS b USING (customer_id)
LEFT JOIN marts.lifecycle AS l USING (customer_id)
LEFT JOIN due AS d USING (customer_id)
LEFT JOIN priced AS s USING (customer_id)
LEFT JOIN coupons AS q USING (customer_id)
