//! Databricks: the strict stand-in, whose large results come in chunks behind links. Once its interface is behind the
//! proxy, and once the object store that the links lead to.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::CLIENT;
use systems::databricks::{Chunks, SECRET, Server, Storage, Type, Value, WAREHOUSE, column, key};
use systems::faults::{Fault, Faults};

use crate::system::{System, TIES, label, told};

/// `LINKS` tells what is behind the proxy.
struct Databricks<const LINKS: bool> {
    server: Server,
    table: TableRef,
    faults: Faults,
}

impl<const LINKS: bool> System for Databricks<LINKS> {
    const ROWS: i128 = 2_000;
    const PAGED: bool = true;

    async fn start() -> Result<Self> {
        let server = Server::start().await?;
        server.chunk_rows(450);
        server.inline_bytes(1_000);
        let columns =
            vec![key("id", Type::Int("BIGINT")), key("c", Type::Int("BIGINT")), column("label", Type::Text)];
        let table = server.create("t", columns);
        let faults = if LINKS {
            Faults::before(server.storage(), Storage).await?
        } else {
            Faults::before(server.port(), Chunks).await?
        };
        if LINKS {
            server.links_lead_to(faults.port);
        }
        Ok(Self { server, table, faults })
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "host": "dbc-0a1b2c3d-4e5f.cloud.databricks.com",
            "warehouse": format!("/sql/1.0/warehouses/{WAREHOUSE}"),
            "signIn": {"oauth": {"clientId": CLIENT}},
        });
        let port = if LINKS { self.server.port() } else { self.faults.port };
        let base = format!("http://127.0.0.1:{port}/").parse()?;
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("databricks".to_owned(), base)].into(),
            statement_timeout: Duration::from_secs(2),
            ..Policy::default()
        };
        Ok(kinds::open("databricks", &config, Some(SecretString::from(SECRET)), &policy)?)
    }

    fn table(&self) -> TableRef {
        self.table.clone()
    }

    async fn grow(&self, ids: Range<i128>) -> Result<()> {
        let row = |id: i128| -> Result<Vec<Value>> {
            Ok(vec![Value::Int(id.try_into()?), Value::Int((id / TIES).try_into()?), Value::Text(label(id))])
        };
        self.server.insert(&self.table, ids.map(row).collect::<Result<_>>()?)
    }

    fn told(&self, fault: Fault) -> (&'static [ErrorKind], &'static str) {
        match fault {
            // Another link may do, whatever the store says of this one.
            Fault::Expired | Fault::Status(401 | 403, _) if LINKS => {
                (&[ErrorKind::Unavailable], "link to a part of the result has ended (HTTP status 40")
            }
            _ => told(fault),
        }
    }
}

/// The workspace's interface behind the proxy.
pub mod interface {
    type System = super::Databricks<false>;

    crate::faults!("databricks", System);
}

/// The object store behind the proxy.
pub mod links {
    type System = super::Databricks<true>;

    crate::faults!("databricks", System
        ; omits {
            a_sign_in_that_ends_in_mid_run_is_told: "links are followed without a sign-in: a refused one has ended, and passes",
            a_refusal_in_mid_run_is_told: "links are followed without rights: a refused one has ended, and passes",
            a_skipped_page_loses_no_row: "a link is signed for one part, and no other comes for it",
            pitfall_17_a_total_that_lies_is_not_believed: "the object store tells no total",
        }
    );
}
