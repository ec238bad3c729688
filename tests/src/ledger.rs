//! What PostgreSQL says in the end, held against what clients were promised.

use crate::{chat::PATIENCE, engines::Ground, history::History};
use serde_json::Value;
use sqlx::{PgPool, Row, postgres::PgRow};
use std::time::{Duration, Instant};

/// A look into the database of a deployment.
pub struct Ledger {
    pool: PgPool,
}

/// A claim: the job and its fence.
pub type Held = (String, String);

impl Ledger {
    /// Opens it.
    pub async fn of(ground: &Ground) -> Self {
        Self { pool: ground.database().await }
    }

    /// The claims of now.
    pub async fn claims(&self) -> Vec<Held> {
        let held = "SELECT id::text, fence::text FROM jobs WHERE state = 3 AND fence IS NOT NULL";
        let rows = sqlx::query(held).fetch_all(&self.pool).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Whether a session has waited for so long within a transaction that has locks on jobs.
    pub async fn waits_in_transaction(&self, milliseconds: i32) -> bool {
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity a JOIN pg_locks l USING (pid)
             WHERE a.datname = current_database() AND a.application_name = 'rag-chat'
               AND a.state = 'idle in transaction' AND a.state_change < clock_timestamp() - $1 * interval '1 ms'
               AND l.relation = 'jobs'::regclass AND l.mode LIKE 'Row%')";
        sqlx::query_scalar(waits).bind(milliseconds).fetch_one(&self.pool).await.unwrap()
    }

    /// How many answers were begun again after an attempt that had said something.
    pub async fn restarts(&self) -> i64 {
        let count = "SELECT count(*) FROM chat_streams WHERE events LIKE '%\"response.restarted\"%'";
        sqlx::query_scalar(count).fetch_one(&self.pool).await.unwrap()
    }

    /// Everything that was accepted has ended, well and once. Returns how many passages there are.
    pub async fn check(&self, history: &History) -> u64 {
        self.jobs_have_ended().await;
        self.nothing_is_dead(history).await;
        self.turns_happened_once(history).await;
        for response in history.turns() {
            self.stream_is_whole(&response).await;
        }
        self.documents_happened_once(history).await
    }

    async fn rows(&self, statement: &'static str) -> Vec<PgRow> {
        sqlx::query(statement).fetch_all(&self.pool).await.unwrap()
    }

    async fn number(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.pool).await.unwrap()
    }

    async fn jobs_have_ended(&self) {
        // Upkeep comes by the clock, whatever a test does.
        let open = "SELECT kind || ' ' || id || ' in state ' || state FROM jobs WHERE state < 4 AND kind NOT LIKE 'run_upkeep%'";
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left: Vec<String> = self.rows(open).await.iter().map(|row| row.get(0)).collect();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "jobs that were accepted have not ended: {left:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn nothing_is_dead(&self, history: &History) {
        let dead = self.rows("SELECT kind, coalesce(errors, '') FROM jobs WHERE state IN (5, 6)").await;
        let dead: Vec<(String, String)> = dead.iter().map(|row| (row.get(0), row.get(1))).collect();
        let turns = dead.iter().filter(|(kind, _)| kind.starts_with("answer_turn")).count();
        assert!(dead.len() == turns && turns == history.excused(), "jobs were given up: {dead:?}");
    }

    async fn turns_happened_once(&self, history: &History) {
        let accepted = history.turns().len() as i64;
        let completed = accepted - history.excused() as i64;
        let questions = self.number("SELECT count(*) FROM chat_messages WHERE role = 'user'").await;
        let jobs = self.number("SELECT count(*) FROM jobs WHERE kind LIKE 'answer_turn%'").await;
        let responses = self.number("SELECT count(*) FROM chat_responses WHERE status IS NOT NULL").await;
        assert_eq!(
            [questions, jobs, responses],
            [accepted; 3],
            "questions, jobs, responses of {accepted} turns"
        );
        let answers = self.number("SELECT count(*) FROM chat_messages WHERE role = 'assistant'").await;
        let well = self.number("SELECT count(*) FROM chat_responses WHERE status = 'completed'").await;
        assert_eq!([answers, well], [completed; 2], "answers, completed responses of {completed}");
        let twice = "SELECT response::text, count(*) FROM chat_messages WHERE role = 'assistant' GROUP BY 1 HAVING count(*) > 1";
        let twice: Vec<String> = self.rows(twice).await.iter().map(|row| row.get(0)).collect();
        assert!(twice.is_empty(), "answered twice: {twice:?}");
    }

    /// The batches of a stream overlap nowhere, and exactly one of its events is an end.
    async fn stream_is_whole(&self, response: &str) {
        let id = response.trim_start_matches("resp_");
        let batches = "SELECT first_seq, last_seq, events FROM chat_streams
             WHERE replace(stream::text, '-', '') = replace($1, '-', '') ORDER BY last_seq";
        let batches = sqlx::query(batches).bind(id).fetch_all(&self.pool).await.unwrap();
        assert!(!batches.is_empty(), "{response} has no events in SQL");
        let (mut last, mut ends) = (0, 0);
        for batch in batches {
            let (first, until, lines): (i64, i64, String) = (batch.get(0), batch.get(1), batch.get(2));
            for (number, line) in (first..).zip(lines.lines()) {
                let event: Value = serde_json::from_str(line).unwrap();
                let kind = event["type"].as_str().unwrap();
                let seq = event["sequence_number"].as_i64().unwrap();
                assert!(seq == number || kind == "response.restarted", "{response} {seq}: {number} was due");
                assert!(seq > last, "{response}: {seq} after {last} in SQL");
                ends += i64::from(
                    ["response.completed", "response.failed", "response.cancelled", "response.incomplete"]
                        .contains(&kind),
                );
                last = seq;
            }
            assert_eq!(last, until, "{response}: a batch ends elsewhere than it says");
        }
        assert_eq!(ends, 1, "{response} has {ends} ends in SQL");
    }

    async fn documents_happened_once(&self, history: &History) -> u64 {
        let accepted = history.documents().len() as i64;
        let documents = self.number("SELECT count(*) FROM documents").await;
        let versions = self.number("SELECT count(*) FROM document_versions WHERE status = 'ready'").await;
        assert_eq!([documents, versions], [accepted; 2], "documents and their versions of {accepted}");
        let torn = "SELECT version::text FROM chunks GROUP BY 1
             HAVING count(*) <> max(ordinal) - min(ordinal) + 1 OR count(*) FILTER (WHERE NOT embedded) > 0";
        let torn: Vec<String> = self.rows(torn).await.iter().map(|row| row.get(0)).collect();
        assert!(torn.is_empty(), "versions with missing passages: {torn:?}");
        self.number("SELECT count(*) FROM chunks").await as u64
    }
}
