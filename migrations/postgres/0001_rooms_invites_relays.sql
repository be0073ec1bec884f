-- Times are milliseconds since the Unix epoch. Keep in step with ../sqlite.

CREATE TABLE rooms (
    slug TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('invite', 'open')),
    listed BOOLEAN NOT NULL,
    locked BOOLEAN NOT NULL,
    slow_mode_seconds BIGINT NOT NULL CHECK (slow_mode_seconds >= 0),
    -- SHA-256 of the stream key: what a publisher is looked up by.
    key_hash BYTEA NOT NULL UNIQUE,
    -- The stream key, encrypted with a key that is not in the database: what the dashboard shows.
    key_sealed BYTEA NOT NULL,
    -- Media sequence numbers below this one may have been used.
    reserved_msn BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE invites (
    id TEXT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    label TEXT,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'moderator', 'host')),
    created_at BIGINT NOT NULL,
    not_before BIGINT,
    expires_at BIGINT NOT NULL,
    max_seats BIGINT CHECK (max_seats > 0),
    -- JSON array of relay ids; null: all relays.
    relays TEXT,
    revoked_at BIGINT
);

CREATE INDEX invites_room ON invites (room, created_at);

CREATE TABLE bans (
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    viewer_id TEXT NOT NULL,
    banned_at BIGINT NOT NULL,
    PRIMARY KEY (room, viewer_id)
);

-- What was signed and no longer counts; subjects have no foreign key, since they outlive what they name.
CREATE TABLE revocations (
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'viewer', 'room')),
    subject TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

CREATE TABLE relays (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    region TEXT,
    -- Where viewers reach it and what it runs, as the relay said last.
    url TEXT,
    version TEXT,
    -- SHA-256 of the one-time secret of its join token; null once used.
    secret_hash BYTEA UNIQUE,
    secret_expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    enrolled_at BIGINT,
    last_seen_at BIGINT
);

CREATE TABLE messages (
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    id BIGINT NOT NULL,
    viewer_id TEXT NOT NULL,
    nickname TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'moderator', 'host')),
    text TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    media_time BIGINT,
    reply_to BIGINT,
    PRIMARY KEY (room, id)
);

-- Of a link and of a session only the SHA-256 of what the browser holds.
CREATE TABLE sign_in_links (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE operator_sessions (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
