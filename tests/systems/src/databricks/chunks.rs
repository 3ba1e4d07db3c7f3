//! Results as the proxy of faults must know them.

use serde_json::{Value as Json, json};

use crate::faults::Protocol;
use crate::relay::{Call, Reply};

/// The object store.
pub struct Storage;

impl Protocol for Storage {
    fn page(&self, call: &Call) -> Option<usize> {
        call.path().strip_prefix("/results/")?.rsplit_once('/')?.1.parse().ok()
    }

    fn next(&self, _: &Call, _: &Reply) -> Option<Call> {
        // Each link is signed for its own part.
        None
    }

    fn expired(&self, _: &Call) -> Reply {
        let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        Reply::new(403, "application/xml", body)
    }

    fn lie(&self, _: &mut Json) -> bool {
        false
    }
}

/// The Statement Execution API. What lies behind a link is fetched past the proxy.
pub struct Chunks;

impl Chunks {
    fn number(call: &Call) -> Option<usize> {
        call.path().rsplit_once("/result/chunks/")?.1.parse().ok()
    }
}

impl Protocol for Chunks {
    fn page(&self, call: &Call) -> Option<usize> {
        if call.method == "POST" {
            // A result is first asked for inline, and is too large for that here.
            let links = String::from_utf8_lossy(&call.body).contains("EXTERNAL_LINKS");
            return (call.path() == "/api/2.0/sql/statements" && links).then_some(0);
        }
        Self::number(call)
    }

    fn next(&self, call: &Call, _: &Reply) -> Option<Call> {
        let number = Self::number(call)?;
        let (path, _) = call.path().rsplit_once('/')?;
        Some(Call { target: format!("{path}/{}", number + 1), ..call.clone() })
    }

    fn expired(&self, _: &Call) -> Reply {
        let body = json!({"error_code": "NOT_FOUND", "message": "The statement was not found or its result is gone."});
        Reply::new(404, "application/json", body.to_string())
    }

    fn lie(&self, body: &mut Json) -> bool {
        let Some(total) = body["manifest"]["total_row_count"].as_u64() else { return false };
        body["manifest"]["total_row_count"] = (total + 1).into();
        true
    }
}
