-- identity_changes: what happened to customers, for the audit log.
-- merge: customer_id of before now lives on as into_customer_id
-- split: some identifiers of customer_id, which lives on elsewhere, are now into_customer_id's
-- new: customer_id has no identifier that was known before
-- grain: change, customer_id, into_customer_id
CREATE OR REPLACE TEMP TABLE identity_changes AS
SELECT 'merge' AS change, a.customer_id, c.customer_id AS into_customer_id, $now AS at
FROM identity_claims AS a
JOIN identity_customers AS c USING (component)
WHERE NOT a.keeps
UNION ALL
SELECT DISTINCT 'split', k.customer_id, c.customer_id, $now
FROM identity_kept AS k
JOIN identity_claims AS a USING (customer_id)
JOIN identity_customers AS c ON c.component = k.component
WHERE a.component <> k.component
UNION ALL
SELECT 'new', c.customer_id, NULL, $now
FROM identity_customers AS c
ANTI JOIN identity_kept AS k USING (component)
ORDER BY ALL
