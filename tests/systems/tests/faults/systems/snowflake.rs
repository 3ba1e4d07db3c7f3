//! Snowflake: the strict server of the repository, whose results come in partitions.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{Connector, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::faults::{Faults, Protocol};
use systems::relay::{Call, Reply};
use systems::snowflake::{Account, Fault, Place, Server, Who};

use crate::faults;
use crate::system::{System, TIES, label};

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
        call.query("partition")?.parse().ok()
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
        server.fault(Fault::RowsPerPartition(700));
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
}

faults!("snowflake", Snowflake:
    a_sync_without_a_fault_takes_every_row_and_then_nothing,
    a_sign_in_that_ends_in_mid_run_is_told,
    a_refusal_in_mid_run_is_told,
    a_rate_limit_is_waited_for,
    a_rate_limit_that_asks_for_a_short_wait_is_waited_for,
    a_rate_limit_that_asks_for_a_long_wait_is_left_to_the_scheduler,
    status_500_is_tried_again,
    status_502_is_tried_again,
    status_503_is_tried_again,
    status_504_is_tried_again,
    a_service_that_hangs_is_told,
    a_body_that_stops_in_the_middle_is_told,
    slow_bytes_are_waited_for,
    a_reset_in_mid_body_is_told,
    pitfall_16_half_a_body_is_never_taken_as_whole,
    a_truncated_gzip_is_never_taken_as_whole,
    a_length_larger_than_the_body_is_told,
    a_length_smaller_than_the_body_is_told,
    a_web_page_instead_of_data_is_told,
    a_bomb_does_not_fill_the_memory,
    a_repeated_page_gives_no_row_twice,
    a_skipped_page_loses_no_row,
    pitfall_17_a_total_that_lies_is_not_believed,
    a_result_thrown_away_between_pages_is_read_on_from_where_it_stood,
);
