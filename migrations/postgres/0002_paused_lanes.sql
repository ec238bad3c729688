-- Lanes that an operator has stopped: their jobs wait until they are resumed.
CREATE TABLE paused_lanes (
    lane      text PRIMARY KEY,
    paused_at bigint NOT NULL
);
