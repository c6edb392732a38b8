INSERT INTO type (name, registered_at) VALUES (?, ?) ON CONFLICT DO NOTHING;
