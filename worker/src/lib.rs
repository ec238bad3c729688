//! Runs jobs: lanes, relay, reaper, schedule, drain
