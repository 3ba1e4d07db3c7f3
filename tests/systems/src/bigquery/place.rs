//! A dataset that exists for one test, and what an owner may do in it behind the connector's back.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::gate::REGION;
use super::{Emulator, Gate, Server};
use crate::run;

/// The project of all tests.
pub const PROJECT: &str = "weir-data";

/// A dataset of its own behind a gate of its own; dropped with this value.
pub struct Place {
    /// Which emulator it is in.
    pub emulator: Emulator,
    /// The emulator.
    pub server: Server,
    /// The way in for those who must sign in.
    pub gate: Gate,
    /// The dataset's name.
    pub dataset: String,
}

impl Place {
    /// Makes an empty dataset in the run's emulator.
    pub async fn empty(emulator: Emulator) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::start(emulator).await?;
        let gate = Gate::open(&server).await?;
        let dataset = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let place = Self { emulator, server, gate, dataset };
        let body = json!({
            "datasetReference": {"projectId": PROJECT, "datasetId": place.dataset}, "location": REGION,
        });
        place.ask("POST", &format!("projects/{PROJECT}/datasets"), Some(body)).await?;
        Ok(place)
    }

    /// The full name of a table, quoted.
    pub fn table(&self, name: &str) -> String {
        format!("`{PROJECT}`.`{}`.`{name}`", self.dataset)
    }

    /// Makes a table from the resource that describes it, its reference apart.
    pub async fn create(&self, name: &str, mut resource: Value) -> Result<()> {
        resource["tableReference"] =
            json!({"projectId": PROJECT, "datasetId": self.dataset, "tableId": name});
        let path = format!("projects/{PROJECT}/datasets/{}/tables", self.dataset);
        if self.emulator == Emulator::Second {
            // It forgets the keys of its tables.
            self.gate.constrain(&self.dataset, name, resource["tableConstraints"].clone());
        }
        self.ask("POST", &path, Some(resource)).await.map(drop)
    }

    /// Runs a statement as the owner, with texts bound by name, and gives the answer.
    pub async fn run(&self, sql: &str, texts: &[(String, String)]) -> Result<Value> {
        let parameters: Vec<Value> = texts
            .iter()
            .map(|(name, value)| {
                json!({"name": name, "parameterType": {"type": "STRING"}, "parameterValue": {"value": value}})
            })
            .collect();
        let mut body = json!({"query": sql, "useLegacySql": false});
        if !parameters.is_empty() {
            body["parameterMode"] = json!("NAMED");
            body["queryParameters"] = json!(parameters);
        }
        let answer = self.ask("POST", &format!("projects/{PROJECT}/queries"), Some(body)).await?;
        match answer["errors"].as_array().filter(|errors| !errors.is_empty()) {
            Some(errors) => bail!("the emulator refused {sql:.300}: {errors:?}"),
            None => Ok(answer),
        }
    }

    /// Asks the emulator itself.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut request = http.request(method, format!("{}/bigquery/v2/{path}", self.server.url()));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("the emulator refused {path} with {status}: {text:.600}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let path = format!("projects/{PROJECT}/datasets/{}?deleteContents=true", self.dataset);
        run::block_on(async { self.ask("DELETE", &path, None).await.map(drop) });
    }
}
