-- identity_hubs: e-mails and phones that so many people of one source carry that they tie nobody, whatever the news are.
-- Nobody's news reach others by them. `people` are customers whose records of one source carry it: no fewer than the
-- people whom stronger identifiers make, of which it is asked whether an identifier is shared.
-- grain: identifier_type, identifier_value
CREATE OR REPLACE TEMP TABLE identity_hubs AS
WITH large AS (
    SELECT identifier_type, identifier_value
    FROM {evidence}
    WHERE standing = 'shared' AND identifier_type IN ('email', 'phone')
    GROUP BY identifier_type, identifier_value
    HAVING count(*) >= {least_records}
),
unowned AS (  -- what names a record ties it, however many carry it
    FROM large ANTI JOIN (FROM {evidence} WHERE own) USING (identifier_type, identifier_value)
),
carriers AS (
    SELECT DISTINCT e.identifier_type, e.identifier_value, e.source, e.record
    FROM {evidence} AS e SEMI JOIN unowned USING (identifier_type, identifier_value)
    WHERE standing = 'shared'
),
owners AS (
    SELECT DISTINCT e.source, e.record, i.customer_id
    FROM {evidence} AS e
    JOIN {previous} AS i USING (identifier_type, identifier_value)
    SEMI JOIN carriers USING (source, record)
    WHERE e.own
),
counted AS (
    SELECT identifier_type, identifier_value, source, count(DISTINCT customer_id) AS people
    FROM carriers JOIN owners USING (source, record)
    GROUP BY ALL
)
SELECT identifier_type, identifier_value, max(people) AS people
FROM counted
GROUP BY ALL
