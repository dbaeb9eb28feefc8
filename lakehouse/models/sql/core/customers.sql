-- table: core.customers
-- inputs: core.identities, core.contacts
-- Of each field the newest value that any CRM has; address and phone only in their normalised form, from the
-- identifiers that survived validation.
WITH known AS (
    SELECT customer_id, count(*) AS identifiers, min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at,
        arg_max(identifier_value, (last_seen_at, identifier_value)) FILTER (identifier_type = 'email') AS email,
        arg_max(identifier_value, (last_seen_at, identifier_value)) FILTER (identifier_type = 'phone') AS phone
    FROM core.identities
    GROUP BY customer_id
),
stated AS (
    SELECT customer_id,
        arg_max(first_name, (valid_from, source, contact_id)) FILTER (first_name IS NOT NULL) AS first_name,
        arg_max(last_name, (valid_from, source, contact_id)) FILTER (last_name IS NOT NULL) AS last_name,
        arg_max(city, (valid_from, source, contact_id)) FILTER (city IS NOT NULL) AS city,
        arg_max(country, (valid_from, source, contact_id)) FILTER (country IS NOT NULL) AS country,
        arg_max(language, (valid_from, source, contact_id)) FILTER (language IS NOT NULL) AS language,
        count(DISTINCT (source, contact_id)) AS contacts,
        string_agg(DISTINCT source, ',' ORDER BY source) AS sources
    FROM core.contacts
    WHERE valid_to IS NULL AND customer_id IS NOT NULL
    GROUP BY customer_id
)
SELECT
    k.customer_id, s.first_name, s.last_name, k.email, k.phone, s.city, s.country, s.language, k.identifiers,
    coalesce(s.contacts, 0) AS contacts, s.sources, k.first_seen_at, k.last_seen_at
FROM known AS k
LEFT JOIN stated AS s USING (customer_id)
