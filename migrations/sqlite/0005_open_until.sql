-- Until when a room waits for its publisher, over a restart of the origin. Keep in step with ../postgres.

-- Unix milliseconds, a little ahead while it is on air; null: it is not open.
ALTER TABLE rooms ADD COLUMN open_until INTEGER;
