-- the next $2 ids (order: desc) from the places where jobs of the wanted statuses can lie
-- $1 after, $2 limit, $3 lanes or null, $4 statuses; each place is asked for no more than the page needs
SELECT DISTINCT id::text COLLATE "C" AS id FROM (
    (SELECT id FROM ferryman.job
    WHERE 'completed' = ANY ($4::text[]) AND id < $1::uuid AND ($3::integer[] IS NULL OR lane = ANY ($3::integer[]))
    ORDER BY id DESC LIMIT $2::integer)
    UNION ALL
    (SELECT id FROM ferryman.ready
    WHERE 'pending' = ANY ($4::text[]) AND id < $1::uuid AND ($3::integer[] IS NULL OR lane = ANY ($3::integer[]))
    ORDER BY id DESC LIMIT $2::integer)
    UNION ALL
    (SELECT id FROM ferryman.later
    WHERE 'scheduled' = ANY ($4::text[]) AND id < $1::uuid AND ($3::integer[] IS NULL OR lane = ANY ($3::integer[]))
    ORDER BY id DESC LIMIT $2::integer)
    UNION ALL
    (SELECT id FROM ferryman.held
    WHERE 'waiting' = ANY ($4::text[]) AND id < $1::uuid AND ($3::integer[] IS NULL OR lane = ANY ($3::integer[]))
    ORDER BY id DESC LIMIT $2::integer)
    UNION ALL
    (SELECT run.id FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.lanes) AS run (id, lane)
    WHERE 'processing' = ANY ($4::text[]) AND run.id < $1::uuid
    AND ($3::integer[] IS NULL OR run.lane = ANY ($3::integer[]))
    ORDER BY run.id DESC LIMIT $2::integer)
    UNION ALL
    (SELECT DISTINCT outcome.id FROM ferryman.outcome
    WHERE 'failed' = ANY ($4::text[]) AND outcome.status = 'failed' AND outcome.id < $1::uuid
    AND ($3::integer[] IS NULL
        OR (SELECT job.lane FROM ferryman.job WHERE job.id = outcome.id) = ANY ($3::integer[]))
    ORDER BY outcome.id DESC LIMIT $2::integer)
    UNION ALL
    (SELECT DISTINCT outcome.id FROM ferryman.outcome
    WHERE 'cancelled' = ANY ($4::text[]) AND outcome.status = 'cancelled' AND outcome.id < $1::uuid
    AND ($3::integer[] IS NULL
        OR (SELECT job.lane FROM ferryman.job WHERE job.id = outcome.id) = ANY ($3::integer[]))
    ORDER BY outcome.id DESC LIMIT $2::integer)
) AS places
ORDER BY 1 DESC LIMIT $2::integer;
