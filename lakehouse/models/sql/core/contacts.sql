-- table: core.contacts
-- inputs: mapped.contacts, core.identities
-- engines: duckdb
-- Versions of a record in the order of the CRM's own clock; a version equal to the one before it is no version.
WITH stamped AS (
    SELECT *, coalesce(updated_at, created_at, _loaded_at) AS held_from,
        md5(concat_ws(chr(31), coalesce(first_name, ''), coalesce(last_name, ''), coalesce(email, ''),
            coalesce(phone, ''), coalesce(city, ''), coalesce(country, ''), coalesce(language, ''))) AS content
    FROM mapped.contacts
),
newest_at_a_time AS (
    SELECT * FROM stamped
    QUALIFY row_number() OVER (
        PARTITION BY contact_id, held_from ORDER BY _loaded_at DESC, _file_id DESC, _row DESC
    ) = 1
),
changed AS (
    SELECT * FROM newest_at_a_time
    QUALIFY content IS DISTINCT FROM lag(content) OVER (PARTITION BY contact_id ORDER BY held_from)
)
SELECT
    c.contact_id, i.customer_id, c.source, c.first_name, c.last_name, c.email, c.phone, c.city, c.country,
    c.language, c.created_at, c.updated_at, c.held_from AS valid_from,
    lead(c.held_from) OVER (PARTITION BY c.contact_id ORDER BY c.held_from) AS valid_to
FROM changed AS c
LEFT JOIN core.identities AS i USING (identifier_type, identifier_value)
