-- whether a job that starts over has its slot still, in which case no sequence waits for it any longer. $1 key, $2 id
UPDATE ferryman.slot SET failed = false WHERE key = $1::text AND id = $2::uuid RETURNING key;
