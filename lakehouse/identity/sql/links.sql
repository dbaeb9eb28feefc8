-- identity_links: which record carried which identifier, and when.
-- grain: identifier, record_id
-- strength: place of the identifier's type among the types, 1 the strongest; unlisted types come last, by name
CREATE OR REPLACE TEMP TABLE identity_links AS
WITH strengths AS (
    SELECT type, row_number() OVER (ORDER BY list_position($strengths, type) NULLS LAST, type) AS strength
    FROM (SELECT DISTINCT type FROM identity_normal)
)
SELECT
    n.identifier,
    r.record_id,
    any_value(n.type) AS type,
    any_value(s.strength) AS strength,
    any_value(o.source) AS source,
    min(o.first_seen_at) AS first_seen_at,
    max(o.last_seen_at) AS last_seen_at
FROM identity_observed AS o
JOIN identity_normal AS n USING (type, value, region)
JOIN identity_records AS r USING (source, record)
JOIN strengths AS s USING (type)
WHERE NOT n.placeholder
GROUP BY n.identifier, r.record_id
