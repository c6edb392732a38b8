INSERT INTO type (name, registered_at, declared) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET declared = excluded.declared
WHERE excluded.declared IS NOT NULL AND excluded.declared IS NOT type.declared;
