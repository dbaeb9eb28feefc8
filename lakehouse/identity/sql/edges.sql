-- identity_edges: what hangs together, whether it ties or not: records and the identifiers that they carry or carried,
-- identifiers and the customers that they belong or belonged to, identifiers that somebody spoke of, records that look
-- alike. Hubs join nobody. Who is in two parts that no edge joins has nothing to do with one another, whatever comes.
-- Nodes are hashes of 32 bits (`identity_node`): two that collide join two parts, which costs time and changes nothing.
CREATE OR REPLACE TEMP TABLE identity_edges AS
SELECT identity_node('record', source || ' ' || record) AS one, identity_node('identifier', identifier_type, identifier_value) AS other
FROM (
    SELECT source, record, identifier_type, identifier_value
    FROM {evidence}
    WHERE identifier_value IS NOT NULL AND standing <> 'placeholder'
    UNION ALL  -- an edge twice is one
    SELECT source, record, type, normal FROM ({carried}) WHERE NOT placeholder
)
ANTI JOIN identity_hubs USING (identifier_type, identifier_value)
UNION ALL
SELECT
    identity_node('identifier', identifier_type, identifier_value),
    identity_node('customer', customer_id)
FROM {previous}
UNION ALL
SELECT identity_node('identifier', identifier_type, identifier_value), identity_node('customer', first_customer_id)
FROM {previous}
WHERE first_customer_id <> customer_id
UNION ALL
SELECT
    identity_node('identifier', one_type, id_form(one_type, one_value)),
    identity_node('identifier', other_type, id_form(other_type, other_value))
FROM {words}
UNION ALL
SELECT
    identity_node('record', left_record),
    identity_node('record', right_record)
FROM {pairs}
