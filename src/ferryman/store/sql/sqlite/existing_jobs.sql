SELECT json_group_array(job.id) FROM json_each(:ids) AS asked JOIN job ON job.id = asked.value;
