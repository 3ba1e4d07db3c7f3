//! Snowflake: the strict server of the repository, whose results come in partitions.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::faults::{Fault, Faults, Protocol};
use systems::relay::{Call, Reply};
use systems::snowflake::{Account, Fault as Setting, Place, Server, Who};

use crate::faults;
use crate::system::{System, TIES, label, told};

struct Snowflake {
    place: Place,
    reader: Account,
    faults: Faults,
    _server: Server,
}

/// Partitions of the SQL API.
struct Partitions;

impl Protocol for Partitions {
    fn page(&self, call: &Call) -> Option<usize> {
        if call.method == "POST" {
            // Looks at the catalog are statements too.
            let read = call.path() == "/api/v2/statements"
                && String::from_utf8_lossy(&call.body).contains("\\\"label\\\"");
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

impl System for Snowflake {
    const ROWS: i128 = 3_000;
    const PAGED: bool = true;

    async fn start() -> Result<Self> {
        let server = Server::start().await?;
        let place = server.place().await?;
        server.fault(Setting::RowsPerPartition(700));
        place.run("CREATE TABLE \"t\" (\"id\" NUMBER(38,0), \"c\" NUMBER(38,0), \"label\" VARCHAR)").await?;
        let faults = Faults::before(server.port(), Partitions).await?;
        Ok(Self { reader: place.user(Who::Reader), place, faults, _server: server })
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "account": self.reader.account,
            "user": self.reader.user,
            "role": self.reader.role,
            "warehouse": self.reader.warehouse,
        });
        let base = format!("http://127.0.0.1:{}/", self.faults.port).parse()?;
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("snowflake".to_owned(), base)].into(),
            statement_timeout: Duration::from_secs(2),
            ..Policy::default()
        };
        let secret = SecretString::from(self.reader.private_key_pem.as_str());
        Ok(kinds::open("snowflake", &config, Some(secret), &policy)?)
    }

    fn table(&self) -> TableRef {
        let (catalog, schema) = (Some(self.reader.database.clone()), Some(self.reader.schema.clone()));
        TableRef { catalog, schema, name: "t".to_owned() }
    }

    async fn grow(&self, ids: Range<i128>) -> Result<()> {
        let rows: Vec<String> = ids.map(|id| format!("({id}, {}, '{}')", id / TIES, label(id))).collect();
        for part in rows.chunks(1_000) {
            self.place.run(&format!("INSERT INTO \"t\" VALUES {}", part.join(","))).await?;
        }
        Ok(())
    }

    fn told(&self, fault: Fault) -> (&'static [ErrorKind], &'static str) {
        match fault {
            // The statement is asked after on another connection, which may end in another way.
            Fault::HangInBody => (&[ErrorKind::Unavailable], "stopped answering|broke"),
            other => told(other),
        }
    }
}

faults!("snowflake", Snowflake);
