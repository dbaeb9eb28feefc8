-- identity_links: which record carries which identifier, or carried it once, and since when.
-- grain: identifier, record_id
-- own: it names the record itself; current: the record carries it still; since: of what it carries still
CREATE OR REPLACE TEMP TABLE identity_links AS
SELECT
    n.identifier,
    r.record_id,
    any_value(r.source_id) AS source_id,
    any_value(s.type) AS type,
    bool_or(s.own) AS own,
    bool_or(s.every) AS every,
    bool_or(s.alias) AS alias,
    bool_or(s.until IS NULL) AS current,
    min(s.first_said_at) AS first_said_at,
    coalesce(min(s.since) FILTER (s.until IS NULL), min(s.since)) AS since
FROM identity_said AS s
JOIN identity_normal AS n USING (type, value, region)
JOIN identity_records AS r USING (source, record)
WHERE NOT n.placeholder
GROUP BY n.identifier, r.record_id
