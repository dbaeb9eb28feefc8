-- evidence_new: the rows of core.evidence: what each record says and said of its identifiers.
-- grain: source, record, slot, since, identifier_value
-- standing: what the statement does. `ties`: by it the record is tied to others; `superseded`: the record says something
-- else since `until`; `cleared`: the record has none since; `invalid`: the text is none of its type; `placeholder`: it
-- names nobody; `shared`: too many people carry it
CREATE OR REPLACE TEMP TABLE evidence_new AS
SELECT
    s.source,
    s.record,
    s.slot,
    s.type AS identifier_type,
    n.normal AS identifier_value,
    s.own,
    CASE
        WHEN s.value IS NULL THEN 'cleared'
        WHEN n.normal IS NULL THEN 'invalid'
        WHEN n.placeholder THEN 'placeholder'
        WHEN s.until IS NOT NULL THEN 'superseded'
        WHEN h.identifier IS NOT NULL AND NOT s.own THEN 'shared'
        ELSE 'ties'
    END AS standing,
    s.since,
    s.until,
    s.first_said.file_id AS file_id,
    s.first_said.row AS row
FROM identity_said AS s
LEFT JOIN identity_normal AS n USING (type, value, region)
LEFT JOIN identity_shared AS h USING (identifier)
