-- whether a job that starts over has its slot still, in which case no sequence waits for it any longer
UPDATE ferryman.slot SET failed = false WHERE id = $1::uuid RETURNING key;
