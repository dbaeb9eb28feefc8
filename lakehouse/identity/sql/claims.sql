-- identity_claims: the component that each customer of before lives on in, and whether its id does too.
-- A customer lives on where the first seen of its remaining identifiers is, of those that it was the first customer of
-- where it has any; a component keeps the id of its oldest customer, the one with the first seen identifier. Equal
-- moments are told apart by the identifier's type and value, both times.
-- grain: customer_id
CREATE OR REPLACE TEMP TABLE identity_claims AS
WITH ages AS (
    SELECT
        customer_id,
        arg_min(
            (first_seen_at, identifier_type, identifier_value),
            (first_customer_id <> customer_id, first_seen_at, identifier_type, identifier_value)
        ) AS age
    FROM identity_before
    GROUP BY customer_id
),
heirs AS (
    SELECT
        customer_id,
        arg_min(component, (first_customer_id <> customer_id, first_seen_at, identifier)) AS component
    FROM identity_kept
    GROUP BY customer_id
)
SELECT customer_id, component, row_number() OVER (PARTITION BY component ORDER BY age) = 1 AS keeps
FROM heirs
JOIN ages USING (customer_id)
