SELECT 1 FROM cancellation LIMIT 1;
