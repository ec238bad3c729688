-- What models took for whom: one row for each job that used tokens. It stays when what was said is deleted, so it refers
-- to nothing. Old rows are found by their ids, which are in time order.
CREATE TABLE chat_usage (
    job           BLOB PRIMARY KEY,
    tenant        TEXT NOT NULL,
    api_key       BLOB,
    session       BLOB,
    model         TEXT NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd      REAL,
    created_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idx_chat_usage_tenant ON chat_usage (tenant, created_at);

INSERT OR IGNORE INTO chat_usage (job, tenant, session, model, input_tokens, output_tokens, cost_usd, created_at)
SELECT job, tenant, session, model, coalesce(usage ->> 'input_tokens', 0), coalesce(usage ->> 'output_tokens', 0),
       usage ->> 'cost_usd', coalesce(completed_at, created_at)
FROM chat_responses WHERE usage IS NOT NULL;
