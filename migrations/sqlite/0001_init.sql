-- Times are milliseconds since the Unix epoch; ids are the 16 bytes of a UUID; JSON is text.

CREATE TABLE chat_sessions (
    id            BLOB PRIMARY KEY,
    tenant        TEXT NOT NULL,
    title         TEXT,
    collections   TEXT NOT NULL DEFAULT '[]',
    instructions  TEXT,
    metadata      TEXT NOT NULL DEFAULT '{}',
    summary       TEXT,
    summary_until BLOB,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idx_chat_sessions_tenant ON chat_sessions (tenant, id);

CREATE TABLE chat_messages (
    id         BLOB PRIMARY KEY,
    session    BLOB NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    tenant     TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
    content    TEXT NOT NULL,
    response   BLOB,
    created_at INTEGER NOT NULL
);
-- Ids are time-ordered, so the id orders messages that share a millisecond.
CREATE INDEX idx_chat_messages_session_created ON chat_messages (session, id);

CREATE TABLE chat_responses (
    id           BLOB PRIMARY KEY,
    tenant       TEXT NOT NULL,
    session      BLOB NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    message      BLOB NOT NULL,
    job          BLOB NOT NULL,
    status       TEXT, -- NULL until it is final: before that its job knows
    attempt      INTEGER NOT NULL DEFAULT 0,
    model        TEXT NOT NULL,
    options      TEXT NOT NULL DEFAULT '{}',
    output_text  TEXT NOT NULL DEFAULT '',
    usage        TEXT,
    timings      TEXT NOT NULL DEFAULT '{}',
    error        TEXT,
    created_at   INTEGER NOT NULL,
    completed_at INTEGER
);
CREATE INDEX idx_chat_responses_open ON chat_responses (session, id) WHERE status IS NULL;
CREATE INDEX idx_chat_responses_session ON chat_responses (session, id);

-- What an answer cites.
CREATE TABLE chat_references (
    response BLOB NOT NULL REFERENCES chat_responses (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    document BLOB NOT NULL,
    chunk    BLOB NOT NULL,
    title    TEXT NOT NULL,
    text     TEXT NOT NULL,
    score    REAL NOT NULL,
    start    INTEGER NOT NULL,
    "end"    INTEGER NOT NULL,
    PRIMARY KEY (response, number)
) WITHOUT ROWID;

-- What an answer was given to read; forgotten after a while.
CREATE TABLE chat_contexts (
    response   BLOB NOT NULL REFERENCES chat_responses (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    document   BLOB NOT NULL,
    chunk      BLOB NOT NULL,
    relevance  REAL NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (response, number)
) WITHOUT ROWID;
CREATE INDEX idx_chat_contexts_relevance ON chat_contexts (response, relevance DESC);
CREATE INDEX idx_chat_contexts_expires ON chat_contexts (expires_at);

-- Batches of events: one JSON object a line, numbered first_seq to last_seq.
CREATE TABLE chat_streams (
    stream     BLOB NOT NULL,
    last_seq   INTEGER NOT NULL,
    first_seq  INTEGER NOT NULL,
    events     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (stream, last_seq)
) WITHOUT ROWID;
CREATE INDEX idx_chat_streams_created ON chat_streams (created_at);

CREATE TABLE collections (
    id         BLOB PRIMARY KEY,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    metadata   TEXT NOT NULL DEFAULT '{}',
    hidden     INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX idx_collections_name ON collections (tenant, name) WHERE hidden = 0;

CREATE TABLE documents (
    id           BLOB PRIMARY KEY,
    tenant       TEXT NOT NULL,
    collection   BLOB NOT NULL REFERENCES collections (id),
    metadata     TEXT NOT NULL DEFAULT '{}',
    sha256       TEXT NOT NULL, -- of the newest upload
    newest       BLOB NOT NULL,
    live_version BLOB,
    hidden       INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE UNIQUE INDEX idx_documents_hash ON documents (collection, sha256) WHERE hidden = 0;
CREATE INDEX idx_documents_tenant ON documents (tenant, id);
CREATE INDEX idx_documents_collection ON documents (collection, id);

CREATE TABLE document_versions (
    id          BLOB PRIMARY KEY,
    document    BLOB NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    tenant      TEXT NOT NULL,
    number      INTEGER NOT NULL,
    job         BLOB NOT NULL,
    filename    TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    charset     TEXT,          -- the one that the caller insists on
    detected    TEXT,          -- the one that was used
    bytes       INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    blob        TEXT NOT NULL,
    text_blob   TEXT,
    status      TEXT NOT NULL,
    done        INTEGER NOT NULL DEFAULT 0,
    total       INTEGER NOT NULL DEFAULT 0,
    error       TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX idx_document_versions_document ON document_versions (document, number);

CREATE TABLE chunks (
    id       BLOB PRIMARY KEY,
    version  BLOB NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,
    title    TEXT,
    text     TEXT NOT NULL,
    start    INTEGER NOT NULL,
    "end"    INTEGER NOT NULL,
    tokens   INTEGER NOT NULL,
    embedded INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX idx_chunks_version ON chunks (version, ordinal);

-- Changes whenever what a tenant's searches can find changes: part of the key of cached results.
CREATE TABLE search_revisions (
    tenant   TEXT PRIMARY KEY,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE jobs (
    id               BLOB PRIMARY KEY,
    kind             TEXT NOT NULL,
    lane             TEXT NOT NULL,
    tenant           TEXT NOT NULL,
    priority         INTEGER NOT NULL DEFAULT 0,
    vtime            REAL NOT NULL DEFAULT 0,
    payload          TEXT NOT NULL,
    -- 0 waiting, 1 available, 2 handed, 3 running, 4 succeeded, 5 dead, 6 cancelled
    state            INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),
    blocked          INTEGER NOT NULL DEFAULT 0, -- waits for its turn under concurrency_key
    attempt          INTEGER NOT NULL DEFAULT 0,
    max_attempts     INTEGER NOT NULL,
    allowance        INTEGER NOT NULL,           -- how many attempts a retry by hand grants
    fence            BLOB,
    worker           BLOB,
    unique_key       TEXT,
    unique_forever   INTEGER NOT NULL DEFAULT 0,
    concurrency_key  TEXT,
    parent           BLOB,
    pending_children INTEGER NOT NULL DEFAULT 0,
    failed_children  INTEGER NOT NULL DEFAULT 0,
    progress         TEXT,
    result           TEXT,
    errors           TEXT,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    session          BLOB,
    document         BLOB,
    run_at           INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    handed_at        INTEGER,
    started_at       INTEGER,
    finished_at      INTEGER
) WITHOUT ROWID;
CREATE INDEX idx_jobs_available ON jobs (lane, priority DESC, vtime, id) WHERE state = 1;
CREATE INDEX idx_jobs_due ON jobs (run_at) WHERE state = 0 AND blocked = 0 AND pending_children = 0;
CREATE INDEX idx_jobs_handed ON jobs (handed_at) WHERE state = 2;
CREATE INDEX idx_jobs_running ON jobs (worker) WHERE state = 3;
CREATE INDEX idx_jobs_finished ON jobs (finished_at) WHERE state >= 4;
CREATE UNIQUE INDEX idx_jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX idx_jobs_key ON jobs (concurrency_key, blocked, id) WHERE concurrency_key IS NOT NULL AND state < 4;
CREATE INDEX idx_jobs_session ON jobs (session, id) WHERE session IS NOT NULL;
CREATE INDEX idx_jobs_document ON jobs (document, id) WHERE document IS NOT NULL;

CREATE TABLE workers (
    id        BLOB PRIMARY KEY,
    lanes     TEXT NOT NULL,
    version   TEXT NOT NULL,
    last_seen INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    tenant     TEXT NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    stream     BLOB,
    location   TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE INDEX idx_idempotency_keys_created ON idempotency_keys (created_at);
