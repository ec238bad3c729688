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
