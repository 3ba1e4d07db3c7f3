//! Snowflake: the strict server of the repository, whose results come in partitions.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::faults::{Fault, Faults};
use systems::snowflake::{Account, Fault as Setting, Partitions, Place, Server, Who};

use crate::faults;
use crate::system::{System, TIES, label, told};

struct Snowflake {
    place: Place,
    reader: Account,
    faults: Faults,
    _server: Server,
}

impl System for Snowflake {
    const ROWS: i128 = 3_000;
    const PAGED: bool = true;

    async fn start() -> Result<Self> {
        let server = Server::start().await?;
        let place = server.place().await?;
        server.fault(Setting::RowsPerPartition(700));
        place.run("CREATE TABLE \"t\" (\"id\" NUMBER(38,0), \"c\" NUMBER(38,0), \"label\" VARCHAR)").await?;
        let faults = Faults::before(server.port(), Partitions { marker: "\\\"label\\\"" }).await?;
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
