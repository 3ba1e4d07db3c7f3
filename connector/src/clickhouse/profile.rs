//! Whether the profile of a user who may not change every setting tells the truth.

use super::client::Client;
use super::decode::Limits;
use super::send::Purpose;
use super::settings::TRUTHFUL;
use super::statement::Statement;
use crate::{Batch, Cell, ConnectorError, Cost, ErrorKind, Result};

/// The tag of the statements that read the user's own profile.
pub const PROFILE: &str = "Weir profile";

/// Where a setting may not be sent, the profile decides; one that may cut results without a word is refused. Whoever
/// reads first pays for the look.
///
/// # Errors
/// `Config` naming the setting, or saying that the profile cannot be read.
pub async fn check(client: &Client, cost: &Cost) -> Result<()> {
    let names: Vec<String> = TRUTHFUL.iter().map(|(name, _)| format!("'{name}'")).collect();
    let sql = format!("SELECT name, value FROM system.settings WHERE name IN ({})", names.join(", "));
    let settings = small(client, sql, cost).await?;
    if settings.rows() == 0 {
        let message = "the user's profile cannot be read, so nothing tells whether it cuts results";
        return Err(
            ConnectorError::new(ErrorKind::Config, message).hint("give the user's profile readonly = 2")
        );
    }
    for row in 0..settings.rows() {
        let (Cell::Text(name), Cell::Text(value)) =
            (settings.columns[0].cell(row), settings.columns[1].cell(row))
        else {
            continue;
        };
        let wanted = TRUTHFUL.iter().find(|(known, _)| *known == name).map(|(_, wanted)| *wanted);
        if wanted.is_some_and(|wanted| wanted != value) {
            return Err(cuts(&format!("{name} to {value}")));
        }
    }
    // Two settings read as zero in the very statement they cut; the plan of one shows them.
    let steps = small(client, "EXPLAIN SELECT dummy FROM system.one".to_owned(), cost).await?;
    for row in 0..steps.rows() {
        let step = steps.columns[0].cell(row).to_string();
        let step = step.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        if step.starts_with("Limit") || step.starts_with("Offset") {
            return Err(cuts("limit or offset"));
        }
    }
    Ok(())
}

fn cuts(what: &str) -> ConnectorError {
    let message = format!("the user's profile sets {what}, which may cut results silently");
    ConnectorError::new(ErrorKind::Config, message)
        .hint("change it in the user's profile, or give the profile readonly = 2")
}

async fn small(client: &Client, sql: String, cost: &Cost) -> Result<Batch> {
    let limits = Limits { rows: 1_000, bytes: 1 << 20, cell: 1 << 20 };
    let purpose = Purpose { tag: PROFILE, cost };
    let mut answer = Box::pin(client.stream(&Statement::new(sql), None, limits, purpose)).await?;
    Ok(answer.next().await?.unwrap_or_default())
}
