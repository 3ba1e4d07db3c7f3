//! The audit suite of the GraphQL over HTTP specification, all of it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::site::Site;
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/audit");

#[tokio::test]
async fn every_check_of_the_specification_is_passed() -> Result<()> {
    let site = Site::sqlite().await?;
    site.set_up().await?;
    let (_, token) = site.token(&[]).await?;
    let output = Command::new("node")
        .arg("audit.mjs")
        .arg(format!("{}/graphql", site.url))
        .env("WEIR_TOKEN", token)
        .current_dir(FOLDER)
        .output()
        .await
        .context("start node")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.stdout.is_empty(), "the audit did not run; is `npm ci` done in tests/audit? {said}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(report, json!({ "checks": 61, "passed": 61, "failed": [] }));
    assert!(output.status.success());
    Ok(())
}
