-- identity_kept: identifiers that had a customer before and are still here.
-- grain: identifier
CREATE OR REPLACE TEMP TABLE identity_kept AS
SELECT m.identifier, m.component, b.customer_id, b.first_customer_id, b.first_seen_at, b.last_seen_at
FROM identity_before AS b
JOIN identity_members AS m ON m.type = b.identifier_type AND m.value = b.identifier_value
