//! CSV in and out: accounts, external IDs, opportunities with inputs, and metric links.
//!
//! An import first works out what every row would change, on copies of what is stored, and collects what is wrong with
//! which row. Only then it writes, in one transaction. A dry run is the same without the writing.

mod accounts;
mod book;
mod export;
mod external_ids;
mod metric_links;
mod opportunities;
mod table;

pub use export::{Export, export};

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::error::Result;

/// The most errors told.
const ERRORS_MOST: usize = 100;

/// What a CSV holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Accounts.
    Accounts,
    /// External IDs.
    ExternalIds,
    /// Opportunities and inputs.
    Opportunities,
    /// Metric links.
    MetricLinks,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::ExternalIds => "external_ids",
            Self::Opportunities => "opportunities",
            Self::MetricLinks => "metric_links",
        }
    }
}

/// What to do when rows have errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorPolicy {
    /// Store nothing.
    RejectAll,
    /// Store the good rows.
    SkipFailed,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line in the text, from 1.
    pub line: u64,
    /// The column.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether nothing was stored.
    pub dry_run: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows that added something.
    pub created: u64,
    /// Rows that changed something.
    pub updated: u64,
    /// Rows equal to what is stored.
    pub unchanged: u64,
    /// Rows with errors.
    pub failed: u64,
    /// The first errors.
    pub errors: Vec<RowError>,
}

/// What a good row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Unchanged,
    Updated,
    Created,
}

/// What is wrong with a cell.
#[derive(Clone, Debug)]
struct Wrong {
    column: &'static str,
    message: String,
}

impl Wrong {
    fn new(column: &'static str, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

impl Report {
    /// Begins with the rows that do not fit the header: line and what is wrong.
    fn of(misfits: Vec<(u64, String)>) -> Self {
        let mut report = Self { rows: misfits.len() as u64, ..Self::default() };
        for (line, reason) in misfits {
            report.fail(line, None, reason);
        }
        report
    }

    fn count(&mut self, line: u64, effect: std::result::Result<Effect, Wrong>) {
        self.rows += 1;
        match effect {
            Ok(Effect::Created) => self.created += 1,
            Ok(Effect::Updated) => self.updated += 1,
            Ok(Effect::Unchanged) => self.unchanged += 1,
            Err(wrong) => self.fail(line, Some(wrong.column.to_owned()), wrong.message),
        }
    }

    fn fail(&mut self, line: u64, column: Option<String>, message: String) {
        self.failed += 1;
        if self.errors.len() < ERRORS_MOST {
            self.errors.push(RowError { line, column, message });
        }
    }
}

/// Imports CSV text, or says what would happen.
///
/// # Errors
/// When the text is no CSV of the kind, is too long, or the database fails. Errors of rows are in the report.
pub async fn import(
    change: &Change<'_, impl ConnectionTrait>,
    kind: Kind,
    text: &str,
    dry_run: bool,
    policy: ErrorPolicy,
) -> Result<Report> {
    let report = match kind {
        Kind::Accounts => accounts::import(change, text, dry_run, policy).await?,
        Kind::ExternalIds => external_ids::import(change, text, dry_run, policy).await?,
        Kind::Opportunities => opportunities::import(change, text, dry_run, policy).await?,
        Kind::MetricLinks => metric_links::import(change, text, dry_run, policy).await?,
    };
    if !report.dry_run && report.created + report.updated > 0 {
        let detail = json!({
            "kind": kind.word(),
            "created": report.created,
            "updated": report.updated,
            "failed": report.failed,
        });
        let organization = change.organization();
        change.audit("csv.import", "Organization", organization, detail).await?;
        matching_change::announce(change.db, organization, Scope::Everything, change.now).await?;
    }
    Ok(report)
}

/// Tells whether to write, and notes it on the report when not.
fn may_write(report: &mut Report, dry_run: bool, policy: ErrorPolicy) -> bool {
    report.dry_run = dry_run || (policy == ErrorPolicy::RejectAll && report.failed > 0);
    !report.dry_run
}
