//! A real ClickHouse engine for the run, and a database of its own for each test.

mod front;
mod statements;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

pub use front::Front;
pub use statements::Statements;

use crate::run;

/// The users every engine of the harness has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum User {
    /// May do everything.
    Admin,
    /// Reads everything and may change settings (`readonly=2`).
    Reader,
    /// Reads everything and may change no setting (`readonly=1`).
    StrictReader,
    /// Like `Reader`, with little memory, and a profile that cuts results after 10 rows.
    SmallReader,
    /// Like `StrictReader`, with a profile that cuts results of over 10 rows.
    CutReader,
    /// Like `StrictReader`, with a profile that limits every statement to 10 rows.
    LimitedReader,
    /// Like `Reader`, with a profile that cuts results of reading over 70 000 rows of a table.
    LeafReader,
    /// The same for one who may change no setting.
    StrictLeafReader,
    /// May sign in and read nothing.
    Stranger,
}

impl User {
    /// The name the user signs in with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Reader => "reader",
            Self::StrictReader => "strict_reader",
            Self::SmallReader => "small_reader",
            Self::CutReader => "cut_reader",
            Self::LimitedReader => "limited_reader",
            Self::LeafReader => "leaf_reader",
            Self::StrictLeafReader => "strict_leaf_reader",
            Self::Stranger => "stranger",
        }
    }
}

/// The ClickHouse engine of this run.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Where its HTTP interface listens, on 127.0.0.1.
    pub port: u16,
    /// Its process.
    pub process: u32,
    passwords: HashMap<String, String>,
}

/// A database that exists for one test; dropped with this value.
#[derive(Debug)]
pub struct Database {
    /// The engine it is in.
    pub server: Server,
    /// Its name.
    pub name: String,
}

impl Server {
    /// Starts the engine, or finds the one this run has.
    pub async fn start() -> Result<Self> {
        let folder = run::cache("clickhouse")?;
        let start = move || run::server("clickhouse", "clickhouse.py", &[&folder.to_string_lossy()]);
        tokio::task::spawn_blocking(start).await?
    }

    /// Starts an engine of its own, of that name in the run, which has the users, profiles and quotas of a `users.xml`
    /// besides the usual ones.
    pub async fn with_users(name: &'static str, xml: &str) -> Result<Self> {
        let (xml, folder) = (xml.to_owned(), run::cache("clickhouse")?);
        let start = move || {
            let file = run::folder()?.join(format!("{name}-users.xml"));
            // Once in a run: the engine reads a changed file again, and might find it half written.
            let lock = run::lock(&format!("{name}-users"))?;
            if !file.exists() {
                std::fs::write(&file, xml).with_context(|| format!("cannot write {}", file.display()))?;
            }
            drop(lock);
            run::server(name, "clickhouse.py", &[&folder.to_string_lossy(), &file.to_string_lossy()])
        };
        tokio::task::spawn_blocking(start).await?
    }

    /// Where its HTTP interface is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The password of one of its users.
    pub fn password(&self, user: User) -> &str {
        self.passwords.get(user.name()).map_or("", String::as_str)
    }

    /// Runs one statement as admin and returns the answer as text.
    pub async fn run(&self, database: &str, statement: &str) -> Result<String> {
        // The scheme is http, so the provider is never used; the client wants one all the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let answer = reqwest::Client::new()
            .post(self.url())
            .header("X-ClickHouse-Database", database)
            .header("X-ClickHouse-User", User::Admin.name())
            .header("X-ClickHouse-Key", self.password(User::Admin))
            .body(statement.to_owned())
            .send()
            .await
            .context("cannot reach the ClickHouse engine")?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("ClickHouse refused {statement:.200}: {text}");
        }
        Ok(text)
    }

    /// A new, empty database.
    pub async fn database(&self) -> Result<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.run("default", &format!("CREATE DATABASE {name}")).await?;
        Ok(Database { server: self.clone(), name })
    }
}

impl Database {
    /// A new, empty database on the run's engine.
    pub async fn empty() -> Result<Self> {
        Server::start().await?.database().await
    }

    /// Runs one statement in this database as admin and returns the answer as text.
    pub async fn run(&self, statement: &str) -> Result<String> {
        self.server.run(&self.name, statement).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} SYNC", self.name);
        run::block_on(async { self.server.run("default", &statement).await.map(drop) });
    }
}
