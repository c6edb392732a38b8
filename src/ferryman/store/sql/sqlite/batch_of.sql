-- whether the batch in which a job was claimed is open still
SELECT 1 FROM claim, json_each(claim.jobs) AS run WHERE run.value ->> 0 = :id LIMIT 1;
