-- What models took for whom: one row for each job that used tokens. It stays when what was said is deleted, so it refers
-- to nothing. Old rows are found by their ids, which are in time order.
CREATE TABLE chat_usage (
    job           uuid PRIMARY KEY,
    tenant        text NOT NULL,
    api_key       uuid,
    session       uuid,
    model         text NOT NULL,
    input_tokens  bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd      double precision,
    created_at    bigint NOT NULL
);
CREATE INDEX idx_chat_usage_tenant ON chat_usage (tenant, created_at);

INSERT INTO chat_usage (job, tenant, session, model, input_tokens, output_tokens, cost_usd, created_at)
SELECT job, tenant, session, model, coalesce((usage::jsonb ->> 'input_tokens')::bigint, 0),
       coalesce((usage::jsonb ->> 'output_tokens')::bigint, 0), (usage::jsonb ->> 'cost_usd')::double precision,
       coalesce(completed_at, created_at)
FROM chat_responses WHERE usage IS NOT NULL
ON CONFLICT (job) DO NOTHING;
