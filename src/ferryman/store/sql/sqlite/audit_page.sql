-- the deeds that fit, the newest first: [number, at, actor, action, target, detail]
SELECT json_group_array(json_array(number, at, actor, action, target, detail))
FROM (
    SELECT * FROM audit
    WHERE number < :after
    AND (:actor IS NULL OR actor = :actor)
    AND (:action IS NULL OR action = :action)
    AND (:target IS NULL OR target = :target)
    ORDER BY number DESC LIMIT :limit);
