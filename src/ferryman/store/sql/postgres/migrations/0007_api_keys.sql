-- who may use the HTTP API: digest is the SHA-256 of the secret, which itself is stored nowhere.
-- rights and queues are joined by commas; queues NULL is all. A row stays when its key has ended
CREATE TABLE ferryman.api_key (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    digest       text NOT NULL,
    rights       text NOT NULL,
    queues       text,
    rate         double precision,
    burst        bigint NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint,
    last_used_at bigint
) WITH (fillfactor = 50);
