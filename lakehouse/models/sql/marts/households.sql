/*
doc: "Who lives together: customers of one dwelling, and what ties each to the others; each stays a person, and consent stays with it."
zh: "家庭：同住一处的客户及其关联依据；各人仍是独立客户，同意与否只属于本人。"
grain: "one row a customer who shares a dwelling with another"
key: [customer_id]
sort: [household_id, customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: household_id, type: string, doc: "Household: h_ and the customer id of the member that is first by it", zh: "家庭编号：h_ 加成员中排序第一的客户编号"}
  - {name: members, type: long, doc: "Customers of the household", zh: "家庭成员数"}
  - {name: tie, type: string, doc: "phone: shares a phone with another member; surname: shares a surname; address: shares the dwelling alone", zh: "依据：phone 同电话、surname 同姓、address 仅同址"}
  - {name: family, type: long, doc: "Members who share a phone or a surname with another one", zh: "与他人同电话或同姓的成员数"}
  - {name: household_orders, type: long, doc: "Orders of all members, of which something is left", zh: "全家尚有剩余的订单数"}
  - {name: household_revenue, type: "decimal(18,2)", doc: "Revenue of all members in the home currency", zh: "全家净收入（本位币）"}
audits:
  - {name: "nobody is a household alone", condition: "members >= 2 AND family <= members"}
*/
-- The dwelling is what the newest contact record says of a customer's address, else where most orders went. It is written with
-- house number, and room where there is one; spelling, order of city and street, and the words before the district do not
-- matter, a city that differs does. Spouses of China have two surnames, so who shares the dwelling alone is told, with `tie`
-- saying so: `tie <> 'address'` are families by phone or name. A dwelling of more than eight customers is an office, a
-- dormitory or a shop, and no household; so is a post box or a place where parcels wait. No model of consent or identity reads
-- this table: nobody is merged by it, and nobody's yes or no is another's.
WITH said AS (
    SELECT customer_id, address, city, 1 AS is_record, epoch_us(valid_from) AS weight, concat(source, ' ', contact_id) AS place
    FROM core.contacts
    WHERE valid_to IS NULL AND customer_id IS NOT NULL AND address IS NOT NULL
    UNION ALL
    SELECT customer_id, address, min(city), 0, count(*), address
    FROM core.orders
    WHERE customer_id IS NOT NULL AND address IS NOT NULL AND coalesce(counts_as, 'sold') IN ('sold', 'refunded')
    GROUP BY customer_id, address
),
spelt AS (
    SELECT *, trim(regexp_replace(
        translate(lower(address), '０１２３４５６７８９－ａｂｃｄｅｆ，。．＃（）　', '0123456789-abcdef,..#() '), '\s+', ' ', 'g')) AS text
    FROM said
),
formed AS (
    SELECT *,
        CASE WHEN regexp_matches(text, '\p{Han}')
            THEN regexp_replace(
                regexp_extract(replace(text, ' ', ','), '(?:^|[省市州盟,])((?:[^省市,]{1,9}[区县旗])?[^省市区县,]*\d[^,]*)', 1),
                '[^\p{L}\p{N}-]', '', 'g')
            ELSE trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                regexp_replace(text, '[^\p{L}\p{N}-]+', ' ', 'g'),
                '\b(street|strasse|straße)\b', 'st', 'g'), '\bavenue\b', 'ave', 'g'), '\broad\b', 'rd', 'g'),
                '\b(apartment|unit|suite|ste|flat|no)\b', 'apt', 'g'), '\b(usa|united states)$', '', 'g'))
        END AS dwelling
    FROM spelt
    WHERE NOT regexp_matches(text, '驿站|丰巢|快递柜|自提|代收|菜鸟|p\.? ?o\.? box|postfach|packstation|parcel locker|pick.?up')
),
homes AS (
    SELECT customer_id, arg_max({'dwelling': dwelling, 'city': city}, (is_record, weight, place)) AS home
    FROM formed
    WHERE length(dwelling) >= 5 AND regexp_matches(dwelling, '\d')
    GROUP BY customer_id
),
people AS (
    SELECT h.customer_id, h.home.dwelling AS dwelling, coalesce(lower(trim(c.city)), lower(trim(h.home.city))) AS city,
        right(regexp_replace(coalesce(c.phone, ''), '\D', '', 'g'), 10) AS phone,
        trim(regexp_replace(coalesce(c.name, ''), '[（(].*', '')) AS full_name, c.last_name
    FROM homes AS h
    JOIN core.customers AS c ON c.customer_id = h.customer_id
),
named AS (
    SELECT customer_id, dwelling, city, CASE WHEN length(phone) >= 8 THEN phone END AS phone,
        lower(CASE
            WHEN last_name IS NOT NULL THEN trim(last_name)
            WHEN regexp_matches(full_name, '^(欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|令狐|慕容|夏侯|司徒|长孙|宇文)') THEN left(full_name, 2)
            WHEN regexp_matches(full_name, '^\p{Han}{2,4}$') THEN left(full_name, 1)
            WHEN contains(full_name, ' ') THEN regexp_extract(full_name, '(\S+)$', 1)
        END) AS surname
    FROM people
),
-- a city that is not told is the one that others of the dwelling tell, where that is one
placed AS (
    SELECT *, coalesce(city, CASE WHEN min(city) OVER at_dwelling = max(city) OVER at_dwelling THEN min(city) OVER at_dwelling END, '')
            AS town
    FROM named
    WINDOW at_dwelling AS (PARTITION BY dwelling)
),
counted AS (
    SELECT *, count(*) OVER at_home AS members, min(customer_id) OVER at_home AS first_member,
        count(*) OVER (PARTITION BY dwelling, town, phone) AS of_phone, count(*) OVER (PARTITION BY dwelling, town, surname) AS of_surname
    FROM placed
    WINDOW at_home AS (PARTITION BY dwelling, town)
),
tied AS (
    SELECT *,
        CASE
            WHEN phone IS NOT NULL AND of_phone > 1 THEN 'phone'
            WHEN surname IS NOT NULL AND of_surname > 1 THEN 'surname'
            ELSE 'address'
        END AS tie
    FROM counted
    WHERE members BETWEEN 2 AND 8
)
SELECT t.customer_id, 'h_' || t.first_member AS household_id, t.members, t.tie,
    count(*) FILTER (t.tie <> 'address') OVER of_household AS family,
    coalesce(sum(c.orders) OVER of_household, 0) AS household_orders, coalesce(sum(c.revenue) OVER of_household, 0) AS household_revenue
FROM tied AS t
LEFT JOIN marts.customer_360 AS c ON c.customer_id = t.customer_id
WINDOW of_household AS (PARTITION BY t.first_member)
