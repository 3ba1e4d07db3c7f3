//! BigQuery: `local-bigquery` behind the gate that is as strict as Google, its results in pages asked for by their
//! first row.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Emulator, Place};
use systems::faults::{Fault, Faults, Protocol};
use systems::relay::{Call, Reply};

use crate::faults;
use crate::system::{System, TIES, label, told};

/// Rows of a page: the service may give fewer than it is asked for.
const PAGE: u64 = 500;

struct Bigquery {
    place: Place,
    key: String,
    faults: Faults,
}

/// Statements and their results.
struct Pages;

impl Pages {
    fn start(call: &Call) -> Option<u64> {
        call.query("startIndex")?.parse().ok()
    }
}

impl Protocol for Pages {
    fn page(&self, call: &Call) -> Option<usize> {
        if call.method == "POST" {
            let read =
                call.path().ends_with("/queries") && String::from_utf8_lossy(&call.body).contains("`label`");
            return read.then_some(0);
        }
        Self::start(call).map(|_| 1)
    }

    fn next(&self, call: &Call, _: &Reply) -> Option<Call> {
        let start = Self::start(call)?;
        let (now, next) = (format!("startIndex={start}"), format!("startIndex={}", start + PAGE));
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
            let (asked, fewer) = (format!("maxResults={asked}"), format!("maxResults={PAGE}"));
            call.target = call.target.replace(&asked, &fewer);
        }
        if self.page(call) == Some(0)
            && let Ok(mut body) = serde_json::from_slice::<Value>(&call.body)
        {
            body["maxResults"] = PAGE.into();
            call.body = body.to_string().into_bytes();
        }
    }
}

impl System for Bigquery {
    const ROWS: i128 = 2_000;
    const PAGED: bool = true;

    async fn start() -> Result<Self> {
        let place = Place::empty(Emulator::Local).await?;
        let fields = json!([
            {"name": "id", "type": "INT64", "mode": "REQUIRED"},
            {"name": "c", "type": "INT64", "mode": "REQUIRED"},
            {"name": "label", "type": "STRING", "mode": "NULLABLE"},
        ]);
        place.create("t", json!({"schema": {"fields": fields}})).await?;
        let port: u16 =
            place.gate.url().trim_end_matches('/').rsplit(':').next().unwrap_or_default().parse()?;
        let faults = Faults::before(port, Pages).await?;
        // Tokens come from where the base address is.
        let key = place.gate.key_file().replace(&format!(":{port}"), &format!(":{}", faults.port));
        Ok(Self { key, place, faults })
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({"project": PROJECT, "dataset": self.place.dataset});
        let base = format!("http://127.0.0.1:{}/", self.faults.port).parse()?;
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("bigquery".to_owned(), base)].into(),
            statement_timeout: Duration::from_secs(4),
            ..Policy::default()
        };
        Ok(kinds::open("bigquery", &config, Some(SecretString::from(self.key.as_str())), &policy)?)
    }

    fn table(&self) -> TableRef {
        let (catalog, schema) = (Some(PROJECT.to_owned()), Some(self.place.dataset.clone()));
        TableRef { catalog, schema, name: "t".to_owned() }
    }

    async fn grow(&self, ids: Range<i128>) -> Result<()> {
        let rows: Vec<String> = ids.map(|id| format!("({id}, {}, '{}')", id / TIES, label(id))).collect();
        for part in rows.chunks(500) {
            let sql =
                format!("INSERT INTO {} (id, c, label) VALUES {}", self.place.table("t"), part.join(", "));
            self.place.run(&sql, &[]).await?;
        }
        Ok(())
    }

    fn told(&self, fault: Fault) -> (&'static [ErrorKind], &'static str) {
        match fault {
            Fault::RepeatedPage | Fault::SkippedPage => (&[ErrorKind::Unavailable], "page|rows"),
            other => told(other),
        }
    }
}

faults!("bigquery", Bigquery);
