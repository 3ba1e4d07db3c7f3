//! Refusals told by kind, with the fix, and tried again where that helps.

use anyhow::Result;
use connector::{ErrorKind, Retry};
use serde_json::json;
use std::time::Duration;
use systems::databricks::{Call, Fault};

use crate::opening::{filled, numbers, open, read, refused, request};

fn status(on: Call, status: u16, code: serde_json::Value, message: &str) -> Fault {
    let body = json!({"error_code": code, "message": message}).to_string();
    Fault::Status { on, status, body, retry_after: None }
}

#[tokio::test]
async fn what_passes_is_tried_again() -> Result<()> {
    let (server, table) = filled(5).await?;
    let connector = open(&server)?;
    for (on, http, code) in [
        (Call::Submit, 503, "TEMPORARILY_UNAVAILABLE"),
        (Call::Submit, 429, "REQUEST_LIMIT_EXCEEDED"),
        (Call::Submit, 500, "INTERNAL_ERROR"),
        (Call::Submit, 504, "DEADLINE_EXCEEDED"),
        (Call::Catalog, 503, "TEMPORARILY_UNAVAILABLE"),
    ] {
        let body = json!({"error_code": code, "message": "later"}).to_string();
        server.fault(Fault::Status { on, status: http, body, retry_after: Some(0) });
        connector.describe(&table).await?;
        assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..5), "{code}");
    }
    assert!(server.faults().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() -> Result<()> {
    let (server, table) = filled(5).await?;
    let connector = open(&server)?;
    for (http, code, kind) in [
        (429, "RESOURCE_EXHAUSTED", ErrorKind::RateLimited),
        (503, "TEMPORARILY_UNAVAILABLE", ErrorKind::Unavailable),
    ] {
        let body = json!({"error_code": code, "message": "later"}).to_string();
        server.fault(Fault::Status { on: Call::Submit, status: http, body, retry_after: Some(120) });
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.retry(), Retry::Later(Some(Duration::from_secs(120))));
    }
    Ok(())
}

#[tokio::test]
async fn refusals_are_told_by_their_code() -> Result<()> {
    let (server, table) = filled(5).await?;
    let connector = open(&server)?;
    for (fault, kind, hint) in [
        (status(Call::Submit, 403, json!("PERMISSION_DENIED"), "no"), ErrorKind::Permission, "CAN USE"),
        (status(Call::Submit, 403, json!(403), "Invalid access token."), ErrorKind::Auth, "new one"),
        (status(Call::Submit, 400, json!("INVALID_PARAMETER_VALUE"), "no"), ErrorKind::Protocol, ""),
        (status(Call::Submit, 404, json!("RESOURCE_DOES_NOT_EXIST"), "no"), ErrorKind::NotFound, "warehouse"),
    ] {
        // A refused read looks its table up again and tries once more.
        server.fault(fault.clone());
        server.fault(fault.clone());
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
        assert!(error.action().unwrap_or_default().contains(hint), "{error:?}");
        server.calm();
    }
    Ok(())
}

#[tokio::test]
async fn an_access_list_is_told_from_a_missing_right() -> Result<()> {
    let (server, _) = filled(0).await?;
    let words = "Source IP address: 10.1.2.3 is blocked by Databricks IP ACL for workspace: 1";
    server.fault(status(Call::Warehouse, 403, json!("PERMISSION_DENIED"), words));
    let error = open(&server)?.clock().await.expect_err("blocked");
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.system_text().is_some_and(|text| text.contains("IP ACL")), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_missing_grant_is_told_with_the_statement_that_gives_it() -> Result<()> {
    let (server, table) = filled(5).await?;
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &request(&table)).await?.len(), 5);
    for (lacks, wanted) in [
        ("USE CATALOG on Catalog 'main'", "GRANT USE CATALOG ON CATALOG `main` TO `b7f7a7a6-"),
        ("USE SCHEMA on Schema 'main.metrics'", "GRANT USE SCHEMA ON SCHEMA `main`.`metrics` TO `b7f7a7a6-"),
        (
            "SELECT on Table 'main.metrics.readings'",
            "GRANT SELECT ON TABLE `main`.`metrics`.`readings` TO `b7f7a7a6-",
        ),
    ] {
        server.change(&table, |table| table.denied = Some(lacks.to_owned()))?;
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Permission, Retry::Never), "{error:?}");
        assert!(error.action().is_some_and(|hint| hint.contains(wanted)), "{error:?}");
        // The catalog hides the table, and the warehouse tells why.
        let error = connector.describe(&table).await.expect_err("hidden");
        assert!(error.action().is_some_and(|hint| hint.contains(wanted)), "{error:?}");
        let check = connector.check(Some(&table), None).await;
        assert_eq!(check.steps.last().map(|step| step.name), Some("find table"));
    }
    Ok(())
}

#[tokio::test]
async fn a_sleeping_warehouse_is_not_woken_up_for_a_table_that_is_not_there() -> Result<()> {
    let (server, table) = filled(0).await?;
    let gone = connector::TableRef { name: "gone".to_owned(), ..table };
    server.warehouse("STOPPED");
    let error = open(&server)?.describe(&gone).await.expect_err("no table");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert_eq!(server.count(Call::Submit), 0);
    Ok(())
}

#[tokio::test]
async fn a_statement_that_fails_is_told_by_its_class() -> Result<()> {
    let (server, table) = filled(5).await?;
    let connector = open(&server)?;
    for (code, words, kind) in [
        ("BAD_REQUEST", "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012", ErrorKind::Schema),
        ("TEMPORARILY_UNAVAILABLE", "The warehouse is restarting", ErrorKind::Unavailable),
        ("RESOURCE_EXHAUSTED", "Too many queries", ErrorKind::RateLimited),
        ("SOMETHING_NEW", "words", ErrorKind::Protocol),
    ] {
        let fails = || Fault::Fails(code.to_owned(), words.to_owned());
        connector.describe(&table).await?;
        server.fault(fails());
        server.fault(fails());
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.system_text(), Some(words));
        server.calm();
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_json_is_told() -> Result<()> {
    let (server, table) = filled(5).await?;
    let connector = open(&server)?;
    connector.describe(&table).await?;
    let page = "<html><body>Sign in to continue</body></html>";
    for (http, kind) in
        [(200, ErrorKind::Unavailable), (302, ErrorKind::Protocol), (502, ErrorKind::Unavailable)]
    {
        for _ in 0..5 {
            let body = page.to_owned();
            server.fault(Fault::Status { on: Call::Submit, status: http, body, retry_after: Some(0) });
        }
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!(error.kind(), kind, "{http}: {error:?}");
        server.calm();
    }
    let half = ("{\"statement_id\": \"01\", \"status\": {\"sta", ErrorKind::Unavailable);
    for (body, kind) in [half, ("[]", ErrorKind::Protocol), ("null", ErrorKind::Protocol)] {
        for _ in 0..2 {
            server.fault(Fault::Status {
                on: Call::Submit,
                status: 200,
                body: body.to_owned(),
                retry_after: None,
            });
        }
        let (rows, error) = refused(&*connector, &request(&table)).await;
        assert_eq!((rows, error.kind()), (0, kind), "{body}: {error:?}");
        server.calm();
    }
    Ok(())
}
