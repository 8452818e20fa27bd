-- Who there is and what they configured. A tenant and a channel have one number, here and in the outbox.

-- How many tries were ever recorded: an attempt's number, which is never given twice, so that they can be followed.
ALTER TABLE clock ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
UPDATE clock SET attempts = (SELECT ifnull(max(seq), 0) FROM attempt);

-- A channel gives nothing while it is disabled, or its tenant suspended.
ALTER TABLE outbox_tenant ADD COLUMN is_suspended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox_channel ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox_channel ADD COLUMN failures_in_row INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox_channel ADD COLUMN last_delivered_at INTEGER;

-- What the tries of a channel came to in each hour since 1970, for about a day.
CREATE TABLE outbox_hour (
    channel INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (channel, hour)
) STRICT, WITHOUT ROWID;

-- Only what failed before is in these two, so that a delivery that succeeds at once does not pay for them.
CREATE INDEX delivery_retried ON delivery (channel, since) WHERE state = 0 AND later = 1;
CREATE INDEX delivery_dead_channel ON delivery (channel) WHERE state = 3;

-- `seq` is that of `outbox_tenant`, which has the id.
CREATE TABLE tenant (
    seq INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

-- `tenant` is absent for the host's. `scopes`: a JSON array of words. `hash`: SHA-256 of the token's text.
CREATE TABLE token (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX token_name ON token (ifnull(tenant, 0), name) WHERE revoked_at IS NULL;

-- `seq` is that of `outbox_channel`, which has the id. `revision` is the current one.
CREATE TABLE channel (
    seq INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;

-- Current and earlier ones. `settings`: a JSON object. `policy`: PolicyV1 as JSON. `disabled_reason`: absent while enabled.
CREATE TABLE channel_revision (
    seq INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    settings TEXT NOT NULL,
    policy TEXT NOT NULL,
    disabled_reason TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (channel, revision)
) STRICT;

-- A number is never given twice: whoever seals them anew goes through them in order while others save.
CREATE TABLE secret (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    option TEXT NOT NULL,
    sealed TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    UNIQUE (channel, revision, option)
) STRICT;

-- `notification`: its id, which may not have been accepted.
CREATE TABLE idempotency_key (
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    notification BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_key_at ON idempotency_key (at);

-- `tenant` is absent for what concerns the host.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    tenant INTEGER,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'an entry of the audit log is not changed');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'an entry of the audit log is not deleted');
END;

-- A text that is sealed with the host's key, to tell whether a key opens this file.
CREATE TABLE key_check (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sealed TEXT NOT NULL
) STRICT;
