//! BigQuery: `local-bigquery` behind the gate that is as strict as Google, its results in pages asked for by their
//! first row.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Emulator, Pages, Place};
use systems::faults::{Fault, Faults};

use crate::faults;
use crate::system::{System, TIES, label, told};

/// Rows of a page.
const PAGE: u64 = 500;

struct Bigquery {
    place: Place,
    key: String,
    faults: Faults,
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
        let faults = Faults::before(port, Pages { marker: "`label`", rows: PAGE }).await?;
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
