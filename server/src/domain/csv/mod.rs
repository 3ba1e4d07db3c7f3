//! CSV in and out: accounts, external IDs, opportunities with inputs, and metric links.
//!
//! An import first works out what every row would change, on copies of what is stored, and collects what is wrong with
//! which row; that is all of a dry run. Only then it writes, some rows in each transaction, so that nobody who writes
//! waits for a long file. Each part is worked out again in its transaction: what others changed in between is seen.

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

use self::table::{Row, Table};
use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::error::Result;

/// Rows of text imported in one transaction; a row may be two rows stored. On SQLite nobody else writes meanwhile.
const ROWS: usize = 400;

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

/// CSV text taken apart, to be imported.
#[derive(Debug)]
pub struct Sheet {
    kind: Kind,
    table: Table<'static>,
}

impl Sheet {
    /// Takes text apart.
    ///
    /// # Errors
    /// When the text is no CSV of the kind, or has too many rows.
    pub fn read(kind: Kind, text: &str) -> Result<Self> {
        let (needed, others): (&[&str], &[&str]) = match kind {
            Kind::Accounts => accounts::COLUMNS,
            Kind::ExternalIds => external_ids::COLUMNS,
            Kind::Opportunities => opportunities::COLUMNS,
            Kind::MetricLinks => metric_links::COLUMNS,
        };
        Ok(Self { kind, table: table::read(text, needed, others)? })
    }

    /// Works out what all rows would do. Stores nothing.
    ///
    /// # Errors
    /// When the database fails. Errors of rows are in the report.
    pub async fn weigh(&self, change: &Change<'_, impl ConnectionTrait>) -> Result<Report> {
        let mut report = self.misfits();
        report.dry_run = true;
        self.take(change, &self.table.rows, false, &mut report).await?;
        Ok(report)
    }

    /// A report of the rows that do not fit the header.
    pub fn misfits(&self) -> Report {
        let mut report = Report { rows: self.table.misfits.len() as u64, ..Report::default() };
        for (line, reason) in &self.table.misfits {
            report.fail(*line, None, reason.clone());
        }
        report
    }

    /// The rows in parts, each for one transaction.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &[Row<'static>]> {
        self.table.rows.chunks(ROWS)
    }

    /// Imports a part, and tells matching about it. Rows with errors are left out.
    ///
    /// # Errors
    /// When the database fails. Errors of rows are added to the report.
    pub async fn store(
        &self,
        change: &Change<'_, impl ConnectionTrait>,
        part: &[Row<'static>],
        report: &mut Report,
    ) -> Result<()> {
        let before = report.created + report.updated;
        self.take(change, part, true, report).await?;
        if report.created + report.updated > before {
            let organization = change.organization();
            matching_change::announce(change.db, organization, Scope::Everything, change.now).await?;
        }
        Ok(())
    }

    /// Notes who imported what.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, change: &Change<'_, impl ConnectionTrait>, report: &Report) -> Result<()> {
        if report.created + report.updated == 0 {
            return Ok(());
        }
        let detail = json!({
            "kind": self.kind.word(),
            "created": report.created,
            "updated": report.updated,
            "failed": report.failed,
        });
        change.audit("csv.import", "Organization", change.organization(), detail).await
    }

    async fn take(
        &self,
        change: &Change<'_, impl ConnectionTrait>,
        rows: &[Row<'static>],
        write: bool,
        report: &mut Report,
    ) -> Result<()> {
        match self.kind {
            Kind::Accounts => accounts::import(change, rows, write, report).await,
            Kind::ExternalIds => external_ids::import(change, rows, write, report).await,
            Kind::Opportunities => opportunities::import(change, rows, write, report).await,
            Kind::MetricLinks => metric_links::import(change, rows, write, report).await,
        }
    }
}
