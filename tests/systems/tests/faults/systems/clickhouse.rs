//! ClickHouse: a result is one stream, and each statement that goes on with it is page 0.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::clickhouse::{Database, Statements, User};
use systems::faults::{Fault, Faults};

use crate::faults;
use crate::system::{System, TIES, label, told};

struct Clickhouse {
    database: Database,
    faults: Faults,
}

impl System for Clickhouse {
    const ROWS: i128 = 30_000;
    const PAGED: bool = false;

    async fn start() -> Result<Self> {
        let database = Database::empty().await?;
        database
            .run("CREATE TABLE t (id Int64, c Int64, label String) ENGINE = MergeTree ORDER BY (c, id)")
            .await?;
        let statements = Statements { marker: "SELECT `id`", within: b"row " };
        let faults = Faults::before(database.server.port, statements).await?;
        Ok(Self { database, faults })
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn connector(&self) -> Result<Arc<dyn Connector>> {
        let config = json!({
            "host": "127.0.0.1",
            "port": self.faults.port,
            "secure": false,
            "database": self.database.name,
            "user": User::Reader.name(),
        });
        let secret = SecretString::from(self.database.server.password(User::Reader));
        let networks = vec!["127.0.0.0/8".parse()?];
        let policy = Policy { networks, statement_timeout: Duration::from_secs(6), ..Policy::default() };
        Ok(kinds::open("clickhouse", &config, Some(secret), &policy)?)
    }

    fn table(&self) -> TableRef {
        TableRef { catalog: None, schema: Some(self.database.name.clone()), name: "t".to_owned() }
    }

    async fn grow(&self, ids: Range<i128>) -> Result<()> {
        let rows: Vec<String> = ids.map(|id| format!("({id}, {}, '{}')", id / TIES, label(id))).collect();
        self.database.run(&format!("INSERT INTO t VALUES {}", rows.join(","))).await.map(drop)
    }

    fn told(&self, fault: Fault) -> (&'static [ErrorKind], &'static str) {
        match fault {
            // Spaces are read as a header of 32 columns.
            Fault::Bomb => (&[ErrorKind::Protocol], "RowBinary"),
            other => told(other),
        }
    }
}

faults!("clickhouse", Clickhouse
    ; omits {
        a_repeated_page_gives_no_row_twice: "a result is one stream without pages",
        a_skipped_page_loses_no_row: "a result is one stream without pages",
        pitfall_17_a_total_that_lies_is_not_believed: "no total of rows is sent",
        a_result_thrown_away_between_pages_is_read_on_from_where_it_stood: "a result is one stream, not kept by the server",
    }
);
