-- identity_members: every identifier that names a customer, with its component and what tied it.
-- grain: identifier; component is the smallest identifier of the component
-- rule: the strongest type among the other identifiers of the records that carry this one; 'self' if it is
-- always alone
CREATE OR REPLACE TEMP TABLE identity_members AS
WITH strongest AS (
    SELECT record_id, min(strength, 2) AS two FROM identity_links GROUP BY record_id
),
carried AS (
    SELECT
        identifier,
        min(CASE WHEN strength = two[1] THEN two[2] ELSE two[1] END) AS strength,
        min(first_seen_at) AS first_seen_at,
        max(last_seen_at) AS last_seen_at,
        count(DISTINCT source) AS sources,
        count(*) AS records
    FROM identity_links
    JOIN strongest USING (record_id)
    GROUP BY identifier
),
identifiers AS (SELECT DISTINCT identifier, type, normal FROM identity_normal),
types AS (SELECT DISTINCT strength, type FROM identity_links)
SELECT
    c.identifier,
    i.type,
    i.normal AS value,
    k.component,
    coalesce(t.type, 'self') AS rule,
    c.first_seen_at,
    c.last_seen_at,
    c.sources,
    c.records
FROM carried AS c
JOIN identifiers AS i USING (identifier)
JOIN identity_components AS k USING (identifier)
LEFT JOIN types AS t ON t.strength = c.strength
