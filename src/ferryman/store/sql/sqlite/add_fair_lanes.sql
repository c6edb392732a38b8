-- these lanes, as far as they are new
INSERT INTO fair (lane, tag) SELECT value, 0 FROM json_each(:lanes) WHERE true ON CONFLICT DO NOTHING;
