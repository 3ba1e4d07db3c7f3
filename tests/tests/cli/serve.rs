//! Starting and stopping: with nothing configured, together with others, with work in hand.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use server::db::Db;
use tests::postgres;
use tests::site::{Answer, first_account, send};
use tests::stage::until;

use crate::program::{Install, Running};

fn client() -> Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

fn token(line: &str) -> Result<String> {
    let (_, token) = line.split_once("/setup#token=").context("the line has a link")?;
    Ok(token.trim().to_owned())
}

async fn set_up(server: &Running, token: &str) -> Result<Answer> {
    let request = client()?.request(Method::POST, format!("{}/auth/setup", server.url));
    send(request.json(&first_account(token))).await
}

#[tokio::test]
async fn with_nothing_configured_it_makes_what_it_needs() -> Result<()> {
    let install = Install::new()?;
    let server = install.start("serve")?;
    assert_eq!(server.line("Weir is at")?, format!("Weir is at {}", install.url()));
    let token = token(&server.line("/setup#token=")?)?;
    assert!(server.line("set-up token: ")?.ends_with(&token));
    assert_eq!(set_up(&server, &token).await?.status, 200);
    assert_eq!(set_up(&server, &token).await?.code(), "FORBIDDEN");
    for file in ["weir.db", "keyring"] {
        assert!(install.data().join(file).is_file(), "{file}");
    }
    let mode = std::fs::metadata(install.data().join("keyring"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = server.stop()?;
    assert!(!said.contains(&token), "the token was said again: {said}");

    let again = install.start("serve")?;
    again.line("Weir is at")?;
    let ready = send(client()?.get(format!("{}/ready", again.url))).await?;
    assert_eq!(ready.status, 200);
    let said = again.stop()?;
    assert!(!said.contains("token"), "{said}");
    Ok(())
}

#[tokio::test]
async fn servers_that_start_together_share_one_empty_database() -> Result<()> {
    let database = postgres::Database::empty().await?;
    let ring = Install::new()?.run(&["keys", "generate"])?.out;
    let install = || -> Result<Install> {
        Ok(Install::new()?.with("DATABASE__URL", database.url()).with("KEYRING__VALUE", ring.trim()))
    };
    let installs = [install()?, install()?, install()?, install()?];
    let running: Vec<Running> = installs
        .iter()
        .zip(["serve", "serve", "serve", "worker"])
        .map(|(it, role)| it.start(role))
        .collect::<Result<_>>()?;
    let mut tokens = Vec::new();
    for server in &running[..3] {
        server.line("Weir is at")?;
        tokens.push(token(&server.line("/setup#token=")?)?);
    }
    running[3].line("Weir works")?;
    // Any of the tokens works, anywhere, once.
    assert_eq!(set_up(&running[0], &tokens[2]).await?.status, 200);
    assert_eq!(set_up(&running[1], &tokens[1]).await?.code(), "FORBIDDEN");
    for server in running {
        server.stop()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_request_in_hand_is_answered_before_it_stops() -> Result<()> {
    let install = Install::new()?.with("HTTP__TIMEOUT_SECONDS", "30");
    let server = install.start("serve")?;
    let token = token(&server.line("/setup#token=")?)?;
    let db = Db::connect(&format!("sqlite:{}", install.data().join("weir.db").display()).into(), 1).await?;
    let held = db.begin().await?;
    held.execute_unprepared("UPDATE setting SET value = value").await?;
    let url = format!("{}/auth/setup", server.url);
    let request = client()?.request(Method::POST, url).json(&first_account(&token));
    let asked = tokio::spawn(send(request));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    server.terminate()?;
    server.line("stopping")?;
    let health = format!("{}/health", server.url);
    until("it no longer listens", 8, async || Ok(client()?.get(&health).send().await.is_err())).await?;
    held.rollback().await?;
    let answer = asked.await??;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (status, said) = server.ended()?;
    assert!(status.success(), "{said}");
    Ok(())
}

#[test]
fn a_taken_port_and_a_wrong_setting_are_named() -> Result<()> {
    let install = Install::new()?;
    let _taken = std::net::TcpListener::bind(install.url().trim_start_matches("http://"))?;
    let said = install.run(&["serve"])?;
    assert!(!said.success && said.err.contains("http.listen"), "{said:?}");
    for (name, value, expected) in [
        ("WORKERS__LEASE_SECONDS", "1", "workers.lease_seconds"),
        ("HTTP__LISTN", "x", "listn"),
        ("DATABASE__URL", "mysql://u:hunter2@h/d", "database.url"),
        ("DATABASE__URL", "postgres://u:hunter2@127.0.0.1:1/d", "database"),
        ("KEYRING__VALUE", "hunter2", "key"),
        ("SOURCES__NETWORKS", "[\"ten\"]", "sources.networks"),
        ("LOG__FORMAT", "xml", "log.format"),
    ] {
        let said = Install::new()?.with(name, value).run(&["serve"])?;
        assert!(!said.success && said.err.contains(expected), "{name}: {said:?}");
        assert!(!said.err.contains("hunter2") && !said.out.contains("hunter2"), "{said:?}");
    }
    Ok(())
}

#[test]
fn the_schema_is_printed_without_anything_else() -> Result<()> {
    let said = Install::new()?.run(&["schema"])?;
    assert!(said.success);
    assert_eq!(said.out, server::graphql::sdl());
    Ok(())
}

#[test]
fn migrating_twice_does_no_harm() -> Result<()> {
    let install = Install::new()?;
    for _ in 0..2 {
        let said = install.run(&["migrate"])?;
        assert!(said.success && said.out.contains("up to date"), "{said:?}");
    }
    let idle = install.with("WORKERS__CONCURRENCY", "0").run(&["worker"])?;
    assert!(!idle.success && idle.err.contains("workers.concurrency"), "{idle:?}");
    Ok(())
}

#[tokio::test]
async fn a_server_without_workers_serves() -> Result<()> {
    let install = Install::new()?.with("WORKERS__CONCURRENCY", "0");
    let server = install.start("serve")?;
    server.line("set-up token: ")?;
    let ready = send(client()?.get(format!("{}/ready", server.url))).await?;
    assert_eq!(ready.json(), json!({ "database": true, "migrated": true, "workers": 0 }));
    server.stop()?;
    Ok(())
}
