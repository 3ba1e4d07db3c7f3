//! Signing in: by a service principal's secret or a personal token, renewed when it must be, and never shown.

use anyhow::Result;
use connector::{ErrorKind, Retry};
use serde_json::json;
use systems::databricks::{CLIENT, Call, Fault, SECRET, TOKEN};

use crate::opening::{filled, from, numbers, open, open_with, read, refused, request};

#[tokio::test]
async fn one_token_serves_many_requests() -> Result<()> {
    let (server, table) = filled(10).await?;
    let connector = open(&server)?;
    for _ in 0..3 {
        assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..10));
    }
    assert_eq!(server.count(Call::Token), 1);
    Ok(())
}

#[tokio::test]
async fn a_personal_token_signs_in_by_itself() -> Result<()> {
    let (server, table) = filled(10).await?;
    let connector = open_with(&server, &json!("token"), TOKEN)?;
    assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..10));
    assert_eq!(server.count(Call::Token), 0);
    Ok(())
}

#[tokio::test]
async fn a_revoked_token_is_renewed_once() -> Result<()> {
    let (server, table) = filled(10).await?;
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &request(&table)).await?.len(), 10);
    server.revoke();
    assert_eq!(read(&*connector, &request(&table)).await?.len(), 10);
    assert_eq!(server.count(Call::Token), 2);
    // A workspace that refuses every token is not asked for ever.
    let body = json!({"error_code": "UNAUTHENTICATED", "message": "no"}).to_string();
    for _ in 0..9 {
        let body = body.clone();
        server.fault(Fault::Status { on: Call::Submit, status: 401, body, retry_after: None });
    }
    let (rows, error) = refused(&*connector, &request(&table)).await;
    assert_eq!((rows, error.kind(), error.retry()), (0, ErrorKind::Auth, Retry::Never));
    assert_eq!(server.faults().len(), 7, "asked twice");
    Ok(())
}

#[tokio::test]
async fn a_token_that_the_gateway_does_not_take_is_renewed_once() -> Result<()> {
    let (server, table) = filled(10).await?;
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &request(&table)).await?.len(), 10);
    let refusal = || {
        let body = json!({"error_code": 403, "message": "Invalid access token."}).to_string();
        Fault::Status { on: Call::Submit, status: 403, body, retry_after: None }
    };
    server.fault(refusal());
    assert_eq!(read(&*connector, &request(&table)).await?.len(), 10);
    assert_eq!(server.count(Call::Token), 2);
    for _ in 0..9 {
        server.fault(refusal());
    }
    let (rows, error) = refused(&*connector, &request(&table)).await;
    assert_eq!((rows, error.kind(), error.retry()), (0, ErrorKind::Auth, Retry::Never));
    assert_eq!(server.faults().len(), 7, "asked twice");
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_said_to_live_for_ever_is_used() -> Result<()> {
    let (server, table) = filled(10).await?;
    server.tokens_live(u64::MAX);
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..10));
    assert_eq!(server.count(Call::Token), 1);
    Ok(())
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() -> Result<()> {
    let (server, table) = filled(10).await?;
    server.tokens_live(0);
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &from(&request(&table), 5)).await?, numbers(5..10));
    // Each request took a token of its own, as none lives past its grant.
    let requests =
        server.heard().iter().filter(|heard| heard.call != Call::Token && heard.status == 200).count();
    assert!(requests >= 2);
    server.tokens_live(3_600);
    read(&*connector, &request(&table)).await?;
    read(&*connector, &request(&table)).await?;
    assert_eq!(server.count(Call::Token), 1);
    Ok(())
}

#[tokio::test]
async fn a_wrong_credential_is_told_and_not_shown() -> Result<()> {
    let (server, table) = filled(1).await?;
    let oauth = json!({"oauth": {"clientId": CLIENT}});
    let other = json!({"oauth": {"clientId": "00000000-0000-0000-0000-000000000000"}});
    for (sign_in, secret) in
        [(&oauth, "dose-wrong-secret"), (&other, SECRET), (&json!("token"), "dapi-wrong-secret")]
    {
        let connector = open_with(&server, sign_in, secret)?;
        let (_, error) = refused(&*connector, &request(&table)).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error:?}");
        assert!(error.action().is_some(), "{error:?}");
        let check = connector.check(None, None).await;
        let last = check.steps.last().expect("a step");
        assert_eq!((last.name, last.error.is_some()), ("connect and sign in", true));
        assert!(!format!("{error:?} {check:?}").contains(secret), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_credential_is_a_matter_of_the_configuration() -> Result<()> {
    let (server, _) = filled(0).await?;
    for (sign_in, what) in
        [(json!("token"), "personal access token"), (json!({"oauth": {"clientId": CLIENT}}), "OAuth secret")]
    {
        let policy = crate::opening::policy(&server.url())?;
        let connector =
            connector::kinds::open("databricks", &crate::opening::config(&sign_in), None, &policy)?;
        let error = connector.discover().await.expect_err("no credential");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(what), "{error}");
    }
    assert!(server.heard().is_empty(), "nothing is sent without a credential");
    Ok(())
}

#[tokio::test]
async fn a_busy_token_endpoint_is_asked_again() -> Result<()> {
    let (server, table) = filled(3).await?;
    server.fault(Fault::Status { on: Call::Token, status: 503, body: "{}".to_owned(), retry_after: Some(0) });
    server.fault(Fault::Status { on: Call::Token, status: 429, body: "{}".to_owned(), retry_after: Some(0) });
    assert_eq!(read(&*open(&server)?, &request(&table)).await?, numbers(0..3));
    Ok(())
}
