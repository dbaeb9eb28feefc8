/*
doc: "How loyal each buyer is, 0 to 100: the mean place among all buyers in six things that loyal customers do."
zh: "忠诚度指数（0 到 100）：买家在六项忠诚行为中名次的平均。"
grain: "one row a customer with an order of which something is left"
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: as_of, type: date, doc: "Day the row looks back from", zh: "回看的日期"}
  - {name: loyalty, type: double, doc: "Mean of the six places below, 0 to 100; 50 is the usual buyer", zh: "以下六项的平均，0 到 100；50 为一般买家"}
  - {name: level, type: string, doc: "high (the best fifth), middle or low (the last fifth); equal values are of one level", zh: "high 前五分之一、middle、low 后五分之一；同值同级"}
  - {name: repeats, type: double, doc: "Place by purchase days in the last 365 days, 0 to 100", zh: "近 365 天购买天数的名次（0 到 100）"}
  - {name: faithful, type: double, doc: "Place by days since the first order", zh: "首单至今天数的名次"}
  - {name: present, type: double, doc: "Place by how short the silence is, in usual gaps of the customer", zh: "沉默时长（以惯常间隔计）的名次，越短越高"}
  - {name: broad, type: double, doc: "Place by categories bought in the last 365 days", zh: "近 365 天购买类目数的名次"}
  - {name: pays_full, type: double, doc: "Place by how seldom below the list price", zh: "少以低于标价购买的名次"}
  - {name: engaged, type: double, doc: "Place by days on site or app", zh: "站点与 App 活跃天数的名次"}
audits:
  - {name: "places are 0 to 100", condition: "loyalty BETWEEN 0 AND 100 AND repeats BETWEEN 0 AND 100 AND present BETWEEN 0 AND 100"}
*/
-- A place is the share of buyers below, with half of those who are equal: 100 · (below + equal / 2) / all, so that ties are fair,
-- and one thing that nobody does (a shop without an app) is 50 for all and moves nobody. What is unknown is in the middle, too.
-- Six things of one weight each, since any others would be somebody's opinion; who wants others reads the columns.
WITH buyers AS (
    SELECT c.customer_id, c.first_order_on, c.active_days, l.silent_days / nullif(l.usual_gap_days, 0) AS gaps_of_silence,
        CASE WHEN h.price_evidence > 0 THEN h.price_sensitivity END AS price_sensitivity
    FROM marts.customer_360 AS c
    LEFT JOIN marts.lifecycle AS l USING (customer_id)
    LEFT JOIN marts.customer_habits AS h USING (customer_id)
    WHERE c.orders > 0
),
bought AS (
    SELECT customer_id, count(DISTINCT ordered_on) AS days, count(DISTINCT category) AS categories
    FROM core.order_products
    WHERE customer_id IS NOT NULL AND ordered_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')
        AND coalesce(taken_back_on > getvariable('as_of'), true)
    GROUP BY customer_id
),
ordered AS (
    SELECT customer_id, count(DISTINCT ordered_on) AS days
    FROM core.order_values
    WHERE is_order AND customer_id IS NOT NULL AND ordered_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')
        AND coalesce(taken_back_on > getvariable('as_of'), true)
    GROUP BY customer_id
),
facts AS (
    SELECT b.customer_id, coalesce(o.days, 0) AS days, getvariable('as_of') - b.first_order_on AS since, -b.gaps_of_silence AS presence,
        coalesce(g.categories, 0) AS categories, -b.price_sensitivity AS full_price, b.active_days
    FROM buyers AS b
    LEFT JOIN ordered AS o USING (customer_id)
    LEFT JOIN bought AS g USING (customer_id)
),
long AS (
    SELECT customer_id, each.thing, each.value
    FROM (
        SELECT customer_id, unnest([
            {'thing': 'repeats', 'value': CAST(days AS DOUBLE)}, {'thing': 'faithful', 'value': CAST(since AS DOUBLE)},
            {'thing': 'present', 'value': CAST(presence AS DOUBLE)}, {'thing': 'broad', 'value': CAST(categories AS DOUBLE)},
            {'thing': 'pays_full', 'value': CAST(full_price AS DOUBLE)}, {'thing': 'engaged', 'value': CAST(active_days AS DOUBLE)}
        ]) AS each
        FROM facts
    )
),
-- a place is of a value, not of a customer: there are few values, and many customers
counts AS (SELECT thing, value, count(*) AS equal FROM long WHERE value IS NOT NULL GROUP BY thing, value),
shares AS (
    SELECT thing, value, 100 * (sum(equal) OVER (PARTITION BY thing ORDER BY value) - equal + equal / 2)
        / sum(equal) OVER (PARTITION BY thing) AS place
    FROM counts
),
places AS (
    SELECT l.customer_id, l.thing, coalesce(s.place, 50) AS place
    FROM long AS l
    LEFT JOIN shares AS s ON s.thing = l.thing AND s.value = l.value
),
wide AS (
    SELECT customer_id, max(place) FILTER (thing = 'repeats') AS repeats,
        max(place) FILTER (thing = 'faithful') AS faithful, max(place) FILTER (thing = 'present') AS present,
        max(place) FILTER (thing = 'broad') AS broad, max(place) FILTER (thing = 'pays_full') AS pays_full,
        max(place) FILTER (thing = 'engaged') AS engaged
    FROM places
    GROUP BY customer_id
),
indexed AS (SELECT *, (repeats + faithful + present + broad + pays_full + engaged) / 6 AS loyalty FROM wide),
ranked AS (
    SELECT *, (rank() OVER (ORDER BY loyalty) - 1 + count(*) OVER (PARTITION BY loyalty) / 2) / count(*) OVER () AS place FROM indexed
)
SELECT customer_id, getvariable('as_of') AS as_of, loyalty,
    CASE WHEN place >= 0.8 THEN 'high' WHEN place < 0.2 THEN 'low' ELSE 'middle' END AS level,
    repeats, faithful, present, broad, pays_full, engaged
FROM ranked
