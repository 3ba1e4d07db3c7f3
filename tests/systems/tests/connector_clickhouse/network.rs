//! Connections that break, hosts that may not be reached, and statements that nobody waits for any more.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use connector::guard::Policy;
use connector::{CursorKind, ErrorKind, Retry, kinds};
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::json;
use systems::clickhouse::{Database, User};
use systems::ports::Refusing;
use systems::proxy::Proxy;
use systems::relay::{Call, Relay, Script, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::reading::{column, config, numbers, open, open_with, request, table};

#[tokio::test]
async fn pitfall_16_a_result_cut_by_the_network_is_an_error() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt64, v Float64) ENGINE = MergeTree ORDER BY c AS SELECT number, number FROM numbers(200000)").await?;
    let proxy = Proxy::start(database.server.port).await?;
    let config = config(&database, User::Reader, proxy.port);
    let request = request(table(&database, "t"), &["c", "v"], ("c", CursorKind::Int), &[]);
    let connector = open_with(&database, User::Reader, &config)?;
    connector.describe(&table(&database, "t")).await?;
    let before = proxy.received();
    assert_eq!(column(&*connector, &request, "c").await?, numbers(0..200_000));
    let size = proxy.received() - before;
    // Also shortly before the end, where HTTP alone would tell that something is missing.
    for cut in [size / 50, size / 3, size - 1_000, size - 100] {
        proxy.cut_after(cut);
        let mut batches = connector.read(request.clone());
        let mut rows = 0;
        let error = loop {
            match batches.next().await {
                Some(Ok(batch)) => rows += batch.rows(),
                Some(Err(error)) => break error,
                None => panic!("a result cut after {cut} of {size} bytes was taken as whole: {rows} rows"),
            }
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(matches!(error.retry(), Retry::Later(_)));
        proxy.cut_after(u64::MAX / 4);
    }
    assert_eq!(column(&*connector, &request, "c").await?.len(), 200_000);
    Ok(())
}

#[tokio::test]
async fn answers_are_compressed_on_the_wire() -> Result<()> {
    const ROWS: u64 = 100_000;
    let database = Database::empty().await?;
    database.run(&format!("CREATE TABLE t (c UInt64, v String) ENGINE = MergeTree ORDER BY c AS SELECT number, repeat('usage ', 20) FROM numbers({ROWS})")).await?;
    let proxy = Proxy::start(database.server.port).await?;
    let connector = open_with(&database, User::Reader, &config(&database, User::Reader, proxy.port))?;
    let request = request(table(&database, "t"), &["c", "v"], ("c", CursorKind::Int), &[]);
    connector.describe(&table(&database, "t")).await?;
    let before = proxy.received();
    assert_eq!(column(&*connector, &request, "v").await?, vec!["usage ".repeat(20); ROWS as usize]);
    // Eight bytes of the number, one of the length, and the text, over and over.
    let (plain, sent) = (ROWS * (8 + 1 + 120), proxy.received() - before);
    assert!(sent < plain / 10, "{sent} bytes were sent for {plain}");
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() -> Result<()> {
    let database = Database::empty().await?;
    let secret = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let elsewhere = secret.local_addr()?.port();
    let sly = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let config = config(&database, User::Reader, sly.local_addr()?.port());
    let redirecting = tokio::spawn(async move {
        while let Ok((mut client, _)) = sly.accept().await {
            let mut request = [0; 16 * 1024];
            let Ok(1..) = client.read(&mut request).await else { continue };
            let answer = format!(
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            );
            client.write_all(answer.as_bytes()).await.ok();
        }
    });
    let connector = open_with(&database, User::Reader, &config)?;
    let asked = [
        connector.discover().await.map(drop),
        connector.clock().await.map(drop),
        connector.describe(&table(&database, "t")).await.map(drop),
    ];
    for answer in asked {
        let error = answer.expect_err("a redirect is no answer");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
        assert!(error.message().contains("302"), "{error}");
        assert!(error.action().is_some_and(|hint| hint.contains("host, port and path")), "{error:?}");
    }
    // A connection would be waiting to be taken.
    let waiting = futures::poll!(std::pin::pin!(secret.accept()));
    assert!(waiting.is_pending(), "the redirect was followed");
    redirecting.abort();
    Ok(())
}

#[tokio::test]
async fn a_dropped_read_stops_the_statement_behind_it() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE rows (c UInt64, x String) ENGINE = MergeTree ORDER BY c AS SELECT number, randomPrintableASCII(100) FROM numbers(1000000)").await?;
    database.run("CREATE VIEW sorting AS SELECT number AS c, 'x' AS x FROM numbers(1000000000000)").await?;
    // One that is sending rows, and one that has none to send yet: the server stops the latter by itself only for a
    // setting that not all may change.
    for (user, name) in
        [User::Reader, User::StrictReader].iter().flat_map(|user| [(*user, "rows"), (*user, "sorting")])
    {
        let connector = open(&database, user)?;
        let request = request(table(&database, name), &["c", "x"], ("c", CursorKind::Int), &[]);
        let mut batches = connector.read(request);
        let running = format!(
            "SELECT count() FROM system.processes WHERE user = '{}' AND query LIKE '%`{}`%/* Weir/organization-1/stream-1 */'",
            user.name(),
            database.name
        );
        let runs = async || {
            while database.run(&running).await?.trim() != "1" {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            biased;
            batch = batches.next() => {
                assert_eq!(name, "rows");
                batch.context("a batch")??;
            }
            begun = runs(), if name != "rows" => begun?,
        }
        assert_eq!(database.run(&running).await?.trim(), "1", "{user:?} reads {name}");
        drop(batches);
        for round in 0.. {
            if database.run(&running).await?.trim() == "0" {
                break;
            }
            assert!(round < 200, "{user:?}'s statement on {name} still runs");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn private_hosts_are_refused_unless_the_operator_allows_them() -> Result<()> {
    for host in ["127.0.0.1", "localhost", "169.254.169.254", "[::1]"] {
        let config = json!({"host": host, "port": 8123, "secure": false});
        let connector = kinds::open("clickhouse", &config, None, &Policy::default())?;
        let error = connector.discover().await.expect_err("a private host");
        assert_eq!(error.kind(), ErrorKind::Config, "{host}: {error:?}");
        let check = connector.check(None, None).await;
        assert_eq!(check.steps.iter().map(|step| step.name).collect::<Vec<_>>(), ["resolve host"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_password_does_not_travel_unencrypted_to_a_public_host() -> Result<()> {
    let config = json!({"host": "192.88.99.1", "port": 8123, "secure": false});
    let connector = kinds::open("clickhouse", &config, None, &Policy::default())?;
    let error = connector.clock().await.expect_err("unencrypted");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(error.message().contains("unencrypted"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_no_clickhouse_is_told_from_one_that_is_away() -> Result<()> {
    let database = Database::empty().await?;
    let refusing = Refusing::new()?;
    let away = open_with(&database, User::Reader, &config(&database, User::Reader, refusing.port()?))?;
    assert_eq!(away.discover().await.expect_err("nobody there").kind(), ErrorKind::Unavailable);
    // TLS to a port that speaks plain HTTP. Not the engine's own: one handshake in about a thousand aborts it.
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut secure = config(&database, User::Reader, plain.local_addr()?.port());
    let refusing = tokio::spawn(async move {
        while let Ok((mut client, _)) = plain.accept().await {
            let mut hello = [0; 4096];
            let Ok(1..) = client.read(&mut hello).await else { continue };
            client
                .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                .await
                .ok();
        }
    });
    secure["secure"] = true.into();
    let error = open_with(&database, User::Reader, &secure)?.discover().await.expect_err("no TLS there");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("TLS")), "{error:?}");
    refusing.abort();
    let mut other = config(&database, User::Reader, database.server.port);
    other["pathPrefix"] = "/elsewhere".into();
    let error = open_with(&database, User::Reader, &other)?.discover().await.expect_err("no such path");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    Ok(())
}

/// Answers everything with the same bytes.
struct Fixed(&'static [u8]);

impl Script for Fixed {
    fn answer(&self, _: Call) -> BoxFuture<'_, Result<Wire>> {
        Box::pin(std::future::ready(Ok(Wire::Close(self.0.to_vec()))))
    }
}

#[tokio::test]
async fn pitfall_16_an_answer_whose_end_cannot_be_told_is_not_read() -> Result<()> {
    let database = Database::empty().await?;
    let answers: [(&[u8], &str); 2] = [
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\x01\x09version()\x06String\x0426.7",
            "end cannot be told",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc", "compressed in a way"),
    ];
    for (bytes, wanted) in answers {
        let relay = Relay::start(Arc::new(Fixed(bytes))).await?;
        let connector = open_with(&database, User::Reader, &config(&database, User::Reader, relay.port))?;
        let error = connector.clock().await.expect_err("no answer to rely on");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
        assert!(error.message().contains(wanted) && error.action().is_some(), "{error:?}");
    }
    Ok(())
}
