-- identity_common: identifiers that too many carry to name one customer.
-- An e-mail or phone in more than $max_records records of one source is a shared mailbox or the shop's phone;
-- an anonymous id with more than $max_records user ids is a shared device.
-- grain: identifier
CREATE OR REPLACE TEMP TABLE identity_common AS
SELECT identifier
FROM identity_links
WHERE type IN ('email', 'phone')
GROUP BY identifier, source
HAVING count(*) > $max_records
UNION
SELECT device.identifier
FROM identity_links AS device
JOIN identity_links AS person USING (record_id)
WHERE device.type = 'anonymous_id' AND person.type = 'user_id'
GROUP BY device.identifier
HAVING count(DISTINCT person.identifier) > $max_records
