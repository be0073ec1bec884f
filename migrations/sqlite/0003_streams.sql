-- What is offered of a room's stream, and what stands in for it while its publisher is away. Keep in step with ../postgres.

-- JSON array of names of rungs, and of "audio".
ALTER TABLE rooms ADD COLUMN ladder TEXT NOT NULL DEFAULT '[]';
-- JSON array of {"name", "language"}, by number of the track.
ALTER TABLE rooms ADD COLUMN audio_tracks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE rooms ADD COLUMN slate TEXT NOT NULL DEFAULT 'off' CHECK (slate IN ('off', 'card', 'picture'));

-- Pictures that hosts uploaded, as they were made ready here: PNG.
CREATE TABLE slates (
    room TEXT PRIMARY KEY REFERENCES rooms (slug) ON DELETE CASCADE,
    image BLOB NOT NULL
) STRICT;
