//! Tries waiting rows again after a change of accounts, links or mapping.

use tracing::info;

use super::held::{StopReason, Taken};
use super::node::Outcome;
use crate::app::App;
use crate::clock::{Micros, SECOND};
use crate::domain::matching_change::Rematch;
use crate::error::{Error, Result};
use crate::ingest::replay;

/// How long rejected rows wait for another backfill of their stream to end.
const BUSY: Micros = 5 * SECOND;

/// Sends the rows in scope down the line. Rows move in small transactions, so a stop loses nothing.
pub(super) async fn run(app: &App, taken: &Taken) -> Result<Outcome> {
    let rematch: Rematch = serde_json::from_str(&taken.job.payload)
        .map_err(|error| Error::invalid("job", format!("is not readable: {error}")))?;
    let tally = match replay::waiting(app, rematch.organization, &rematch.scope, taken.stop()).await {
        // Rows to be read again wait for the backfill that is under way; what is mapped by then is found mapped.
        Err(Error::Conflict(_)) => return Ok(Outcome::Again(app.clock.now() + BUSY)),
        // The stream was deleted in between.
        Err(Error::NotFound(_)) => return Ok(Outcome::Done),
        tried => tried?,
    };
    if tally.readings > 0 {
        info!(organization.id = %rematch.organization, written = tally.written, "waiting rows were tried again");
    }
    Ok(match taken.stop_reason() {
        None => Outcome::Done,
        Some(StopReason::LeaseLost) => Outcome::Lost,
        Some(StopReason::Cancelled | StopReason::Shutdown) => Outcome::Released,
    })
}
