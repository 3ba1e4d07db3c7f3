//! Statements submitted, and what has become of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::result::Done;
use crate::snowflake::sql::error::SqlError;

/// How a statement ended.
pub type Ending = Result<Arc<Done>, SqlError>;

/// What has become of a statement.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Running for so many polls more, and then this.
    Running(u32, Ending),
    /// Ended.
    Ended(Ending),
    /// Ended, and its result is gone.
    Expired,
}

/// A statement submitted.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Who submitted it: no other user may see it.
    pub user: String,
    /// When, in milliseconds since 1970.
    pub created_on: i64,
    /// Its request ID.
    pub request_id: Option<String>,
    /// What has become of it.
    pub phase: Phase,
}

/// All statements by handle.
#[derive(Debug, Default)]
pub struct Statements {
    by_handle: HashMap<String, Stored>,
    by_request: HashMap<(String, String), String>,
}

impl Statements {
    /// Keeps a statement.
    pub fn put(&mut self, handle: &str, stored: Stored) {
        if let Some(id) = &stored.request_id {
            self.by_request.insert((stored.user.clone(), id.clone()), handle.to_owned());
        }
        self.by_handle.insert(handle.to_owned(), stored);
    }

    /// A user's statement.
    pub fn get(&mut self, user: &str, handle: &str) -> Option<&mut Stored> {
        self.by_handle.get_mut(handle).filter(|it| it.user == user)
    }

    /// The handle of the statement that a user submitted with a request ID, if it did not fail.
    pub fn again(&self, user: &str, request_id: &str) -> Option<String> {
        let handle = self.by_request.get(&(user.to_owned(), request_id.to_owned()))?;
        let failed = matches!(self.by_handle.get(handle)?.phase, Phase::Ended(Err(_)));
        (!failed).then(|| handle.clone())
    }

    /// Lets every result go.
    pub fn expire(&mut self) {
        self.by_handle.values_mut().for_each(|it| it.phase = Phase::Expired);
    }

    /// The handles of what is still running.
    pub fn running(&self) -> Vec<String> {
        let running = self.by_handle.iter().filter(|(_, it)| matches!(it.phase, Phase::Running(..)));
        running.map(|(handle, _)| handle.clone()).collect()
    }
}
