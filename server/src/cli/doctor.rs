//! `weir doctor`: named steps, what each found, and an exit code for scripts.

use std::process::ExitCode;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::keys;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::custody;
use crate::db::{Backend, Db};
use crate::error::StartError;
use crate::http::{self, health::Readiness};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The steps and whether all went well so far.
struct Report {
    well: bool,
}

impl Report {
    /// Tells of a step and gives its value on.
    fn step<T>(&mut self, name: &str, found: Result<(String, T), String>) -> Option<T> {
        let (mark, text, value) = match found {
            Ok((text, value)) => ("ok", text, Some(value)),
            Err(text) => {
                self.well = false;
                ("FAILED", text, None)
            }
        };
        println!("{name:<14} {mark:<7} {text}");
        value
    }
}

/// Checks everything and tells of each step. Changes nothing.
pub async fn run(config: Result<Config, StartError>) -> Result<ExitCode, StartError> {
    let mut report = Report { well: true };
    let config = config.map(|config| ("every setting is known and in range".to_owned(), config));
    if let Some(config) = report.step("settings", config.map_err(|error| error.to_string())) {
        let opened = report.step("database", database(&config).await);
        if let Some(db) = &opened {
            let current = report.step("migrations", migrations(db).await).is_some();
            report.step("key ring", key_ring(&config, current.then_some(db)).await);
            if current {
                let readiness = Readiness::of(db, &config, Clock::system().now()).await;
                report.step("workers", workers(&readiness));
            }
        }
        report.step("web interface", web_interface());
        report.step("server", server(&config).await);
    }
    Ok(if report.well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn database(config: &Config) -> Result<(String, Db), String> {
    let url = config.database_url();
    let path = url.expose_secret().strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    let path = path.map(|path| path.split_once('?').map_or(path, |(path, _)| path));
    if let Some(path) = path
        && !std::path::Path::new(path).is_file()
    {
        return Err(format!("there is no {path} yet; `weir serve` makes it"));
    }
    let db = App::database(config).await.map_err(|error| error.to_string())?;
    db.orm().ping().await.map_err(|error| format!("it does not answer: {error}"))?;
    let name = match db.backend() {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    Ok((format!("{name} answers"), db))
}

async fn migrations(db: &Db) -> Result<(String, ()), String> {
    match migration::differences(db.orm()).await {
        Ok(steps) if steps.is_empty() => Ok(("all steps are taken".to_owned(), ())),
        Ok(steps) => {
            Err(format!("not the tables this program knows; run `weir migrate`: {}", steps.join(", ")))
        }
        Err(_) => Err("the database has no tables of Weir; run `weir migrate`".to_owned()),
    }
}

async fn key_ring(config: &Config, db: Option<&Db>) -> Result<(String, ()), String> {
    let ring = keys::ring(config).map_err(|error| error.to_string())?;
    let count = match ring.ids().count() {
        1 => "1 key".to_owned(),
        count => format!("{count} keys"),
    };
    let Some(db) = db else {
        return Ok((format!("{count}; the database is not ready to be checked"), ()));
    };
    custody::verify(db, &ring).await.map_err(|error| error.to_string())?;
    Ok((format!("{count}, enough to open every stored credential; {} seals", ring.primary().as_str()), ()))
}

fn workers(readiness: &Readiness) -> Result<(String, ()), String> {
    match readiness.workers {
        0 => Err("none was seen lately; start `weir serve` or `weir worker`".to_owned()),
        count => Ok((format!("{count} alive"), ())),
    }
}

fn web_interface() -> Result<(String, ()), String> {
    if http::web_interface_built() {
        return Ok(("is built in".to_owned(), ()));
    }
    Err("is not built in; run `cargo xtask web` and build the server again".to_owned())
}

/// Asks the server on this machine whether it is ready.
async fn server(config: &Config) -> Result<(String, ()), String> {
    let address = config.http.listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
    let asked = tokio::time::timeout(PATIENCE, ask(&address)).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("nothing answers at {address}: {error}")),
        Err(_) => return Err(format!("nothing answers at {address} within {PATIENCE:?}")),
    };
    match answer.lines().next() {
        Some(status) if status.contains(" 200") => Ok((format!("ready at {address}"), ())),
        status => Err(format!("at {address} is not ready: {}", status.unwrap_or("it says nothing"))),
    }
}

async fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
