//! Statements that nobody waits for any longer, of users who may send no setting by which the server would stop them.

use std::time::Duration;

use anyhow::Result;
use connector::guard::Policy;
use connector::{CursorKind, Retry, TableRef, kinds};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::json;
use systems::clickhouse::{Database, Server, User};

use crate::reading::{config, policy, read, request, table};

/// A view that has no row to give for hours.
const SORTING: &str =
    "VIEW sorting AS SELECT number AS c FROM numbers(1000000000000) WHERE sleepEachRow(0.00001) = 0";
/// A user who may read one database and nothing else, but for what `KILL QUERY` looks at.
const USERS: &str = "<clickhouse><profiles><bound><readonly>1</readonly></bound></profiles><users><bound>\
    <password>pw</password><networks><ip>127.0.0.1</ip></networks><profile>bound</profile><quota>default</quota>\
    <grants><query>GRANT SELECT ON kept.*</query>\
    <query>GRANT SELECT(query_id, user, query) ON system.processes</query></grants></bound></users></clickhouse>";

/// Waits until no statement reads the view.
async fn gone(server: &Server, database: &str) -> Result<()> {
    for _ in 0..200 {
        if running(server, database).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the statement still runs")
}

/// How many statements read the view in Weir's name.
async fn running(server: &Server, database: &str) -> Result<u32> {
    let sql = format!(
        "SELECT count() FROM system.processes WHERE query LIKE '%FROM `{database}`.`sorting`%' \
         AND endsWith(query, '/* Weir/organization-1/stream-1 */')"
    );
    Ok(server.run("default", &sql).await?.trim().parse()?)
}

#[tokio::test]
async fn a_statement_whose_time_cannot_be_limited_by_a_setting_is_stopped_too() -> Result<()> {
    let database = Database::empty().await?;
    database.run(&format!("CREATE {SORTING}")).await?;
    let policy = Policy { statement_timeout: Duration::from_secs(2), ..policy() };
    let config = config(&database, User::StrictReader, database.server.port);
    let password = SecretString::from(database.server.password(User::StrictReader));
    let connector = kinds::open("clickhouse", &config, Some(password), &policy)?;
    let request = request(table(&database, "sorting"), &["c"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &request).await.expect_err("too slow");
    assert!(matches!(error.retry(), Retry::Later(_)), "{error:?}");
    gone(&database.server, &database.name).await?;
    // The table was looked up, it was read, and that was stopped.
    assert!(request.cost.take().statements >= 3);
    Ok(())
}

#[tokio::test]
async fn a_user_bound_to_one_database_needs_one_grant_more_to_stop_a_statement() -> Result<()> {
    let server = Server::with_users("clickhouse-bound", USERS).await?;
    server.run("default", "CREATE DATABASE IF NOT EXISTS kept").await?;
    server.run("kept", &format!("CREATE OR REPLACE {SORTING}")).await?;
    let config = json!({
        "host": "127.0.0.1", "port": server.port, "secure": false, "database": "kept", "user": "bound",
    });
    let connector = kinds::open("clickhouse", &config, Some(SecretString::from("pw")), &policy())?;
    let view = TableRef { catalog: None, schema: Some("kept".to_owned()), name: "sorting".to_owned() };
    let mut batches = connector.read(request(view, &["c"], ("c", CursorKind::Int), &[]));
    let begun = async {
        while running(&server, "kept").await? != 1 {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        _ = batches.next() => anyhow::bail!("it has a row"),
        begun = begun => begun?,
    }
    drop(batches);
    gone(&server, "kept").await
}
