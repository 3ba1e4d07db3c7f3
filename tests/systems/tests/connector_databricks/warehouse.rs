//! Warehouses that sleep, statements that take long, and statements nobody waits for.

use std::time::Duration;

use anyhow::Result;
use connector::{ErrorKind, Retry, kinds};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::{Call, Fault, Server, TOKEN};

use crate::opening::{config, filled, numbers, open, policy, read, refused, request};

/// Waits until something holds; tests wait for other threads, never for a clock.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("in vain: {what}");
}

#[tokio::test]
async fn a_sleeping_warehouse_is_waited_for() -> Result<()> {
    let (server, table) = filled(10).await?;
    server.fault(Fault::Sleeps(2));
    server.fault(Fault::Runs(1));
    assert_eq!(read(&*open(&server)?, &request(&table)).await?, numbers(0..10));
    assert_eq!((server.count(Call::Submit), server.count(Call::Poll)), (1, 3));
    Ok(())
}

#[tokio::test]
async fn the_check_tells_that_the_warehouse_wakes_up() -> Result<()> {
    let server = Server::start().await?;
    let connector = open(&server)?;
    // Whoever may look at it may still not be allowed to use it.
    let body = json!({"error_code": "PERMISSION_DENIED", "message": "no"}).to_string();
    server.fault(Fault::Status { on: Call::Submit, status: 403, body, retry_after: None });
    let check = connector.check(None, None).await;
    let last = check.steps.last().expect("a step");
    assert_eq!(last.name, "use warehouse");
    let hint = last.error.as_ref().and_then(|error| error.action()).unwrap_or_default();
    assert!(hint.contains("CAN USE"), "{last:?}");
    for (state, words) in
        [("RUNNING", "is awake"), ("STOPPED", "sleeps"), ("STARTING", "is waking up"), ("STOPPING", "sleeps")]
    {
        server.warehouse(state);
        let check = connector.check(None, None).await;
        assert!(check.passed(), "{check:?}");
        let step = check.steps.iter().find(|step| step.name == "use warehouse").expect("the step");
        assert!(step.note.as_ref().is_some_and(|note| note.contains(words)), "{state}: {step:?}");
    }
    server.heard();
    server.warehouse("STOPPED");
    connector.check(None, None).await;
    assert_eq!(server.count(Call::Submit), 0, "looking does not wake it up");
    server.warehouse("DELETED");
    let check = connector.check(None, None).await;
    let error = check.steps.last().and_then(|step| step.error.as_ref()).expect("a deleted warehouse");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn a_warehouse_that_is_not_there_is_told() -> Result<()> {
    let (server, table) = filled(1).await?;
    let mut config = config(&json!("token"));
    config["warehouse"] = "0000000000000000".into();
    let connector =
        kinds::open("databricks", &config, Some(SecretString::from(TOKEN)), &policy(&server.url())?)?;
    let check = connector.check(None, None).await;
    let steps: Vec<_> = check.steps.iter().map(|step| (step.name, step.error.is_some())).collect();
    assert_eq!(steps, [("resolve host", false), ("connect and sign in", false), ("use warehouse", true)]);
    assert!(refused(&*connector, &request(&table)).await.1.retry() == Retry::Never);
    Ok(())
}

#[tokio::test]
async fn what_takes_longer_than_allowed_is_cancelled_and_told() -> Result<()> {
    for (fault, words) in
        [(Fault::Hangs, "took longer than 1 seconds"), (Fault::Sleeps(1_000), "waking up or busy")]
    {
        let (server, table) = filled(1).await?;
        let policy =
            connector::guard::Policy { statement_timeout: Duration::from_secs(1), ..policy(&server.url())? };
        let token = Some(SecretString::from(TOKEN));
        let connector = kinds::open("databricks", &config(&json!("token")), token, &policy)?;
        server.fault(fault);
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert!(error.message().contains(words) && error.action().is_some(), "{error:?}");
        until("the statement is cancelled", || server.running() == 0).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_dropped_read_cancels_its_statement() -> Result<()> {
    let (server, table) = filled(1).await?;
    let connector = open(&server)?;
    connector.describe(&table).await?;
    server.fault(Fault::Hangs);
    let mut batches = connector.read(request(&table));
    // It is looked at again, so the reader knows its ID.
    tokio::select! {
        _ = batches.next() => panic!("it hangs"),
        () = until("the statement is looked at", || server.count(Call::Poll) > 1) => {}
    }
    assert_eq!(server.running(), 1);
    drop(batches);
    until("the statement is cancelled", || server.running() == 0).await;
    assert_eq!(server.count(Call::Cancel), 1);
    Ok(())
}

#[tokio::test]
async fn a_statement_that_is_dropped_while_it_is_sent_is_cancelled_too() -> Result<()> {
    let (server, table) = filled(1).await?;
    let connector = open(&server)?;
    connector.describe(&table).await?;
    for sent in 0..5 {
        server.fault(Fault::Hangs);
        let mut batches = connector.read(request(&table));
        // One look is enough to begin to send it, and not enough to get its answer.
        assert!(futures::poll!(batches.next()).is_pending());
        drop(batches);
        until("the statement is sent and cancelled", || server.count(Call::Cancel) == sent + 1).await;
        assert_eq!(server.running(), 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_whose_answer_nobody_looks_at_is_cancelled_too() -> Result<()> {
    let (server, table) = filled(1).await?;
    let connector = open(&server)?;
    connector.describe(&table).await?;
    let before = server.count(Call::Submit);
    server.fault(Fault::Hangs);
    let mut batches = connector.read(request(&table));
    assert!(futures::poll!(batches.next()).is_pending());
    // The answer is there, and the reader is dropped before it looks.
    until("the statement is sent", || server.count(Call::Submit) > before).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.count(Call::Poll), 0);
    drop(batches);
    until("the statement is cancelled", || server.count(Call::Cancel) == 1).await;
    assert_eq!(server.running(), 0);
    Ok(())
}

#[tokio::test]
async fn a_statement_that_somebody_stopped_can_be_tried_again() -> Result<()> {
    let (server, table) = filled(4).await?;
    let connector = open(&server)?;
    server.fault(Fault::Stopped);
    let (_, error) = refused(&*connector, &request(&table)).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later(None)), "{error:?}");
    assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..4));
    Ok(())
}
