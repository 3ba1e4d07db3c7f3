//! Logging, set up once per process. Messages read alone; facts are dotted fields; secrets never appear.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Log;
use crate::error::StartError;

/// Starts logging to standard error as the settings say.
///
/// # Errors
/// When the filter or the format is not understood.
pub fn start(log: &Log) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
        StartError::new(format!("log.filter {:?} is not understood: {error}", log.filter))
    })?;
    let colors = std::io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colors);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match log.format.as_str() {
        "text" => registry.with(layer.with_target(false)).try_init(),
        "json" => registry.with(layer.json().flatten_event(true)).try_init(),
        other => return Err(StartError::new(format!("log.format {other:?} is not known; use text or json"))),
    };
    started.map_err(|error| StartError::new(format!("logging cannot start: {error}")))
}
