-- these lanes, in their order, as far as they are new
INSERT INTO ferryman.fair (lane) SELECT unnest($1::integer[]) ON CONFLICT (lane) DO NOTHING;
