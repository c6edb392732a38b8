SELECT json_group_array(json_array(job, due_at)) FROM (SELECT job, due_at FROM tick WHERE schedule = :which ORDER BY due_at DESC, job DESC LIMIT :limit);
