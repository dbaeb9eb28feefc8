/*
doc: "Which user looked after which customer when, by the source's own history, else by the versions of its contacts."
zh: "哪位员工在何时负责哪位客户：以来源的归属记录为准，否则取联系人各版本的负责人。"
grain: "one row a stretch of time in which a contact of the customer had a user"
key: [source, contact_id, owned_from, owner_id]
sort: [customer_id, owned_from]
columns:
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: contact_id, type: string, doc: "Contact that was looked after; empty where the source names customer and user alone", zh: "联系人编号；来源未写时为空文本"}
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: owner_id, type: string, doc: "User who looked after it", zh: "负责人编号"}
  - {name: owned_from, type: timestamptz, doc: "From when, UTC", zh: "开始时间（UTC）"}
  - {name: owned_to, type: timestamptz, doc: "Until when, UTC; null while it lasts", zh: "结束时间（UTC）；仍负责时为空"}
audits:
  - {name: "a stretch ends after it begins", condition: "owned_to > owned_from"}
*/
-- A contact of which the source tells stretches has these, and no others. Of one without, each version has an owner for as long
-- as it held; the first one since the contact was created, for a CRM without a clock tells of its versions when they came.
WITH stretches AS (
    SELECT source, coalesce(contact_id, '') AS contact_id, customer_id, user_id AS owner_id, owned_from,
        max(owned_to) FILTER (owned_to IS NOT NULL) AS owned_to, bool_or(owned_to IS NULL) AS lasts
    FROM core.ownerships
    WHERE customer_id IS NOT NULL AND user_id IS NOT NULL AND owned_from IS NOT NULL
    GROUP BY source, coalesce(contact_id, ''), customer_id, user_id, owned_from
),
versions AS (
    SELECT c.source, c.contact_id, c.customer_id, c.owner_id, c.valid_to,
        CASE WHEN row_number() OVER (PARTITION BY c.source, c.contact_id ORDER BY c.valid_from) = 1
            THEN least(c.valid_from, coalesce(c.created_at, c.valid_from)) ELSE c.valid_from END AS valid_from
    FROM core.contacts AS c
    WHERE NOT EXISTS (SELECT 1 FROM stretches AS s WHERE s.source = c.source AND s.contact_id = c.contact_id)
),
spans AS (
    SELECT source, contact_id, customer_id, owner_id, owned_from, CASE WHEN NOT lasts THEN owned_to END AS owned_to
    FROM stretches
    UNION ALL
    SELECT source, contact_id, customer_id, owner_id, valid_from, valid_to
    FROM versions
    WHERE customer_id IS NOT NULL AND owner_id IS NOT NULL
)
SELECT source, contact_id, customer_id, owner_id, owned_from, owned_to
FROM spans
WHERE coalesce(owned_to > owned_from, true)
QUALIFY row_number() OVER (PARTITION BY source, contact_id, owned_from, owner_id ORDER BY owned_to DESC NULLS FIRST, customer_id) = 1
