//! Results as the proxy of faults must know them.

use serde_json::{Value, json};

use crate::faults::Protocol;
use crate::relay::{Call, Reply};

/// Statements and their results, in pages that are asked for by their first row.
pub struct Pages {
    /// What only a statement that reads the table says.
    pub marker: &'static str,
    /// Rows of a page: the service may give fewer than it is asked for.
    pub rows: u64,
}

impl Pages {
    fn start(call: &Call) -> Option<u64> {
        call.query("startIndex")?.parse().ok()
    }
}

impl Protocol for Pages {
    fn page(&self, call: &Call) -> Option<usize> {
        if call.method == "POST" {
            let read = call.path().ends_with("/queries")
                && String::from_utf8_lossy(&call.body).contains(self.marker);
            return read.then_some(0);
        }
        Self::start(call).map(|_| 1)
    }

    fn next(&self, call: &Call, _: &Reply) -> Option<Call> {
        let start = Self::start(call)?;
        let (now, next) = (format!("startIndex={start}"), format!("startIndex={}", start + self.rows));
        Some(Call { target: call.target.replace(&now, &next), ..call.clone() })
    }

    fn expired(&self, _: &Call) -> Reply {
        let error = json!({"code": 404, "message": "Not found: Job weir-data:gone", "status": "NOT_FOUND",
            "errors": [{"reason": "notFound", "domain": "global", "message": "Not found: Job weir-data:gone"}]});
        Reply::new(404, "application/json; charset=UTF-8", json!({ "error": error }).to_string())
    }

    fn lie(&self, body: &mut Value) -> bool {
        let Some(total) = body["totalRows"].as_str().and_then(|total| total.parse::<u64>().ok()) else {
            return false;
        };
        body["totalRows"] = (total + 1).to_string().into();
        true
    }

    fn ask(&self, call: &mut Call) {
        if let Some(asked) = call.query("maxResults") {
            let (asked, fewer) = (format!("maxResults={asked}"), format!("maxResults={}", self.rows));
            call.target = call.target.replace(&asked, &fewer);
        }
        if self.page(call) == Some(0)
            && let Ok(mut body) = serde_json::from_slice::<Value>(&call.body)
        {
            body["maxResults"] = self.rows.into();
            call.body = body.to_string().into_bytes();
        }
    }
}
