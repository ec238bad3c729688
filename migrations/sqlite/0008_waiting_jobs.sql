-- With it each state of an unfinished job has an index: counting those does not read the jobs that have ended.
CREATE INDEX idx_jobs_waiting ON jobs (lane) WHERE state = 0;
