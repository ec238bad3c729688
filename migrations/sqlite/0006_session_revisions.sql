-- What a copy of a conversation in the cache is compared with: a fresh token whenever a caller's change of it is written.
-- A trigger, so that no statement can forget it.
ALTER TABLE chat_sessions ADD COLUMN revision BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';

-- Not `updated_at`: that changes with every message, and is read together with the revision.
CREATE TRIGGER chat_sessions_revised AFTER UPDATE OF title, collections, instructions, metadata ON chat_sessions
BEGIN
    UPDATE chat_sessions SET revision = randomblob(16) WHERE id = NEW.id;
END;
