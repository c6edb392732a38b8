-- whether this role may use our schema, whether it owns it, and what it may not do with our tables; no row: no schema
SELECT
    has_schema_privilege(pg_namespace.oid, 'USAGE'), pg_has_role(pg_namespace.nspowner, 'USAGE'),
    ARRAY(
        SELECT privilege || ' on ' || relname
        FROM pg_class CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted (privilege)
        WHERE relnamespace = pg_namespace.oid AND relkind IN ('r', 'p')
        AND (relname <> 'migration' OR privilege = 'SELECT')
        AND (relname <> 'audit' OR privilege IN ('SELECT', 'INSERT'))
        AND NOT has_table_privilege(pg_class.oid, privilege)
        ORDER BY relname, privilege)
FROM pg_namespace WHERE nspname = 'ferryman';
