-- table: core.consents
-- inputs: mapped.consents, core.identities
-- engines: duckdb
-- Of each record its newest version speaks. Of a customer's records the newest statement counts; a refusal wins
-- over a grant of the same time, and an undated refusal wins over every grant: consent fails closed.
WITH newest AS (
    SELECT * FROM mapped.consents
    QUALIFY row_number() OVER (
        PARTITION BY source, record, purpose, channel ORDER BY updated_at DESC NULLS LAST, _loaded_at DESC, _row DESC
    ) = 1
),
stated AS (
    SELECT i.customer_id, n.purpose, n.channel, n.granted, n.source, n.record, n.stated_at,
        coalesce(n.stated_at, CASE WHEN n.granted THEN TIMESTAMPTZ '0001-01-01 00:00:00+00'
                                   ELSE TIMESTAMPTZ '9999-01-01 00:00:00+00' END) AS weight
    FROM newest AS n
    JOIN core.identities AS i USING (identifier_type, identifier_value)
    WHERE n.granted IS NOT NULL
),
counting AS (
    SELECT * FROM stated
    QUALIFY row_number() OVER (
        PARTITION BY customer_id, purpose, channel ORDER BY weight DESC, granted ASC, source, record
    ) = 1
)
SELECT
    'k_' || left(sha256(concat_ws(chr(31), customer_id, purpose, channel, granted, source, record,
        coalesce(strftime(stated_at, '%Y-%m-%dT%H:%M:%S'), ''))), 20) AS consent_id,
    customer_id, purpose, channel, granted, stated_at, source, record
FROM counting
