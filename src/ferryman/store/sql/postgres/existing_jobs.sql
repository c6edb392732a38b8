SELECT asked.id::text FROM unnest($1::uuid[]) AS asked (id)
WHERE (SELECT true FROM ferryman.job WHERE job.id = asked.id);
