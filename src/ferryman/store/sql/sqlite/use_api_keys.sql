-- :used is a JSON array of [id, time]
UPDATE api_key SET last_used_at = max(ifnull(api_key.last_used_at, 0), used.value ->> 1)
FROM json_each(:used) AS used WHERE api_key.id = used.value ->> 0;
