-- Times are milliseconds since the Unix epoch; truth values are 0 and 1. Keep in step with ../postgres.

CREATE TABLE rooms (
    slug TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('invite', 'open')),
    listed INTEGER NOT NULL CHECK (listed IN (0, 1)),
    locked INTEGER NOT NULL CHECK (locked IN (0, 1)),
    slow_mode_seconds INTEGER NOT NULL CHECK (slow_mode_seconds >= 0),
    -- SHA-256 of the stream key: what a publisher is looked up by.
    key_hash BLOB NOT NULL UNIQUE,
    -- The stream key, encrypted with a key that is not in the database: what the dashboard shows.
    key_sealed BLOB NOT NULL,
    -- Media sequence numbers below this one may have been used.
    reserved_msn INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE invites (
    id TEXT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    label TEXT,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'moderator', 'host')),
    created_at INTEGER NOT NULL,
    not_before INTEGER,
    expires_at INTEGER NOT NULL,
    max_seats INTEGER CHECK (max_seats > 0),
    -- JSON array of relay ids; null: all relays.
    relays TEXT,
    revoked_at INTEGER
) STRICT;

CREATE INDEX invites_room ON invites (room, created_at);

CREATE TABLE bans (
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    viewer_id TEXT NOT NULL,
    banned_at INTEGER NOT NULL,
    PRIMARY KEY (room, viewer_id)
) STRICT;

-- What was signed and no longer counts; subjects have no foreign key, since they outlive what they name.
CREATE TABLE revocations (
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'viewer', 'room')),
    subject TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT;

CREATE TABLE relays (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    region TEXT,
    -- Where viewers reach it and what it runs, as the relay said last.
    url TEXT,
    version TEXT,
    -- SHA-256 of the one-time secret of its join token; null once used.
    secret_hash BLOB UNIQUE,
    secret_expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    enrolled_at INTEGER,
    last_seen_at INTEGER
) STRICT;

CREATE TABLE messages (
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    viewer_id TEXT NOT NULL,
    nickname TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'moderator', 'host')),
    text TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    media_time INTEGER,
    reply_to INTEGER,
    PRIMARY KEY (room, id)
) STRICT;

-- Of a link and of a session only the SHA-256 of what the browser holds.
CREATE TABLE sign_in_links (
    token_hash BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE operator_sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
