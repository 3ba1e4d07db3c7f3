//! Results as the proxy of faults must know them.

use crate::faults::Protocol;
use crate::relay::{Call, Reply};

/// Statements over HTTP: a result is one stream, and each statement that goes on with it is page 0.
pub struct Statements {
    /// What only a statement that reads the table says.
    pub marker: &'static str,
    /// What stands within a row, so that half a body does not end between two.
    pub within: &'static [u8],
}

impl Protocol for Statements {
    fn page(&self, call: &Call) -> Option<usize> {
        // Looks at the catalog are statements too.
        let sql = String::from_utf8_lossy(&call.body);
        (sql.contains(self.marker) && !sql.contains("system.")).then_some(0)
    }

    fn next(&self, _: &Call, _: &Reply) -> Option<Call> {
        None
    }

    fn expired(&self, _: &Call) -> Reply {
        Reply::new(404, "text/plain", "there are no results to expire")
    }

    fn half(&self, body: &[u8]) -> usize {
        let half = body.len() / 2;
        half + body[half..]
            .windows(self.within.len())
            .position(|some| some == self.within)
            .unwrap_or_default()
            + 2
    }

    fn lie(&self, _: &mut serde_json::Value) -> bool {
        false
    }
}
