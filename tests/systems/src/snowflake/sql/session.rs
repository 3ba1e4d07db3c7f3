//! What a statement runs in: who asks, where, and in which time zone.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::zone;

/// The session that the API makes for each request.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user.
    pub user: String,
    /// The role taken.
    pub role: Option<String>,
    /// The warehouse that computes.
    pub warehouse: Option<String>,
    /// Where names without a database are looked up.
    pub database: Option<String>,
    /// Where names without a schema are looked up.
    pub schema: Option<String>,
    /// The zone of naive times that are compared with instants.
    pub zone: Tz,
    /// Nanoseconds since 1970 at the statement's start.
    pub now: i128,
    /// Output formats that were set, by parameter name in upper case.
    pub formats: BTreeMap<String, String>,
    /// The result's limit; 0 is none.
    pub rows_per_resultset: usize,
    /// Whether names in quotes mean the same in any case.
    pub ignore_case: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            user: String::new(),
            role: None,
            warehouse: None,
            database: None,
            schema: None,
            zone: zone::DEFAULT,
            now: 0,
            formats: BTreeMap::new(),
            rows_per_resultset: 0,
            ignore_case: false,
        }
    }
}
