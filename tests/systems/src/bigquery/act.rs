//! What a gate has seen, and what it does instead of what would be right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET` or `POST`.
    pub method: String,
    /// The path below `/bigquery/v2`.
    pub path: String,
    /// Its parameters.
    pub query: BTreeMap<String, String>,
    /// Its body; null when there is none.
    pub body: Value,
}

impl Seen {
    /// Whether it begins a statement that is not a trial.
    pub fn statement(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/queries") && self.body.get("dryRun").is_none()
    }

    /// Whether it begins a statement that reads a table.
    pub fn reading(&self) -> bool {
        self.statement() && self.body["query"].as_str().is_some_and(|sql| sql.contains(" FROM "))
    }

    /// Whether it asks for a statement's result.
    pub fn results(&self) -> bool {
        self.method == "GET" && self.path.contains("/queries/")
    }

    /// Whether it cancels a job.
    pub fn cancels(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/cancel")
    }
}

/// What to do instead of what would be right.
#[derive(Clone)]
pub enum Act {
    /// Answer with a status and this body.
    Answer(u16, Value),
    /// Answer with a status, a reason and words, as BigQuery words its errors.
    Refuse(u16, &'static str, &'static str),
    /// Answer with bytes of a media type.
    Raw(u16, &'static str, Vec<u8>),
    /// Change the answer.
    Change(Arc<dyn Fn(&mut Value) + Send + Sync>),
    /// Begin the job and never say so.
    Lose,
    /// Answer that the job still runs, and have it run for so many questions.
    Pend(usize),
    /// The same, after a while.
    Late(Duration, usize),
    /// Answer never.
    Hang,
}
