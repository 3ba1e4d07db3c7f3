//! The emulators of other people, each with a schema of its own for every test.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::run;

/// An emulator of this run.
#[derive(Clone, Debug, Deserialize)]
pub struct Emulator {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Its SQL warehouse's ID.
    pub warehouse: String,
}

impl Emulator {
    /// BrickHouse, or the one this run has: real Delta tables in the catalog `main`.
    pub async fn brickhouse() -> Result<Self> {
        Self::start("brickhouse").await
    }

    /// MiniLake, or the one this run has: results by links, and Unity Catalog, with the catalog `prod`.
    pub async fn minilake() -> Result<Self> {
        Self::start("minilake").await
    }

    async fn start(name: &'static str) -> Result<Self> {
        let folder = run::cache("python")?;
        let script = format!("{name}.py");
        let start = move || run::server(name, &script, &[&folder.to_string_lossy()]);
        tokio::task::spawn_blocking(start).await?
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Posts JSON and gives the answer, whatever it says.
    pub async fn post(&self, path: &str, body: &Json) -> Result<Json> {
        // The scheme is http, so the provider is never used; the client wants one all the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let request = reqwest::Client::new().post(format!("{}{path}", self.url())).json(body);
        let text = request.send().await.context("cannot reach the emulator")?.text().await?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text:.200}"))
    }

    /// Runs a statement to a good end.
    pub async fn run(&self, sql: &str) -> Result<()> {
        let body = json!({"warehouse_id": self.warehouse, "statement": sql, "wait_timeout": "50s"});
        let answer = self.post("/api/2.0/sql/statements", &body).await?;
        if answer["status"]["state"] != "SUCCEEDED" {
            bail!("{sql:.200} failed: {answer:.400}");
        }
        Ok(())
    }

    /// Makes a schema of its own in a catalog, and gives its name.
    pub async fn schema(&self, catalog: &str) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE SCHEMA {catalog}.{name}")).await?;
        Ok(name)
    }
}
