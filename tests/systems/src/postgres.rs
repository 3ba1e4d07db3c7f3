//! A real PostgreSQL server for the run, and a database of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use serde::Deserialize;
use sqlx::{Connection, Executor, PgConnection};

use crate::run;

/// Whether the server keeps its promises after a power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// Tuned for tests: nothing is flushed to the disk.
    Scratch,
    /// The server's own defaults: for benchmarks.
    Durable,
}

/// The PostgreSQL server of this run.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Its superuser.
    pub user: String,
    /// The superuser's password (SCRAM).
    pub password: String,
}

/// A database that exists for one test; dropped with this value.
#[derive(Debug)]
pub struct Database {
    /// The server it is in.
    pub server: Server,
    /// Its name.
    pub name: String,
}

impl Server {
    /// Starts the server, or finds the one this run has.
    pub async fn start(durability: Durability) -> Result<Self> {
        let (name, argument) = match durability {
            Durability::Scratch => ("postgres", "scratch"),
            Durability::Durable => ("postgres-durable", "durable"),
        };
        tokio::task::spawn_blocking(move || run::server(name, "postgres.py", &[argument])).await?
    }

    /// The connection string of one of its databases, as the superuser.
    pub fn url(&self, database: &str) -> String {
        let Self { port, user, password } = self;
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    async fn admin(&self, statement: String) -> Result<()> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let done = connection.execute(sqlx::AssertSqlSafe(statement.clone())).await;
        done.with_context(|| format!("cannot run {statement}"))?;
        Ok(connection.close().await?)
    }

    /// A new, empty database.
    pub async fn database(&self) -> Result<Database> {
        self.copy("template0").await
    }

    /// A new database that is a copy of the template `name`, which `fill` builds once in the run.
    pub async fn database_from<F>(&self, name: &str, fill: impl FnOnce(String) -> F) -> Result<Database>
    where
        F: Future<Output = Result<()>>,
    {
        let label = format!("template-{}-{name}", self.port);
        let lock = label.clone();
        let _held = tokio::task::spawn_blocking(move || run::lock(&lock)).await??;
        let done = run::folder()?.join(format!("{label}.done"));
        if !done.exists() {
            self.admin(format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).await?;
            self.admin(format!("CREATE DATABASE \"{name}\" TEMPLATE template0")).await?;
            fill(self.url(name)).await.with_context(|| format!("cannot fill the template {name}"))?;
            std::fs::write(done, "")?;
        }
        self.copy(name).await
    }

    async fn copy(&self, template: &str) -> Result<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.admin(format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")).await?;
        Ok(Database { server: self.clone(), name })
    }
}

impl Database {
    /// A new, empty database on the run's scratch server.
    pub async fn empty() -> Result<Self> {
        Server::start(Durability::Scratch).await?.database().await
    }

    /// Its connection string, as the superuser.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, statements: &str) -> Result<()> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        connection.execute(sqlx::AssertSqlSafe(statements)).await.context("a set-up statement failed")?;
        Ok(connection.close().await?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // One at a time: two that wait for each other's barrier hold up PostgreSQL 15 for a minute.
        let _held = run::lock(&format!("drop-{}", self.server.port));
        run::block_on(self.server.admin(format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name)));
    }
}
