-- identity_values: every distinct value once, with its normal form where no library is needed.
-- grain: type, value, region
-- normal: text, or NULL for an e-mail or phone that a library must judge
CREATE OR REPLACE TEMP TABLE identity_values AS
WITH compact AS (
    SELECT
        type,
        value,
        region,
        sum(observations) AS observations,
        right(replace(replace(value, ' ', ''), '-', ''), 11) AS eleven,
        lower(regexp_extract(value, '\.([A-Za-z]+)$', 1)) AS top_domain
    FROM identity_observed
    GROUP BY ALL
)
SELECT
    row_number() OVER () AS value_id,
    type,
    value,
    region,
    observations,
    CASE
        WHEN type NOT IN ('email', 'phone')
            THEN value
        WHEN type = 'email'
            AND length(value) < $plain_email_length
            AND regexp_full_match(value, $plain_email)
            AND NOT contains(value, '--')
            AND NOT list_contains($special_domains, top_domain)
            THEN lower(value)
        WHEN type = 'phone'
            AND (region IN ('', 'CN') OR starts_with(value, '+86'))
            AND regexp_full_match(value, $cn_mobile_shape)
            AND regexp_full_match(eleven, $cn_mobile)
            THEN '+86' || eleven
    END AS normal
FROM compact
