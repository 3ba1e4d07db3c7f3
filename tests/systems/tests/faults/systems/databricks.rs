//! Databricks: the strict stand-in, whose large results come in chunks behind links. Once its interface is behind the
//! proxy, and once the object store that the links lead to.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use systems::databricks::CLIENT;
use systems::databricks::{SECRET, Server, Type, Value, WAREHOUSE, column, key};
use systems::faults::{Fault, Faults, Protocol};
use systems::relay::{Call, Reply};

use crate::system::{System, TIES, label, told};

/// `LINKS` tells what is behind the proxy.
struct Databricks<const LINKS: bool> {
    server: Server,
    table: TableRef,
    faults: Faults,
}

/// The object store.
struct Storage;

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
struct Chunks;

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

/// The port of the workspace's interface.
fn interface(server: &Server) -> Result<u16> {
    Ok(server.url().rsplit(':').next().unwrap_or_default().parse()?)
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
            Faults::before(interface(&server)?, Chunks).await?
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
        let port = if LINKS { interface(&self.server)? } else { self.faults.port };
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
