-- Times are milliseconds since the Unix epoch, as the program has them everywhere: no rounding on the way, and a lease
-- is one subtraction. JSON that is searched is jsonb; the rest is text, kept as it was written.

-- The database's clock: leases and due times are decided by it, whatever the clocks of the processes say.
CREATE FUNCTION chat_now() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

CREATE TABLE chat_sessions (
    id            uuid PRIMARY KEY,
    tenant        text NOT NULL,
    title         text,
    collections   text NOT NULL DEFAULT '[]',
    instructions  text,
    metadata      jsonb NOT NULL DEFAULT '{}',
    summary       text,
    summary_until uuid,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL
);
CREATE INDEX idx_chat_sessions_tenant ON chat_sessions (tenant, id);

CREATE TABLE chat_messages (
    id         uuid PRIMARY KEY,
    session    uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    tenant     text NOT NULL,
    role       text NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
    content    text NOT NULL,
    response   uuid,
    created_at bigint NOT NULL
);
-- Ids are time-ordered, so the id orders messages that share a millisecond.
CREATE INDEX idx_chat_messages_session_created ON chat_messages (session, id);

CREATE TABLE chat_responses (
    id           uuid PRIMARY KEY,
    tenant       text NOT NULL,
    session      uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    message      uuid NOT NULL,
    job          uuid NOT NULL,
    status       text, -- NULL until it is final: before that its job knows
    attempt      integer NOT NULL DEFAULT 0,
    model        text NOT NULL,
    options      text NOT NULL DEFAULT '{}',
    output_text  text NOT NULL DEFAULT '',
    usage        text,
    timings      text NOT NULL DEFAULT '{}',
    error        text,
    created_at   bigint NOT NULL,
    completed_at bigint
);
CREATE INDEX idx_chat_responses_open ON chat_responses (session, id) WHERE status IS NULL;
CREATE INDEX idx_chat_responses_session ON chat_responses (session, id);

-- What an answer cites.
CREATE TABLE chat_references (
    response uuid NOT NULL REFERENCES chat_responses (id) ON DELETE CASCADE,
    number   integer NOT NULL,
    document uuid NOT NULL,
    chunk    uuid NOT NULL,
    title    text NOT NULL,
    text     text NOT NULL,
    score    real NOT NULL,
    start    bigint NOT NULL,
    "end"    bigint NOT NULL,
    PRIMARY KEY (response, number)
);

-- What an answer was given to read; forgotten after a while.
CREATE TABLE chat_contexts (
    response   uuid NOT NULL REFERENCES chat_responses (id) ON DELETE CASCADE,
    number     integer NOT NULL,
    document   uuid NOT NULL,
    chunk      uuid NOT NULL,
    relevance  real NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (response, number)
);
CREATE INDEX idx_chat_contexts_relevance ON chat_contexts (response, relevance DESC);
CREATE INDEX idx_chat_contexts_expires ON chat_contexts (expires_at);

-- Batches of events: one JSON object a line, numbered first_seq to last_seq.
CREATE TABLE chat_streams (
    stream     uuid NOT NULL,
    last_seq   bigint NOT NULL,
    first_seq  bigint NOT NULL,
    events     text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (stream, last_seq)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.1);
CREATE INDEX idx_chat_streams_created ON chat_streams (created_at);

CREATE TABLE collections (
    id         uuid PRIMARY KEY,
    tenant     text NOT NULL,
    name       text NOT NULL,
    metadata   jsonb NOT NULL DEFAULT '{}',
    hidden     boolean NOT NULL DEFAULT false,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE UNIQUE INDEX idx_collections_name ON collections (tenant, name) WHERE NOT hidden;

CREATE TABLE documents (
    id           uuid PRIMARY KEY,
    tenant       text NOT NULL,
    collection   uuid NOT NULL REFERENCES collections (id),
    metadata     jsonb NOT NULL DEFAULT '{}',
    sha256       text NOT NULL, -- of the newest upload
    newest       uuid NOT NULL,
    live_version uuid,
    hidden       boolean NOT NULL DEFAULT false,
    created_at   bigint NOT NULL,
    updated_at   bigint NOT NULL
);
CREATE UNIQUE INDEX idx_documents_hash ON documents (collection, sha256) WHERE NOT hidden;
CREATE INDEX idx_documents_tenant ON documents (tenant, id);
CREATE INDEX idx_documents_collection ON documents (collection, id);

CREATE TABLE document_versions (
    id          uuid PRIMARY KEY,
    document    uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    tenant      text NOT NULL,
    number      integer NOT NULL,
    job         uuid NOT NULL,
    filename    text NOT NULL,
    media_type  text NOT NULL,
    charset     text,          -- the one that the caller insists on
    detected    text,          -- the one that was used
    bytes       bigint NOT NULL,
    sha256      text NOT NULL,
    blob        text NOT NULL,
    text_blob   text,
    status      text NOT NULL,
    done        bigint NOT NULL DEFAULT 0,
    total       bigint NOT NULL DEFAULT 0,
    error       text,
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL
);
CREATE INDEX idx_document_versions_document ON document_versions (document, number);

CREATE TABLE chunks (
    id       uuid PRIMARY KEY,
    version  uuid NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
    ordinal  integer NOT NULL,
    title    text,
    text     text NOT NULL,
    start    bigint NOT NULL,
    "end"    bigint NOT NULL,
    tokens   integer NOT NULL,
    embedded boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX idx_chunks_version ON chunks (version, ordinal);

-- Changes whenever what a tenant's searches can find changes: part of the key of cached results.
CREATE TABLE search_revisions (
    tenant   text PRIMARY KEY,
    revision bigint NOT NULL
);

CREATE TABLE jobs (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL,
    lane             text NOT NULL,
    tenant           text NOT NULL,
    priority         integer NOT NULL DEFAULT 0,
    vtime            double precision NOT NULL DEFAULT 0,
    payload          text NOT NULL,
    -- 0 waiting, 1 available, 2 handed, 3 running, 4 succeeded, 5 dead, 6 cancelled
    state            smallint NOT NULL CHECK (state BETWEEN 0 AND 6),
    blocked          boolean NOT NULL DEFAULT false, -- waits for its turn under concurrency_key
    attempt          integer NOT NULL DEFAULT 0,
    max_attempts     integer NOT NULL,
    allowance        integer NOT NULL,           -- how many attempts a retry by hand grants
    fence            uuid,
    worker           uuid,
    unique_key       text COLLATE "C", -- ticks are compared by their digits
    unique_forever   boolean NOT NULL DEFAULT false,
    concurrency_key  text,
    parent           uuid,
    pending_children integer NOT NULL DEFAULT 0,
    failed_children  integer NOT NULL DEFAULT 0,
    progress         text,
    result           text,
    errors           text,
    cancel_requested boolean NOT NULL DEFAULT false,
    session          uuid,
    document         uuid,
    run_at           bigint NOT NULL,
    created_at       bigint NOT NULL,
    handed_at        bigint,
    started_at       bigint,
    finished_at      bigint
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX idx_jobs_available ON jobs (lane, priority DESC, vtime, id) WHERE state = 1;
CREATE INDEX idx_jobs_due ON jobs (run_at) WHERE state = 0 AND NOT blocked AND pending_children = 0;
CREATE INDEX idx_jobs_handed ON jobs (handed_at) WHERE state = 2;
CREATE INDEX idx_jobs_running ON jobs (worker) WHERE state = 3;
CREATE INDEX idx_jobs_finished ON jobs (finished_at) WHERE state >= 4;
CREATE UNIQUE INDEX idx_jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX idx_jobs_key ON jobs (concurrency_key, blocked, id) WHERE concurrency_key IS NOT NULL AND state < 4;
CREATE INDEX idx_jobs_session ON jobs (session, id) WHERE session IS NOT NULL;
CREATE INDEX idx_jobs_document ON jobs (document, id) WHERE document IS NOT NULL;

-- The virtual clocks of fair order, as far as processes have told each other.
CREATE TABLE lane_clocks (
    lane  text PRIMARY KEY,
    vtime double precision NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE workers (
    id        uuid PRIMARY KEY,
    lanes     text NOT NULL,
    version   text NOT NULL,
    last_seen bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE idempotency_keys (
    tenant     text NOT NULL,
    key        text NOT NULL,
    request    text NOT NULL,
    status     integer NOT NULL,
    body       text NOT NULL,
    stream     uuid,
    location   text,
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant, key)
);
CREATE INDEX idx_idempotency_keys_created ON idempotency_keys (created_at);

-- Who may call the interface. The secret of a key is not here: only its keyed hash.
CREATE TABLE api_keys (
    id         uuid PRIMARY KEY,
    tenant     text NOT NULL,
    name       text NOT NULL,
    scopes     text NOT NULL,
    hash       text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);
CREATE INDEX idx_api_keys_tenant ON api_keys (tenant, id);
