INSERT INTO progress (id, number, told, dropped) VALUES (?, ?, ?, ?)
ON CONFLICT (id, number) DO UPDATE SET
    told = coalesce(excluded.told, told), dropped = max(dropped, excluded.dropped);
