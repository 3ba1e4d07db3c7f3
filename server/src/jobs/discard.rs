//! Discards what a deleted stream stored, a few rows at a time, so that nobody waits for it.

use std::time::Duration;

use entity::{OrganizationId, StreamId};
use tracing::info;

use super::held::{StopReason, Taken};
use super::node::Outcome;
use crate::app::App;
use crate::domain::discard;
use crate::error::Result;

/// The pause after each transaction, in which others write.
const PAUSE: Duration = Duration::from_millis(5);

/// Goes on until nothing is left. What was discarded before a stop stays so.
pub(super) async fn run(
    app: &App,
    taken: &Taken,
    (organization, stream): (OrganizationId, StreamId),
) -> Result<Outcome> {
    let mut rows = 0;
    loop {
        match discard::some(&app.db, organization, stream).await? {
            0 => break,
            some => rows += some,
        }
        match taken.stop_reason() {
            None => {}
            Some(StopReason::LeaseLost) => return Ok(Outcome::Lost),
            Some(StopReason::Cancelled | StopReason::Shutdown) => return Ok(Outcome::Released),
        }
        tokio::time::sleep(PAUSE).await;
    }
    info!(stream.id = %stream, rows, "what a deleted stream stored is gone");
    Ok(Outcome::Done)
}
