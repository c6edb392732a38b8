INSERT INTO cancellation (id, number, node, asked_at) VALUES (:id, :number, :node, :asked_at) ON CONFLICT DO NOTHING;
