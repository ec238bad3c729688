-- The bytes that documents answer with are looked up, too: an upload of them while they are being replaced is a duplicate.
CREATE INDEX idx_document_versions_sha256 ON document_versions (sha256);
