-- Which embedding models the index has vectors of. While one replaces another, there are both.
CREATE TABLE embedding_models (
    name       TEXT PRIMARY KEY,
    dimensions INTEGER,
    state      TEXT NOT NULL CHECK (state IN ('live', 'building', 'dropping'))
) WITHOUT ROWID;
CREATE UNIQUE INDEX idx_embedding_models_one ON embedding_models (state) WHERE state <> 'dropping';

-- Under which of them a version is in the index with all of its passages, as was counted.
CREATE TABLE version_models (
    version BLOB NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
    model   TEXT NOT NULL,
    PRIMARY KEY (version, model)
) WITHOUT ROWID;
CREATE INDEX idx_version_models_model ON version_models (model);
CREATE INDEX idx_documents_live ON documents (live_version) WHERE live_version IS NOT NULL AND hidden = 0;
