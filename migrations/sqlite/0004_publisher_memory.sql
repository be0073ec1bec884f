-- What a room learnt of its publisher, for its next stream. Keep in step with ../postgres.

-- As the program wrote it, which alone reads it; null: nothing yet.
ALTER TABLE rooms ADD COLUMN publisher_memory TEXT;
