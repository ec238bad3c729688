-- Who may call the interface. The secret of a key is not here: only its keyed hash.
CREATE TABLE api_keys (
    id         BLOB PRIMARY KEY,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    hash       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) WITHOUT ROWID;
CREATE INDEX idx_api_keys_tenant ON api_keys (tenant, id);
