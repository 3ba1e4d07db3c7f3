//! Refusals that are told once, and refusals without an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use connector::guard::Policy;
use connector::{ErrorKind, Retry, kinds};
use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::json;
use systems::relay::{Call, Relay, Reply, Script, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::reading::policy;

/// Answers every statement with one exception, and counts them.
struct Refusing {
    code: u32,
    heard: AtomicUsize,
}

impl Script for Refusing {
    fn answer(&self, _: Call) -> BoxFuture<'_, Result<Wire>> {
        self.heard.fetch_add(1, Ordering::SeqCst);
        let text = format!("Code: {}. DB::Exception: no. (NO) (version 26.7)\n", self.code);
        let reply = Reply::new(500, "text/plain; charset=UTF-8", text);
        let reply = reply.with("X-ClickHouse-Exception-Code", self.code);
        Box::pin(std::future::ready(Ok(Wire::Whole(reply))))
    }
}

#[tokio::test]
async fn a_statement_that_an_awake_server_refuses_is_not_sent_again_until_it_wakes() -> Result<()> {
    // Somebody stopped it; another server has failed; the table is gone.
    for (code, kind, times) in
        [(394, ErrorKind::Unavailable, 1), (999, ErrorKind::Unavailable, 5), (516, ErrorKind::Auth, 1)]
    {
        let script = Arc::new(Refusing { code, heard: AtomicUsize::new(0) });
        let relay = Relay::start(Arc::clone(&script)).await?;
        let base = format!("http://127.0.0.1:{}/", relay.port).parse()?;
        let policy = Policy { base_urls: [("clickhouse".to_owned(), base)].into(), ..policy() };
        let config = json!({"host": "abc.eu-central-1.aws.clickhouse.cloud"});
        let connector = kinds::open("clickhouse", &config, Some(SecretString::from("x")), &policy)?;
        let error = connector.clock().await.expect_err("it is refused");
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(matches!(error.retry(), Retry::Later(_)), kind == ErrorKind::Unavailable);
        assert_eq!(script.heard.load(Ordering::SeqCst), times, "code {code}");
    }
    Ok(())
}

#[tokio::test]
async fn an_error_without_an_end_is_told_by_its_status() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let config = json!({"host": "127.0.0.1", "port": listener.local_addr()?.port(), "secure": false});
    let endless = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 16 * 1024];
                let _asked = client.read(&mut request).await?;
                client.write_all(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
                let piece = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
                loop {
                    client.write_all(&piece).await?;
                }
                #[expect(unreachable_code, reason = "the type of what ends it")]
                std::io::Result::Ok(())
            });
        }
    });
    let connector = kinds::open("clickhouse", &config, None, &policy())?;
    let error = connector.clock().await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    assert!(error.message().contains("400"), "{error}");
    endless.abort();
    Ok(())
}
