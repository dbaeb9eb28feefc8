-- table: core.consents
-- inputs: mapped.consents, core.identities
-- Of each record its newest version speaks, also when it says nothing any more. Of a customer's records the newest
-- statement counts, and in doubt a refusal, since consent fails closed: a refusal wins over a grant of the same time,
-- one that names only a day (midnight) speaks for that whole day, and an undated one wins over every grant. A grant
-- is no newer than the last change of the record that holds it, whatever date somebody typed into it. A record that was
-- deleted grants nothing any more; what it refused stays refused.
WITH newest AS (
    SELECT * FROM mapped.consents
    QUALIFY row_number() OVER (
        PARTITION BY source, record, purpose, channel
        ORDER BY updated_at DESC NULLS LAST, _loaded_at DESC, coalesce(2 * CAST(granted AS INTEGER), 1),
            _file_id DESC, _row DESC
    ) = 1
),
stated AS (
    SELECT i.customer_id, n.purpose, n.channel, n.granted, n.source, n.record, n.stated_at,
        CASE
            WHEN n.stated_at IS NULL AND n.granted THEN TIMESTAMPTZ '0001-01-01 00:00:00+00'
            WHEN n.stated_at IS NULL THEN TIMESTAMPTZ '9999-01-01 00:00:00+00'
            WHEN n.granted THEN least(n.stated_at, n.updated_at)
            WHEN n.stated_at = date_trunc('day', n.stated_at) THEN n.stated_at + INTERVAL '1 day' - INTERVAL '1 microsecond'
            ELSE n.stated_at
        END AS weight
    FROM newest AS n
    JOIN core.identities AS i USING (identifier_type, identifier_value)
    WHERE n.granted IS NOT NULL AND NOT (n.granted AND n.deleted IS TRUE)
),
counting AS (
    SELECT * FROM stated
    QUALIFY row_number() OVER (
        PARTITION BY customer_id, purpose, channel ORDER BY weight DESC, granted, source, record
    ) = 1
)
SELECT
    'k_' || left(sha256(concat_ws(chr(31), customer_id, purpose, channel, granted, source, record,
        coalesce(strftime(stated_at, '%Y-%m-%dT%H:%M:%S'), ''))), 20) AS consent_id,
    customer_id, purpose, channel, granted, stated_at, source, record
FROM counting
