-- The trace that a job is part of (the caller's traceparent), and what a job that waits for a time waits for.
ALTER TABLE jobs ADD COLUMN trace_parent text;
ALTER TABLE jobs ADD COLUMN waits_for text;
