-- the deeds that fit, the newest first: [sequence, at, actor, action, target, detail]
SELECT json_group_array(json_array(sequence, at, actor, action, target, detail))
FROM (
    SELECT * FROM audit
    WHERE sequence < :after
    AND (:actor IS NULL OR actor = :actor)
    AND (:action IS NULL OR action = :action)
    AND (:target IS NULL OR target = :target)
    ORDER BY sequence DESC LIMIT :limit);
