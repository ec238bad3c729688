-- The files that versions need: looked up when stored files are compared with the rows.
CREATE INDEX idx_document_versions_blob ON document_versions (blob);
CREATE INDEX idx_document_versions_text_blob ON document_versions (text_blob) WHERE text_blob IS NOT NULL;
