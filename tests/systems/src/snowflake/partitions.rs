//! Results as the proxy of faults must know them.

use serde_json::{Value, json};

use crate::faults::Protocol;
use crate::relay::{Call, Reply};

/// Partitions of the SQL API.
pub struct Partitions {
    /// What only a statement that reads the table says, as JSON writes it.
    pub marker: &'static str,
}

impl Protocol for Partitions {
    fn page(&self, call: &Call) -> Option<usize> {
        if call.method == "POST" {
            // Looks at the catalog are statements too.
            let read = call.path() == "/api/v2/statements"
                && String::from_utf8_lossy(&call.body).contains(self.marker);
            return read.then_some(0);
        }
        // A statement that is asked after gives its first partition.
        let asked = call.path().strip_prefix("/api/v2/statements/")?;
        if asked.contains('/') {
            return None;
        }
        call.query("partition").map_or(Some(0), |number| number.parse().ok())
    }

    fn next(&self, call: &Call, _: &Reply) -> Option<Call> {
        let page: usize = call.query("partition")?.parse().ok()?;
        Some(Call { target: format!("{}?partition={}", call.path(), page + 1), ..call.clone() })
    }

    fn expired(&self, _: &Call) -> Reply {
        // Not documented; the strict server words it so.
        let body = json!({"code": "000707", "message": "Data not available. The data has expired.", "sqlState": "02000"});
        Reply::new(422, "application/json", body.to_string())
    }

    fn lie(&self, body: &mut Value) -> bool {
        let Some(total) = body["resultSetMetaData"]["numRows"].as_u64() else { return false };
        body["resultSetMetaData"]["numRows"] = (total + 1).into();
        true
    }
}
