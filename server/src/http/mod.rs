//! The web server: GraphQL, sign-in, the embedded web interface, health. Nothing here knows a table.
//!
//! Actix's threads only speak HTTP. What touches the database runs on the main runtime, whose reactor outlives them:
//! workers finish their batch after the last request has been answered.

pub mod account;
mod body;
mod coding;
mod edge;
pub mod graphql;
pub mod health;
mod media;
mod refusal;
mod ui;
mod visitor;

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App as Site, HttpRequest, HttpResponse, HttpServer};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::task::AbortOnDropHandle;

use crate::app::App;
use crate::auth::sign_in::Throttles;
use crate::auth::throttle::Throttle;
use crate::error::{Error, StartError};
use crate::graphql::WeirSchema;
use media::Media;
use refusal::{Code, Outcome, Refusal};

/// Threads that speak HTTP.
const THREADS: usize = 2;
/// How long requests being answered have when the server stops.
const DRAIN_SECONDS: u64 = 15;

/// What the routes share.
#[derive(Clone)]
pub struct State {
    /// The process's dependencies.
    pub app: App,
    schema: WeirSchema,
    throttles: Throttles,
    share: Throttle,
    runtime: Handle,
    health: health::Cache,
}

impl State {
    /// What routes need. Call it on the runtime that is to do their work.
    pub fn new(app: App) -> Self {
        let each_minute = app.config.http.requests_per_minute.max(1);
        let burst = NonZeroU32::new(each_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            throttles: Throttles::new(&app.clock),
            share: Throttle::new(&app.clock, burst, Duration::from_secs(60) / each_minute),
            runtime: Handle::current(),
            health: health::Cache::default(),
            schema: crate::graphql::schema(),
            app,
        }
    }

    /// Does work on the main runtime; it is given up when the caller is.
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Outcome<T> {
        let task = AbortOnDropHandle::new(self.runtime.spawn(work));
        task.await.map_err(|error| Refusal::internal(Error::internal("answer a request", error)))
    }
}

/// Adds all routes.
pub fn configure(site: &mut ServiceConfig) {
    site.route("/graphql", web::route().to(graphql::handle))
        .service(web::scope("/auth").configure(account::configure))
        .route("/health", web::get().to(health::health))
        .route("/ready", web::get().to(health::ready))
        .default_service(web::route().to(ui::handle));
}

/// A server that is listening.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
}

impl Serving {
    /// Stops listening, lets requests being answered end, and returns when the last one has.
    ///
    /// # Errors
    /// When the server had failed.
    pub async fn stop(mut self) -> Result<(), StartError> {
        if self.task.is_finished() {
            return Ok(());
        }
        self.handle.stop(true).await;
        ended((&mut self.task).await)
    }

    /// Waits for the server to end by itself, which it does only when it fails, and tells why.
    pub async fn failed(&mut self) -> StartError {
        match ended((&mut self.task).await) {
            Ok(()) => StartError::new("the web server ended by itself"),
            Err(error) => error,
        }
    }
}

fn ended(end: Result<std::io::Result<()>, JoinError>) -> Result<(), StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::new(format!("the web server failed: {error}"));
    end.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// Tells whether the web interface is built into this program.
pub fn web_interface_built() -> bool {
    ui::built()
}

/// Begins to serve at the address the settings name; port 0 takes a free one.
///
/// # Errors
/// When the address is wrong or taken.
pub fn serve(state: State) -> Result<Serving, StartError> {
    let listen = state.app.config.http.listen.clone();
    let refuse = |error: std::io::Error| StartError::new(format!("http.listen {listen}: {error}"));
    let listener = TcpListener::bind(&listen).map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let state = Data::new(state);
    let server = HttpServer::new(move || {
        Site::new().app_data(state.clone()).wrap(from_fn(edge::pass)).configure(configure)
    })
    .workers(THREADS)
    .worker_max_blocking_threads(1)
    .client_request_timeout(Duration::from_secs(10))
    .client_disconnect_timeout(Duration::from_secs(2))
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(listener)
    .map_err(refuse)?
    .run();
    let handle = server.handle();
    Ok(Serving { address, handle, task: tokio::spawn(server) })
}

/// Refuses a path that is none.
fn no_such_path(request: &HttpRequest) -> HttpResponse {
    Refusal::new(Code::NotFound, "there is no such path").answer(Media::Json, &edge::request_id(request))
}
