-- one index instead of two: whoever looks for the slot of a job knows its key
ALTER TABLE ferryman.slot DROP CONSTRAINT slot_pkey, ADD PRIMARY KEY (key, id);
DROP INDEX ferryman.slot_key;

-- the edition of all rules of gates: by it the end of a run that hands its slot over knows whether the rules that it has
-- seen are those of now. Whoever changes one has the advisory lock of gates for himself
CREATE TABLE ferryman.gate_edition (number bigint NOT NULL) WITH (fillfactor = 20);
INSERT INTO ferryman.gate_edition VALUES (0);
