-- JSON of what the type declares: queue, priority, max_attempts, secrets; null where the node that registered it did not say
ALTER TABLE type ADD COLUMN declared TEXT;
