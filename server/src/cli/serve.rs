//! Serving and working until told to stop: requests being answered end, workers finish the batch in hand.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::auth::setup;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::StartError;
use crate::http::{self, Serving, State};
use crate::jobs;

/// How often connections to sources are looked through for idle ones.
const SWEEP: Duration = Duration::from_secs(60);

/// Serves the API and the web interface, with workers unless the settings say none.
pub async fn serve(config: Config, clock: Clock) -> Result<(), StartError> {
    let mut signals = Signals::new()?;
    let app = App::open(config, clock).await?;
    let mut serving = http::serve(State::new(app.clone()))?;
    greet(&app, &serving).await?;
    let stop = CancellationToken::new();
    let workers = jobs::start(&app, Arc::new(jobs::Reader), &stop);
    let sweeping = tokio::spawn(sweep(app.clone(), stop.clone()));
    let ended = tokio::select! {
        () = signals.first() => None,
        ended = serving.failed() => Some(ended),
    };
    tracing::info!("stopping: requests and batches in hand are finished first");
    stop.cancel();
    let end = async {
        let drained = serving.stop().await;
        workers.finished().await;
        drained
    };
    let drained = tokio::select! {
        drained = end => drained,
        () = signals.first() => Err(StartError::new("told to stop twice; what was in hand is left to other workers")),
    };
    sweeping.abort();
    close(app).await;
    ended.map_or(drained, Err)
}

/// Only works.
pub async fn worker(config: Config, clock: Clock) -> Result<(), StartError> {
    if config.workers.concurrency == 0 {
        return Err(StartError::new("workers.concurrency is 0, so this worker would have nothing to do"));
    }
    let mut signals = Signals::new()?;
    let app = App::open(config, clock).await?;
    let stop = CancellationToken::new();
    let workers = jobs::start(&app, Arc::new(jobs::Reader), &stop);
    let sweeping = tokio::spawn(sweep(app.clone(), stop.clone()));
    println!("Weir works. Stop it with Ctrl-C.");
    signals.first().await;
    tracing::info!("stopping: batches in hand are finished first");
    stop.cancel();
    tokio::select! {
        () = workers.finished() => {}
        () = signals.first() => {
            return Err(StartError::new("told to stop twice; what was in hand is left to other workers"));
        }
    }
    sweeping.abort();
    close(app).await;
    Ok(())
}

/// Brings the database up to date.
pub async fn migrate(config: Config) -> Result<(), StartError> {
    let db = App::database(&config).await?;
    let failed = |error| StartError::new(format!("the database cannot be migrated: {error}"));
    migration::migrate(db.orm()).await.map_err(failed)?;
    println!("The database is up to date.");
    Ok(())
}

/// Says where Weir is and, on the first start, how to make the first account. The token is shown here and nowhere else.
async fn greet(app: &App, serving: &Serving) -> Result<(), StartError> {
    let url = match app.config.http.public_url.as_str() {
        "" => format!("http://{}", serving.address),
        url => url.to_owned(),
    };
    println!("Weir is at {url}");
    let issued = setup::issue(app.db.orm(), app.clock.now()).await;
    let issued =
        issued.map_err(|error| StartError::new(format!("the set-up token cannot be made: {error}")))?;
    if let Some(token) = issued {
        let token = token.expose_secret();
        println!("Make the first account at {url}/setup#token={token}");
        println!(
            "The link works once and for a day. If a page asks for it, this is the set-up token: {token}"
        );
    }
    Ok(())
}

async fn sweep(app: App, stop: CancellationToken) {
    while tokio::time::timeout(SWEEP, stop.cancelled()).await.is_err() {
        app.sources.close_idle(app.clock.now());
    }
}

async fn close(app: App) {
    if let Err(error) = app.db.close().await {
        tracing::warn!(%error, "the database did not close well");
    }
}

/// The signals that ask a process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, StartError> {
        let listen =
            |kind| signal(kind).map_err(|error| StartError::new(format!("signals cannot be heard: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
