SELECT min(due) FROM gate WHERE due IS NOT NULL;
