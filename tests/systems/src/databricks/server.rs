//! The workspace: starting it, filling it, asking what it heard, telling it what to do wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, rt, web};
use anyhow::{Context, Result};
use connector::TableRef;

use super::fault::{Call, Fault};
use super::http;
use super::sql::value::Value;
use super::statement::{Heard, Statement};
use super::store::{Column, Store, Table};

/// The service principal's application ID.
pub const CLIENT: &str = "b7f7a7a6-1d5c-4b7e-9d37-0f5a3c9a1e11";
/// Its OAuth secret.
pub const SECRET: &str = "dose0123456789abcdef0123456789abcdef";
/// A user's personal access token.
pub const TOKEN: &str = "dapi0123456789abcdef0123456789abcdef";
/// The warehouse's ID.
pub const WAREHOUSE: &str = "abcdef0123456789";

/// A workspace on 127.0.0.1, in this process; it stops with the last clone of this value.
#[derive(Clone, Debug)]
pub struct Server {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Arc<State>,
    port: u16,
    handle: ServerHandle,
}

/// What the workspace knows.
#[derive(Debug, Default)]
pub struct State(Mutex<Known>);

/// The same, held.
#[derive(Debug, Default)]
pub struct Known {
    pub store: Store,
    pub statements: BTreeMap<String, Statement>,
    pub faults: Vec<Fault>,
    pub heard: Vec<Heard>,
    /// Tokens given for the secret that are still good, and how many were given in all.
    pub tokens: BTreeSet<String>,
    pub given: usize,
    /// Links that may be followed once or more, by their signatures.
    pub links: BTreeMap<String, (String, usize)>,
    pub signed: usize,
    /// Rows of a chunk, and the most bytes of an inline result.
    pub chunk_rows: usize,
    pub inline_bytes: usize,
    /// The warehouse's state, and how long a token lives in seconds.
    pub warehouse: String,
    pub lives: u64,
    pub storage: u16,
}

impl State {
    /// Holds the state; no await may happen meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The next fault of a sort, which then has happened.
    pub fn take<T>(&mut self, sort: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let place = self.faults.iter().position(|fault| sort(fault).is_some())?;
        sort(&self.faults.remove(place))
    }
}

impl Server {
    /// Starts a workspace with an empty schema `main.metrics`, whose warehouse is awake.
    pub async fn start() -> Result<Self> {
        let state = Arc::new(State::default());
        {
            let mut known = state.lock();
            known.store.schema("main", "metrics");
            (known.chunk_rows, known.inline_bytes) = (2_000, 25 << 20);
            (known.warehouse, known.lives) = ("RUNNING".to_owned(), 3_600);
        }
        let (shared, (tell, told)) = (state.clone(), mpsc::channel());
        // A thread with a runtime of its own: tests run on runtimes with one thread, which may block.
        std::thread::Builder::new().name("databricks".to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                let data = web::Data::from(shared);
                let made = HttpServer::new(move || App::new().app_data(data.clone()).configure(http::routes))
                    .workers(2)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .bind(("127.0.0.1", 0))
                    // The object store has an address of its own.
                    .and_then(|server| server.bind(("127.0.0.1", 0)));
                match made {
                    Ok(server) => {
                        let ports: Vec<u16> = server.addrs().iter().map(std::net::SocketAddr::port).collect();
                        let server = server.run();
                        tell.send(Ok((ports, server.handle()))).ok();
                        server.await.ok();
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let told = tokio::task::spawn_blocking(move || told.recv()).await?;
        let (ports, handle) = told.context("the workspace ended early")??;
        let (&port, &storage) = ports.first().zip(ports.get(1)).context("two ports")?;
        state.lock().storage = storage;
        Ok(Self { inner: Arc::new(Inner { state, port, handle }) })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.inner.port)
    }

    /// The port of its interface.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// The port of the object store, on 127.0.0.1.
    pub fn storage(&self) -> u16 {
        self.known().storage
    }

    /// Links lead to another port from now on, where something stands before the object store.
    pub fn links_lead_to(&self, port: u16) {
        self.known().storage = port;
    }

    /// The state, to look at or to change.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.state.lock()
    }

    /// Makes an empty table in `main.metrics`.
    pub fn create(&self, name: &str, columns: Vec<Column>) -> TableRef {
        let table = Table { columns, ..Table::default() };
        self.place("main", "metrics", name, table)
    }

    /// Makes a table or view anywhere.
    pub fn place(&self, catalog: &str, schema: &str, name: &str, table: Table) -> TableRef {
        self.known().store.schema(catalog, schema).insert(name.to_owned(), table);
        TableRef { catalog: Some(catalog.to_owned()), schema: Some(schema.to_owned()), name: name.to_owned() }
    }

    /// Adds rows, each with a value per column.
    pub fn insert(&self, table: &TableRef, rows: Vec<Vec<Value>>) -> Result<()> {
        self.known().store.insert(table, rows)
    }

    /// The columns of a table.
    pub fn columns(&self, table: &TableRef) -> Result<Vec<Column>> {
        Ok(self.known().store.changed(table)?.columns.clone())
    }

    /// Changes a table.
    pub fn change(&self, table: &TableRef, change: impl FnOnce(&mut Table)) -> Result<()> {
        self.known().store.changed(table).map(change)
    }

    /// Drops a column.
    pub fn drop_column(&self, table: &TableRef, name: &str) -> Result<()> {
        self.known().store.drop_column(table, name)
    }

    /// Something goes wrong at the next occasion.
    pub fn fault(&self, fault: Fault) {
        self.known().faults.push(fault);
    }

    /// The faults that have not happened yet.
    pub fn faults(&self) -> Vec<Fault> {
        self.known().faults.clone()
    }

    /// Nothing goes wrong any more.
    pub fn calm(&self) {
        self.known().faults.clear();
    }

    /// What was heard since the last time.
    pub fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.known().heard)
    }

    /// How often a call was heard, of what has not been taken by [`Server::heard`].
    pub fn count(&self, call: Call) -> usize {
        self.known().heard.iter().filter(|heard| heard.call == call).count()
    }

    /// The tokens that were given for the secret are no longer good.
    pub fn revoke(&self) {
        self.known().tokens.clear();
    }

    /// How many seconds new tokens live.
    pub fn tokens_live(&self, seconds: u64) {
        self.known().lives = seconds;
    }

    /// The warehouse's state, such as `STOPPED`.
    pub fn warehouse(&self, state: &str) {
        self.known().warehouse = state.to_owned();
    }

    /// How many rows a chunk has.
    pub fn chunk_rows(&self, rows: usize) {
        self.known().chunk_rows = rows;
    }

    /// The most bytes of a result that is sent inline.
    pub fn inline_bytes(&self, bytes: usize) {
        self.known().inline_bytes = bytes;
    }

    /// Statements that run and have not been cancelled.
    pub fn running(&self) -> usize {
        let known = self.known();
        known
            .statements
            .values()
            .filter(|one| !one.cancelled && (one.hangs || one.pending + one.running > 0))
            .count()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Not waited for: the thread ends by itself.
        drop(self.handle.stop(false));
    }
}
