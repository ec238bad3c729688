-- What a copy of a conversation in the cache is compared with: a fresh token whenever a caller's change of it is written.
-- A trigger, so that no statement can forget it, not even one of an older program while replicas are replaced.
ALTER TABLE chat_sessions ADD COLUMN revision uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';

CREATE FUNCTION chat_session_revised() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.revision := gen_random_uuid(); RETURN NEW; END $$;

-- Not `updated_at`: that changes with every message, and is read together with the revision.
CREATE TRIGGER chat_sessions_revised BEFORE UPDATE OF title, collections, instructions, metadata ON chat_sessions
    FOR EACH ROW EXECUTE FUNCTION chat_session_revised();
