-- Chat: what is said and taken back, who keeps out whom, emotes. Keep in step with ../sqlite.

-- Ids of messages below it may have been used.
ALTER TABLE rooms ADD COLUMN reserved_message_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN pinned_message_id BIGINT;
-- Who may write web addresses.
ALTER TABLE rooms ADD COLUMN links TEXT NOT NULL DEFAULT 'everyone' CHECK (links IN ('everyone', 'moderators'));
-- JSON array of text.
ALTER TABLE rooms ADD COLUMN blocked_words TEXT NOT NULL DEFAULT '[]';
-- Messages are kept so many days; null: as long as the room.
ALTER TABLE rooms ADD COLUMN retention_days BIGINT CHECK (retention_days > 0);

-- A deleted message keeps its place; who deleted what stands in the audit log.
ALTER TABLE messages ADD COLUMN deleted_at BIGINT;
CREATE INDEX messages_sent ON messages (room, sent_at);

-- Who came into a room, with which invite, from where: what a ban goes by, and whose names are taken.
CREATE TABLE visits (
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    viewer_id TEXT NOT NULL,
    invite_id TEXT,
    -- Of the network, as the rate limits count it.
    address TEXT NOT NULL,
    nickname TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'moderator', 'host')),
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (room, viewer_id)
);
CREATE INDEX visits_invite ON visits (invite_id);

ALTER TABLE bans ADD COLUMN nickname TEXT NOT NULL DEFAULT '';
-- Set when the invite is used by others too: newcomers with it are refused from this address.
ALTER TABLE bans ADD COLUMN invite_id TEXT;
ALTER TABLE bans ADD COLUMN address TEXT;
ALTER TABLE bans ADD COLUMN banned_by TEXT NOT NULL DEFAULT '';
ALTER TABLE bans ADD COLUMN reason TEXT;

CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- Null: the operator.
    by_viewer_id TEXT,
    by_nickname TEXT NOT NULL,
    by_role TEXT NOT NULL,
    action TEXT NOT NULL,
    target_viewer_id TEXT,
    target_nickname TEXT,
    detail TEXT,
    reason TEXT
);
CREATE INDEX audit_room ON audit (room, id);
-- A record that is written again is known by its time.
CREATE INDEX audit_at ON audit (room, at);

CREATE TABLE emotes (
    room TEXT NOT NULL REFERENCES rooms (slug) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- HASH.png or HASH.gif.
    file TEXT NOT NULL,
    image BYTEA NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (room, name)
);
CREATE INDEX emotes_file ON emotes (room, file);
