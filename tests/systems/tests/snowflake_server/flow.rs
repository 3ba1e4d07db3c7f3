//! Statements that take long, are cancelled, or are sent twice.

use anyhow::Result;
use serde_json::json;
use systems::snowflake::{Call, Fault, Who};

use crate::client::Client;

#[tokio::test]
async fn what_takes_long_is_asked_for_again() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::Running { polls: 2 });
    let submitted = client.run("SELECT 7").await?;
    assert_eq!((submitted.status, submitted.code()), (202, "333333"));
    let url = submitted.body["statementStatusUrl"].as_str().unwrap_or_default().to_owned();
    assert_eq!(url, format!("/api/v2/statements/{}", submitted.handle()));
    for status in [202, 202, 200, 200] {
        let answer = client.get(&format!("/{}", submitted.handle())).await?;
        assert_eq!(answer.status, status);
        assert_eq!(answer.rows().concat(), if status == 200 { vec!["7"] } else { vec![] });
    }
    let asked = client.submit("?async=true", &client.body("SELECT 8")).await?;
    assert_eq!((asked.status, asked.code()), (202, "333334"));
    assert_eq!(client.get(&format!("/{}", asked.handle())).await?.rows(), [["8"]]);
    Ok(())
}

#[tokio::test]
async fn a_running_statement_can_be_cancelled_once() -> Result<()> {
    let client = Client::reader().await?;
    client.server.fault(Fault::Running { polls: 5 });
    let handle = client.run("SELECT 7").await?.handle();
    assert_eq!(client.server.running(), std::slice::from_ref(&handle));
    let cancelled = client.cancel(&handle).await?;
    assert_eq!((cancelled.status, cancelled.body["statementHandle"].as_str()), (200, Some(handle.as_str())));
    assert!(client.server.running().is_empty());
    let after = client.get(&format!("/{handle}")).await?;
    assert_eq!((after.status, after.code(), &after.body["sqlState"]), (422, "000604", &json!("57014")));
    assert_eq!(client.cancel(&handle).await?.code(), "000605");
    Ok(())
}

#[tokio::test]
async fn handles_belong_to_their_user() -> Result<()> {
    let client = Client::reader().await?;
    let stranger = Client::at(&client.place, Who::Stranger)?;
    let handle = client.run("SELECT 7").await?.handle();
    assert_eq!(stranger.get(&format!("/{handle}")).await?.status, 404);
    assert_eq!(stranger.cancel(&handle).await?.status, 404);
    assert_eq!(client.get(&format!("/{handle}")).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_request_sent_again_runs_once() -> Result<()> {
    let client = Client::reader().await?;
    let id = uuid::Uuid::now_v7();
    client.place.run("CREATE TABLE T (ID NUMBER)").await?;
    client.server.fault(Fault::Lost { on: Call::Submit, status: 502 });
    let body = client.body("SELECT COUNT(*) FROM T");
    assert_eq!(client.submit(&format!("?requestId={id}"), &body).await?.status, 502);
    client.place.run("INSERT INTO T VALUES (1)").await?;
    let again = client.submit(&format!("?requestId={id}&retry=true"), &body).await?;
    assert_eq!(again.rows(), [["0"]], "the first run's result");
    let other = client.submit(&format!("?requestId={}&retry=true", uuid::Uuid::now_v7()), &body).await?;
    assert_eq!(other.rows(), [["1"]]);
    assert_ne!(other.handle(), again.handle());
    // One that failed runs again.
    let failing = uuid::Uuid::now_v7();
    let later = client.body("SELECT * FROM LATER");
    assert_eq!(client.submit(&format!("?requestId={failing}"), &later).await?.status, 422);
    client.place.run("CREATE TABLE LATER (ID NUMBER)").await?;
    assert_eq!(client.submit(&format!("?requestId={failing}&retry=true"), &later).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_journal_keeps_what_was_asked() -> Result<()> {
    let client = Client::reader().await?;
    let mut body = client.body("SELECT ?");
    body["bindings"] = json!({"1": {"type": "TEXT", "value": "x"}});
    body["parameters"]["query_tag"] = json!("weir:org:stream");
    let id = uuid::Uuid::now_v7();
    let answer = client.submit(&format!("?requestId={id}"), &body).await?;
    client.get(&format!("/{}", answer.handle())).await?;
    let journal = client.server.journal();
    let [submitted, polled] = journal.as_slice() else { anyhow::bail!("{journal:?}") };
    assert_eq!((submitted.call, submitted.status, polled.call), (Call::Submit, 200, Call::Poll));
    assert_eq!(submitted.statement.as_deref(), Some("SELECT ?"));
    assert_eq!(submitted.bindings[&1].value.as_deref(), Some("x"));
    assert_eq!(submitted.parameters["query_tag"], "weir:org:stream");
    assert_eq!(submitted.request_id, Some(id.to_string()));
    assert_eq!((&submitted.handle, submitted.timeout), (&Some(answer.handle()), Some(60)));
    assert_eq!(submitted.headers["user-agent"], "weir-test/1.0");
    assert!(!format!("{journal:?}").contains("Bearer"));
    Ok(())
}
