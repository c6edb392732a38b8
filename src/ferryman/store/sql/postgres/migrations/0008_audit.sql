-- what operators did: see domain/audit.py. A row is written in the transaction that makes the change, and stays as it is
CREATE TABLE ferryman.audit (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       bigint NOT NULL,
    actor    text NOT NULL,
    action   text NOT NULL,
    target   text NOT NULL,
    detail   text NOT NULL
);

-- a role that runs nodes was granted the rights to later tables, too; what is in this one it may not change
DO $$
DECLARE
    who regrole;
BEGIN
    FOR who IN
        SELECT DISTINCT entry.grantee FROM pg_class CROSS JOIN aclexplode(relacl) AS entry
        WHERE pg_class.oid = 'ferryman.audit'::regclass AND entry.grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE ON ferryman.audit FROM %s', who);
    END LOOP;
END
$$;

-- Drop the deeds up to a time, of the first `most` in the log. Whoever calls it cannot drop what is younger than 90 days
-- on the server's own clock: so it is no way for a node to be rid of a deed. Returns how many were dropped.
CREATE FUNCTION ferryman.prune_audit(before bigint, most integer) RETURNS integer LANGUAGE sql STRICT SECURITY DEFINER
SET search_path = pg_catalog AS $$
    WITH gone AS (
        DELETE FROM ferryman.audit
        WHERE at <= least(before, (extract(epoch FROM clock_timestamp() - interval '90 days') * 1000000)::bigint)
        AND number = ANY (ARRAY(SELECT number FROM ferryman.audit ORDER BY number LIMIT most))
        RETURNING 1
    )
    SELECT count(*)::integer FROM gone
$$;
