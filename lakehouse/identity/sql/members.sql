-- identity_members: every identifier that names a customer, with its component and what tied it.
-- grain: identifier; component is the smallest record of the customer's
-- rule: the strongest type among the other identifiers of the customer's records that carry this one; 'self' if it is
-- always alone
CREATE OR REPLACE TEMP TABLE identity_members AS
WITH strengths AS (
    SELECT type, row_number() OVER (ORDER BY list_position($strengths, type) NULLS LAST, type) AS strength
    FROM (SELECT DISTINCT type FROM identity_links)
),
standing AS (
    SELECT l.*, s.strength, p.component
    FROM identity_links AS l
    JOIN strengths AS s USING (type)
    JOIN identity_people AS p USING (record_id)
),
strongest AS (
    SELECT record_id, min(strength, 2) AS two FROM standing GROUP BY record_id
),
carried AS (
    SELECT
        identifier,
        any_value(o.component) AS component,
        any_value(type) AS type,
        min(CASE WHEN strength = two[1] THEN two[2] ELSE two[1] END) AS strength,
        min(first_said_at) AS first_seen_at,
        max(since) AS last_seen_at,
        count(DISTINCT source_id) AS sources,
        count(*) AS records
    FROM standing
    JOIN strongest USING (record_id)
    JOIN identity_owners AS o USING (identifier)
    WHERE standing.component = o.component
    GROUP BY identifier
),
identifiers AS (SELECT DISTINCT identifier, type, normal FROM identity_normal)
SELECT
    c.identifier,
    i.type,
    i.normal AS value,
    c.component,
    coalesce(t.type, 'self') AS rule,
    c.first_seen_at,
    c.last_seen_at,
    c.sources,
    c.records
FROM carried AS c
JOIN identifiers AS i USING (identifier)
LEFT JOIN strengths AS t ON t.strength = c.strength
