-- Lanes that an operator has stopped: their jobs wait until they are resumed.
CREATE TABLE paused_lanes (
    lane      TEXT PRIMARY KEY,
    paused_at INTEGER NOT NULL
) WITHOUT ROWID;
