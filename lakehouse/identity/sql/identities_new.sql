-- identities_new: the rows of core.identities.
-- grain: identifier_type, identifier_value
CREATE OR REPLACE TEMP TABLE identities_new AS
SELECT
    m.type AS identifier_type,
    m.value AS identifier_value,
    c.customer_id,
    m.rule,
    coalesce(least(m.first_seen_at, k.first_seen_at), $now) AS first_seen_at,
    coalesce(m.last_seen_at, k.last_seen_at, $now) AS last_seen_at,
    m.sources::INTEGER AS sources,
    m.records::INTEGER AS records,
    coalesce(k.first_customer_id, c.customer_id) AS first_customer_id
FROM identity_members AS m
JOIN identity_customers AS c USING (component)
LEFT JOIN identity_kept AS k USING (identifier)
ORDER BY m.identifier
