-- Keyword search in the rows, for when the index is away: which words up to 64 neighbouring passages of a version have,
-- as numbers (`word_key` in `core/src/text/keys.rs`). A number is a tenant's own, so lists of it are that tenant's.
CREATE TABLE chunk_words (
    version uuid NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
    block   integer NOT NULL, -- ordinal / 64
    keys    integer[] NOT NULL,
    PRIMARY KEY (version, block)
);
-- Hashes cannot be compressed: not to try saves the time. Stored beside the row, they keep rows short for who does not
-- read them.
ALTER TABLE chunk_words ALTER COLUMN keys SET STORAGE EXTERNAL;
CREATE INDEX idx_chunk_words_keys ON chunk_words USING gin (keys);

-- Which embedding models the index has vectors of. While one replaces another, there are both.
CREATE TABLE embedding_models (
    name       text PRIMARY KEY,
    dimensions integer,
    state      text NOT NULL CHECK (state IN ('live', 'building', 'dropping'))
);
CREATE UNIQUE INDEX idx_embedding_models_one ON embedding_models (state) WHERE state <> 'dropping';

-- Under which of them a version is in the index with all of its passages, as was counted.
CREATE TABLE version_models (
    version uuid NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
    model   text NOT NULL,
    PRIMARY KEY (version, model)
);
CREATE INDEX idx_version_models_model ON version_models (model);
CREATE INDEX idx_documents_live ON documents (live_version) WHERE live_version IS NOT NULL AND NOT hidden;
