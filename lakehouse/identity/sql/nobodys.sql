-- identity_nobodys: ids of users that are no user's, since a program writes them for whoever it is: more than
-- $max_records e-mails ever came with it, or more than $max_records other users' devices. And devices that more than
-- $max_records users signed in on, such as a till.
-- grain: identifier
CREATE OR REPLACE TEMP TABLE identity_nobodys AS
WITH device_users AS (
    SELECT device.identifier AS device, person.identifier
    FROM identity_links AS device
    JOIN identity_links AS person USING (record_id)
    WHERE device.type = 'anonymous_id' AND person.type = 'user_id'
    GROUP BY device.identifier, person.identifier
),
of_some AS (  -- of a device that all use, each user comes with all others
    SELECT * FROM device_users
    QUALIFY count(*) OVER (PARTITION BY device) BETWEEN 2 AND $max_records
)
SELECT device AS identifier
FROM device_users
GROUP BY device
HAVING count(*) > $max_records
UNION
SELECT person.identifier
FROM identity_links AS person
JOIN identity_links AS address USING (record_id)
WHERE person.type = 'user_id' AND address.type = 'email'
GROUP BY person.identifier
HAVING count(DISTINCT address.identifier) > $max_records
UNION
SELECT person.identifier
FROM of_some AS person
JOIN of_some AS other ON other.device = person.device AND other.identifier <> person.identifier
GROUP BY person.identifier
HAVING count(DISTINCT other.identifier) > $max_records
