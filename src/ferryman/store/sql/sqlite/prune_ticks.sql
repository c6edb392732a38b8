-- of a schedule's ticks the latest :kept stay
DELETE FROM tick WHERE schedule = :which AND due_at < (
    SELECT due_at FROM tick WHERE schedule = :which ORDER BY due_at DESC LIMIT 1 OFFSET :kept - 1);
