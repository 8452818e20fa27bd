-- What was accepted, what became of it, and who is served next.
--
-- Times are microseconds since 1970. Ids of tenants, channels, notifications and deliveries are 16 bytes; inside the file
-- short numbers (seq) stand for them. There are no foreign keys: the writer is the only one who writes.

-- The latest moment that anybody named, and the last lease: a claim is never given twice.
CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at INTEGER NOT NULL,
    turn INTEGER NOT NULL
) STRICT;
INSERT INTO clock (one, at, turn) VALUES (1, 0, 0);

-- Whose turn it is: the least turn is next. `first` and `later`: some channel may have such a try to give.
CREATE TABLE outbox_tenant (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    turn INTEGER NOT NULL DEFAULT 0,
    first INTEGER NOT NULL DEFAULT 0,
    later INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_tenant_first ON outbox_tenant (turn) WHERE first = 1;
CREATE INDEX outbox_tenant_later ON outbox_tenant (turn) WHERE later = 1;

-- `wake_at`: when to look at the channel again at the latest, because something becomes due or a lease runs out.
CREATE TABLE outbox_channel (
    seq INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    id BLOB NOT NULL,
    turn INTEGER NOT NULL DEFAULT 0,
    leases_max INTEGER NOT NULL,
    is_ordered INTEGER NOT NULL,
    held_until INTEGER NOT NULL DEFAULT 0,
    first INTEGER NOT NULL DEFAULT 0,
    later INTEGER NOT NULL DEFAULT 0,
    wake_at INTEGER,
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX outbox_channel_first ON outbox_channel (tenant, turn) WHERE first = 1;
CREATE INDEX outbox_channel_later ON outbox_channel (tenant, turn) WHERE later = 1;
CREATE INDEX outbox_channel_wake ON outbox_channel (wake_at) WHERE wake_at IS NOT NULL;

-- `body`: NotificationV1 as JSON, without the contact, which the delivery has.
CREATE TABLE notification (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- `state`: 0 waiting, 1 leased, 2 delivered, 3 dead. `later`: 0 is due at once, 1 is due at `due_at`.
-- `place` is set in ordered channels. `claim` is the last lease, and stays when that ran out.
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    notification INTEGER NOT NULL,
    contact TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    later INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    place INTEGER,
    since INTEGER NOT NULL,
    redrives INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    lapses INTEGER NOT NULL DEFAULT 0,
    is_cancelled INTEGER NOT NULL DEFAULT 0,
    claim INTEGER,
    leased_at INTEGER,
    lease_until INTEGER,
    settled_at INTEGER,
    dead_reason TEXT,
    failure TEXT,
    failure_code TEXT
) STRICT;
CREATE INDEX delivery_notification ON delivery (notification);
CREATE INDEX delivery_tenant ON delivery (tenant);
CREATE INDEX delivery_waiting ON delivery (channel, later, due_at) WHERE state = 0;
CREATE INDEX delivery_leased ON delivery (channel, lease_until) WHERE state = 1;
CREATE INDEX delivery_place ON delivery (channel, place) WHERE place IS NOT NULL AND state < 2;
CREATE INDEX delivery_settled ON delivery (state, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX delivery_dead ON delivery (tenant) WHERE state = 3;

-- `record`: AttemptV1 as JSON.
CREATE TABLE attempt (
    seq INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    redrive INTEGER NOT NULL,
    number INTEGER NOT NULL,
    leased_at INTEGER NOT NULL,
    settled_at INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_delivery ON attempt (delivery);
