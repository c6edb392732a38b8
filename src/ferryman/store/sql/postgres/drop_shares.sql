-- of keys whose gates were dropped
DELETE FROM ferryman.share WHERE key = ANY ($1::text[])
AND (SELECT true FROM ferryman.gate WHERE gate.key = share.key LIMIT 1) IS NULL;
