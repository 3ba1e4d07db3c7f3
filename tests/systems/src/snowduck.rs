//! snowduck: another reading of Snowflake's SQL API and of its SQL, over DuckDB. A second opinion on what is sent.
//!
//! It takes any token or none, knows no roles and no warehouses, and answers every result whole. It says of every
//! column that it is TEXT, and of partitions that there are none: [`Gate`] puts that right, from the digits it tells.
//! Times and truth values are printed otherwise than documented, and stay so: they are tried on the strict server.

use std::sync::mpsc;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::run;

/// The emulator of this run.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts it, or finds the one this run has.
    pub async fn start() -> Result<Self> {
        let folder = run::cache("python")?;
        let start = move || run::server("snowduck", "snowduck.py", &[&folder.to_string_lossy()]);
        tokio::task::spawn_blocking(start).await?
    }

    /// Runs one statement and returns its answer.
    pub async fn run(&self, statement: &str) -> Result<Value> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let url = format!("http://127.0.0.1:{}/api/v2/statements", self.port);
        let body = json!({"statement": statement, "role": "SYSADMIN", "warehouse": "WH"});
        let answer: Value = reqwest::Client::new().post(url).json(&body).send().await?.json().await?;
        ensure!(answer["code"] == "090001", "{statement}: {answer}");
        Ok(answer)
    }
}

/// Stands before the emulator and puts right what it is known to tell wrong; stops with this value.
#[derive(Debug)]
pub struct Gate {
    /// Its port on 127.0.0.1.
    pub port: u16,
    handle: ServerHandle,
}

impl Gate {
    /// Opens a gate to the emulator.
    pub async fn open(server: &Server) -> Result<Self> {
        // The scheme is http, so the provider is never used; the client wants one all the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let (tell, told) = mpsc::channel();
        let target = server.port;
        std::thread::Builder::new().name("snowduck-gate".to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                let data = Data::new((reqwest::Client::new(), target));
                let app = move || App::new().app_data(data.clone()).default_service(web::to(pass));
                let made = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0));
                match made {
                    Ok(server) => {
                        let port = server.addrs().first().map_or(0, std::net::SocketAddr::port);
                        let server = server.run();
                        tell.send(Ok((port, server.handle()))).ok();
                        server.await.ok();
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let told = tokio::task::spawn_blocking(move || told.recv()).await?;
        let (port, handle) = told.context("the gate ended early")??;
        Ok(Self { port, handle })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn pass(data: Data<(reqwest::Client, u16)>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let (client, port) = data.get_ref();
    let url = format!("http://127.0.0.1:{port}{}", request.uri());
    let method = if request.method() == "POST" { reqwest::Method::POST } else { reqwest::Method::GET };
    let call = client.request(method, url).header("content-type", "application/json").body(body.to_vec());
    let answer = async {
        let answer = call.send().await?;
        let status = answer.status().as_u16();
        reqwest::Result::Ok((status, answer.json::<Value>().await?))
    };
    match answer.await {
        Ok((status, mut answer)) => {
            repair(&mut answer);
            HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default()).json(answer)
        }
        Err(error) => HttpResponse::BadGateway().body(error.to_string()),
    }
}

/// A column with digits is a number, and all rows are one partition.
fn repair(answer: &mut Value) {
    let Some(meta) = answer.get_mut("resultSetMetaData").filter(|it| it.is_object()) else { return };
    for column in meta["rowType"].as_array_mut().into_iter().flatten() {
        if column["type"] == "TEXT" && column["precision"].as_u64().is_some_and(|digits| digits > 0) {
            column["type"] = "FIXED".into();
        }
    }
    if meta["partitionInfo"].is_null() {
        meta["partitionInfo"] = json!([{"rowCount": meta["numRows"], "uncompressedSize": 0}]);
    }
}
