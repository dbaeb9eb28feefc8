-- identity_customers: the customer id of each component. A component keeps the oldest that is in it; one that was split
-- off gets back the id that the first seen of its identifiers was first known by, unless that lives on elsewhere.
-- Components that have no id yet are missing.
-- grain: component
CREATE OR REPLACE TEMP TABLE identity_customers AS
WITH keeping AS (SELECT component, customer_id FROM identity_claims WHERE keeps),
known_first_by AS (
    SELECT component, first_customer_id AS customer_id, min((first_seen_at, identifier)) AS age
    FROM identity_kept
    WHERE component NOT IN (SELECT component FROM keeping)
        AND first_customer_id NOT IN (SELECT customer_id FROM identity_before)
    GROUP BY component, first_customer_id
),
given_back AS (
    SELECT * FROM known_first_by QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY age) = 1
)
FROM keeping
UNION ALL
SELECT component, arg_min(customer_id, age) FROM given_back GROUP BY component
