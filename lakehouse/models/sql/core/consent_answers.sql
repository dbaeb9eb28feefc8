-- table: core.consent_answers
-- inputs: core.consents, mapped.carried_addresses
-- A subject is an address, of statements that name one, else a record. Its refusal stands until it says yes later itself.
-- A refusal covers the address it names, or those that its record has now; where the record has none, every address of
-- its customer. A grant covers likewise, for the customer of its record alone, and nothing where the record has no
-- address. An address is allowed that a grant covers and no refusal.
-- A cell with several e-mails carries each of them.
-- Conditions on mapped rows stand in the aggregate: DuckDB moves a WHERE into the scans, and plans it for each file.
WITH newest_versions AS (
    SELECT source, record, identifier_type AS kind,
        arg_max(struct_pack(address := identifier_value), (coalesce(updated_at, _loaded_at),
            coalesce(sequence, -99999999999999999999999999999999999999), _loaded_at, _file_id, _row))
            FILTER (said AND deleted IS NOT TRUE AND record IS NOT NULL) AS carried
    FROM mapped.carried_addresses
    GROUP BY source, record, identifier_type, slot
),
addresses AS (
    SELECT DISTINCT source, record, kind, unnest(string_split(carried.address, '|')) AS address
    FROM newest_versions
    WHERE carried.address IS NOT NULL
),
stated AS (
    SELECT *,
        CASE channel WHEN 'email' THEN 'email' WHEN 'sms' THEN 'phone' WHEN 'phone' THEN 'phone' WHEN 'whatsapp' THEN 'phone' END
            AS kind,
        coalesce(address, source) AS subject, CASE WHEN address IS NULL THEN record END AS subject_record
    FROM core.consents
    WHERE NOT granted OR (ended_at IS NULL AND recalled_at IS NULL)
),
weighed AS (
    SELECT *, max(effective_at) FILTER (NOT granted) OVER of_subject AS refused_at,
        coalesce(max(effective_at) FILTER (granted) OVER of_subject
            > max(effective_at) FILTER (NOT granted) OVER of_subject, false) AS lifted
    FROM stated
    WINDOW of_subject AS (PARTITION BY subject, subject_record, purpose, channel)
),
counting AS (
    SELECT * FROM weighed
    WHERE CASE WHEN granted THEN refused_at IS NULL OR effective_at > refused_at ELSE NOT lifted END
),
covered AS (
    SELECT c.customer_id, c.purpose, c.channel, c.granted, c.effective_at, c.consent_id,
        coalesce(c.address, a.address, CASE WHEN NOT c.granted THEN '' END) AS covered
    FROM counting AS c
    LEFT JOIN addresses AS a
        ON a.source = c.source AND a.record = c.subject_record AND a.kind = c.kind
),
refusals AS (
    SELECT covered AS address, CASE WHEN covered = '' THEN customer_id END AS customer_id, purpose, channel,
        arg_max(consent_id, (effective_at, consent_id)) AS consent_id
    FROM covered
    WHERE NOT granted
    GROUP BY ALL
),
asked AS (
    SELECT customer_id, covered AS address, purpose, channel,
        arg_max(consent_id, (coalesce(effective_at, TIMESTAMPTZ '0001-01-01 00:00:00+00'), consent_id))
            FILTER (granted) AS grant_id
    FROM covered
    WHERE customer_id IS NOT NULL AND covered IS NOT NULL
    GROUP BY ALL
)
SELECT q.customer_id, q.address, q.purpose, q.channel,
    q.grant_id IS NOT NULL AND here.consent_id IS NULL AND everywhere.consent_id IS NULL AS allowed,
    coalesce(here.consent_id, everywhere.consent_id, q.grant_id) AS consent_id
FROM asked AS q
LEFT JOIN refusals AS here
    ON here.address = q.address AND here.purpose = q.purpose AND here.channel = q.channel AND here.address <> ''
LEFT JOIN refusals AS everywhere
    ON everywhere.customer_id = q.customer_id AND everywhere.purpose = q.purpose AND everywhere.channel = q.channel
