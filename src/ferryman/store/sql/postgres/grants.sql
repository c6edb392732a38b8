-- what lets the role $1 run nodes and enqueue, as statements: a role's name cannot be a parameter of GRANT
SELECT format(line, $1::text) FROM (VALUES
    (1, 'GRANT USAGE ON SCHEMA ferryman TO %I'),
    (2, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ferryman TO %I'),
    (3, 'REVOKE INSERT, UPDATE, DELETE ON ferryman.migration FROM %I'),
    -- what has been done has been done: see prune_audit for how old deeds go
    (4, 'REVOKE UPDATE, DELETE ON ferryman.audit FROM %I'),
    -- for what later migrations add
    (5, 'ALTER DEFAULT PRIVILEGES IN SCHEMA ferryman GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I')
) AS statement (place, line) ORDER BY place;
