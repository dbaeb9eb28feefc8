-- One attempt at naming the components that have no customer yet. An id of before, or one given away in an
-- earlier attempt, is taken; of two components that hit one id, the smaller has it.
-- into: identity_customers (component, customer_id)
INSERT INTO identity_customers
WITH candidates AS (
    SELECT
        m.component,
        'c_'
        || left(sha256($namespace || '/' || $attempt || '/' || m.type || ':' || m.value), $digits) AS customer_id
    FROM identity_members AS m
    ANTI JOIN identity_customers AS c ON c.component = m.component
    WHERE m.identifier = m.component
)
SELECT n.component, n.customer_id
FROM candidates AS n
ANTI JOIN identity_customers AS c ON c.customer_id = n.customer_id
ANTI JOIN identity_before AS b ON b.customer_id = n.customer_id
QUALIFY row_number() OVER (PARTITION BY n.customer_id ORDER BY n.component) = 1
