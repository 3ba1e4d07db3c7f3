//! The server: starting it, asking what it heard, telling it what to do wrong.

use std::sync::{Arc, mpsc};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, rt, web};
use anyhow::{Context, Result};

use super::fault::Fault;
use super::http;
use super::journal::Request;
use super::place::Place;
use super::state::State;

/// A Snowflake account on 127.0.0.1, in this process; it stops with the last clone of this value.
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

impl Server {
    /// Starts an account with no database.
    pub async fn start() -> Result<Self> {
        let state = Arc::new(State::default());
        let shared = state.clone();
        let (tell, told) = mpsc::channel();
        // A thread with a runtime of its own: tests run on runtimes with one thread, which may block.
        std::thread::Builder::new().name("snowflake".to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                let data = web::Data::from(shared);
                let made = HttpServer::new(move || App::new().app_data(data.clone()).configure(http::routes))
                    .workers(2)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .bind(("127.0.0.1", 0));
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
        let (port, handle) = told.context("the Snowflake server ended early")??;
        Ok(Self { inner: Arc::new(Inner { state, port, handle }) })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.inner.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// The identifier of the account, in the preferred form.
    pub fn account(&self) -> &'static str {
        super::users::ACCOUNT
    }

    /// The locator of the same account, as tokens carry it: without region and cloud.
    pub fn locator(&self) -> &'static str {
        super::users::LOCATOR
    }

    /// A database, a warehouse, roles and users that no other test knows.
    pub async fn place(&self) -> Result<Place> {
        Place::make(self).await
    }

    /// Every call so far, the oldest first.
    pub fn journal(&self) -> Vec<Request> {
        self.inner.state.journal()
    }

    /// Makes something go wrong once, or sets how the server behaves.
    pub fn fault(&self, fault: Fault) {
        self.inner.state.fault(fault);
    }

    /// Why a sign-in was refused, by the UUID that the refusal named: what `SYSTEM$GET_LOGIN_FAILURE_DETAILS` tells.
    pub fn login_failure(&self, uuid: &str) -> Option<String> {
        self.inner.state.world().failures.get(uuid).cloned()
    }

    /// The handles of statements that are still running: neither done nor cancelled.
    pub fn running(&self) -> Vec<String> {
        self.inner.state.running()
    }

    pub(super) fn state(&self) -> &State {
        &self.inner.state
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Sends the command at once; what it returns only waits.
        drop(self.handle.stop(false));
    }
}
