//! Tries waiting rows again after a change of accounts, links or mapping.

use tracing::info;

use super::held::{StopReason, Taken};
use super::node::Outcome;
use crate::app::App;
use crate::domain::matching_change::Rematch;
use crate::error::{Error, Result};
use crate::ingest::replay;

/// Sends the rows in scope down the line. Rows move in small transactions, so a stop loses nothing.
pub(super) async fn run(app: &App, taken: &Taken) -> Result<Outcome> {
    let rematch: Rematch = serde_json::from_str(&taken.job.payload)
        .map_err(|error| Error::invalid("job", format!("is not readable: {error}")))?;
    let tally = replay::waiting(app, rematch.organization, &rematch.scope, taken.stop()).await?;
    if tally.readings > 0 {
        info!(organization.id = %rematch.organization, written = tally.written, "waiting rows were tried again");
    }
    Ok(match taken.stop_reason() {
        None => Outcome::Done,
        Some(StopReason::LeaseLost) => Outcome::Lost,
        Some(StopReason::Cancelled | StopReason::Shutdown) => Outcome::Released,
    })
}
