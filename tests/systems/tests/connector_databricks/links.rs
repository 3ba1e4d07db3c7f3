//! Large results: links to the object store, followed without our token, asked for again when they have ended.

use anyhow::Result;
use connector::guard::Policy;
use connector::{ErrorKind, kinds};
use secrecy::SecretString;
use serde_json::json;
use systems::databricks::{Call, Fault, TOKEN};

use crate::opening::{config, filled, from, numbers, open, read, refused, request};

/// More rows than are sent inline.
const MANY: i64 = 12_345;

#[tokio::test]
async fn a_large_result_comes_by_links_in_order() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..MANY));
    let heard = server.heard();
    let sent: Vec<&str> = heard.iter().filter_map(|heard| heard.body["disposition"].as_str()).collect();
    assert_eq!(sent, ["INLINE", "EXTERNAL_LINKS"]);
    assert_eq!(heard.iter().filter(|heard| heard.call == Call::Link && heard.status == 200).count(), 7);
    // Once it is known to be large, the whole table is not asked for inline again; what is new is.
    assert_eq!(read(&*connector, &request(&table)).await?.len() as i64, MANY);
    assert_eq!(read(&*connector, &from(&request(&table), MANY - 5)).await?, numbers(MANY - 5..MANY));
    let heard = server.heard();
    let sent: Vec<&str> = heard.iter().filter_map(|heard| heard.body["disposition"].as_str()).collect();
    assert_eq!(sent, ["EXTERNAL_LINKS", "INLINE"]);
    Ok(())
}

#[tokio::test]
async fn rows_too_wide_for_inline_come_by_links() -> Result<()> {
    let (server, table) = filled(100).await?;
    server.inline_bytes(1_000);
    let connector = open(&server)?;
    assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..100));
    assert_eq!((server.count(Call::Submit), server.count(Call::Link)), (2, 1));
    let names = ["id".to_owned(), "label".to_owned()];
    assert_eq!(connector.preview(&table, &names, 80).await?.rows(), 80);
    Ok(())
}

#[tokio::test]
async fn a_link_that_has_ended_is_asked_for_again() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    for _ in 0..3 {
        server.fault(Fault::LinkEnds);
    }
    assert_eq!(read(&*open(&server)?, &request(&table)).await?, numbers(0..MANY));
    let refused =
        server.heard().iter().filter(|heard| heard.call == Call::Link && heard.status == 403).count();
    assert_eq!(refused, 3);
    Ok(())
}

#[tokio::test]
async fn a_part_that_breaks_off_is_fetched_again_and_no_row_comes_twice() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    let connector = open(&server)?;
    for after in [0, 1, 10, 1_000, 10_000, 40_000] {
        server.fault(Fault::LinkBreaks(after));
        server.fault(Fault::LinkBreaks(after / 2));
        assert_eq!(read(&*connector, &request(&table)).await?, numbers(0..MANY), "after {after} bytes");
    }
    assert!(server.faults().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_part_that_always_breaks_off_is_an_error() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    for _ in 0..20 {
        server.fault(Fault::LinkBreaks(500));
    }
    let (rows, error) = refused(&*open(&server)?, &request(&table)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!((rows as i64) < MANY);
    Ok(())
}

#[tokio::test]
async fn a_busy_object_store_is_asked_again() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    for status in [500, 503, 429] {
        let body = "<Error/>".to_owned();
        server.fault(Fault::Status { on: Call::Link, status, body, retry_after: Some(0) });
    }
    assert_eq!(read(&*open(&server)?, &request(&table)).await?.len() as i64, MANY);
    Ok(())
}

#[tokio::test]
async fn the_signed_address_is_in_no_error() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    for _ in 0..30 {
        server.fault(Fault::LinkEnds);
    }
    let (_, error) = refused(&*open(&server)?, &request(&table)).await;
    assert!(!format!("{error:?} {error}").contains("Signature"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn links_go_through_the_guard() -> Result<()> {
    let (server, table) = filled(MANY).await?;
    // The workspace is reached at another address of this machine than the object store, which is not allowed.
    let port = server.url().rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap_or_default();
    let policy = Policy {
        networks: vec!["127.0.0.0/8".parse()?],
        base_urls: [("databricks".to_owned(), format!("http://127.0.0.1:{port}").parse()?)].into(),
        ..Policy::default()
    };
    let token = || Some(SecretString::from(TOKEN));
    let allowed = kinds::open("databricks", &config(&json!("token")), token(), &policy)?;
    assert_eq!(read(&*allowed, &request(&table)).await?.len() as i64, MANY);
    for address in
        ["http://169.254.169.254/latest", "http://10.0.0.1/x", "file:///etc/passwd", "ftp://127.0.0.1/"]
    {
        let body = json!({"statement_id": "01", "status": {"state": "SUCCEEDED"}, "manifest": {
            "schema": {"columns": [{"type_text": "BIGINT"}, {"type_text": "STRING", "position": 1}]},
            "total_row_count": 1, "total_chunk_count": 1},
            "result": {"external_links": [{"external_link": address, "row_count": 1}]}});
        // Inline and as links, and both again once the table was looked up.
        for _ in 0..4 {
            let body = body.to_string();
            server.fault(Fault::Status { on: Call::Submit, status: 200, body, retry_after: None });
        }
        let (_, error) = refused(&*allowed, &from(&request(&table), 1)).await;
        assert!(matches!(error.kind(), ErrorKind::Config | ErrorKind::Protocol), "{address}: {error:?}");
        server.calm();
    }
    Ok(())
}
