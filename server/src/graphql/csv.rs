//! CSV import and export.

use async_graphql::{Context, Enum, InputObject, InputType, Object, Result, SimpleObject};

use crate::auth::{Permission, Viewer};
use crate::domain::change::Change;
use crate::domain::csv::{self, Kind, Report, RowError};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, Work, answered};
use crate::graphql::error::{Fault, outcome};
use crate::graphql::id::{decode, encode};
use crate::graphql::payload::payload;

/// What a CSV holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "csv::Kind")]
pub enum CsvKind {
    /// Accounts: `id,name,domain`.
    Accounts,
    /// External IDs: `account_id,account_name,space,value`.
    ExternalIds,
    /// Opportunities and inputs: `account_id,account_name,opportunity,opportunity_external_id,input,unit,kind,constant_value`.
    Opportunities,
    /// Metric links: `account_id,account_name,metric,opportunity,input,enabled,note`.
    MetricLinks,
}

/// What to do when rows have errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "csv::ErrorPolicy")]
pub enum CsvErrorPolicy {
    /// Store nothing.
    RejectAll,
    /// Store the good rows.
    SkipFailed,
}

/// What is wrong with a row.
#[derive(SimpleObject)]
struct CsvError {
    /// The line in the text, from 1.
    line: i32,
    /// The column.
    column: Option<String>,
    /// What is wrong.
    message: String,
}

impl From<RowError> for CsvError {
    fn from(error: RowError) -> Self {
        Self { line: number(error.line), column: error.column, message: error.message }
    }
}

/// What an import did, or would do.
#[derive(SimpleObject)]
pub struct CsvReport {
    /// Whether nothing was stored.
    dry_run: bool,
    /// Rows read.
    rows: i32,
    /// Rows that added something.
    created: i32,
    /// Rows that changed something.
    updated: i32,
    /// Rows equal to what is stored.
    unchanged: i32,
    /// Rows with errors.
    failed: i32,
    /// The first 100 errors.
    errors: Vec<CsvError>,
}

fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl From<Report> for CsvReport {
    fn from(report: Report) -> Self {
        Self {
            dry_run: report.dry_run,
            rows: number(report.rows),
            created: number(report.created),
            updated: number(report.updated),
            unchanged: number(report.unchanged),
            failed: number(report.failed),
            errors: report.errors.into_iter().map(CsvError::from).collect(),
        }
    }
}

/// A piece of a CSV export.
#[derive(SimpleObject)]
struct CsvExport {
    /// The CSV, with a header in every piece.
    text: String,
    /// Rows in this piece.
    rows: i32,
    /// Where the next piece starts.
    end_cursor: Option<String>,
    /// Whether there is a next piece.
    has_next_page: bool,
}

/// The query of CSV exports.
#[derive(Default)]
pub struct CsvQuery;

#[Object]
impl CsvQuery {
    /// One kind of object as CSV that imports back unchanged.
    async fn csv_export(
        &self,
        ctx: &Context<'_>,
        kind: CsvKind,
        after: Option<String>,
        #[graphql(default = 5000, validator(minimum = 1, maximum = 20000))] limit: i32,
    ) -> Result<CsvExport> {
        let organization = ctx.need(Permission::AccountsRead)?;
        let name = format!("Csv{}", kind.to_value());
        let after = after.map(|text| {
            let place = decode(&text).filter(|(list, _)| *list == name);
            let place = place.and_then(|(_, id)| id.parse().ok());
            place.ok_or_else(|| Fault::from(Error::invalid("after", "this cursor belongs to another export")))
        });
        let (after, limit) = (after.transpose()?, u64::from(limit.unsigned_abs()));
        let made = csv::export(ctx.db(), organization, Kind::from(kind), after, limit).await;
        let made = made.map_err(Fault::from)?;
        Ok(CsvExport {
            text: made.text,
            rows: i32::try_from(made.rows).unwrap_or(i32::MAX),
            end_cursor: made.last.map(|id| encode(&name, id)),
            has_next_page: made.more,
        })
    }
}

/// The input of `csvImport`.
#[derive(InputObject)]
struct CsvImportInput {
    /// What the text holds.
    kind: CsvKind,
    /// The CSV with a header line, at most 20,000 rows.
    text: String,
    /// Only say what would happen.
    #[graphql(default = false)]
    dry_run: bool,
    /// What to do when rows have errors.
    #[graphql(default_with = "CsvErrorPolicy::RejectAll")]
    error_policy: CsvErrorPolicy,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `csvImport`.
    CsvImportPayload {
        /// What happened, or would; null when refused.
        report: CsvReport
    }
}

/// The mutation of CSV imports.
#[derive(Default)]
pub struct CsvMutation;

#[Object]
impl CsvMutation {
    /// Imports CSV text, or says what would happen. Rows are judged before any is stored, and stored 1,000 at a time:
    /// an import that breaks off is finished by sending it again.
    async fn csv_import(&self, ctx: &Context<'_>, input: CsvImportInput) -> Result<CsvImportPayload> {
        let permission = match input.kind {
            CsvKind::Accounts | CsvKind::Opportunities => Permission::AccountsWrite,
            CsvKind::ExternalIds | CsvKind::MetricLinks => Permission::LinksWrite,
        };
        ctx.need(permission)?;
        let made = import(ctx, ctx.viewer()?, &input).await;
        Ok(outcome(made)?.into())
    }
}

/// Weighs all rows, and stores them part by part if they are to be stored. The answer is kept with the last part: a
/// request that is repeated because the first one broke off stores what is left.
async fn import(ctx: &Context<'_>, viewer: &Viewer, input: &CsvImportInput) -> DomainResult<Report> {
    let sheet = csv::Sheet::read(input.kind.into(), &input.text)?;
    let looking = Change::new(ctx.db(), viewer, ctx.now());
    if let Some(report) = answered(ctx, &looking, input.idempotency_key.as_ref(), input).await? {
        return Ok(report);
    }
    let told = sheet.weigh(&looking).await?;
    let refused = input.error_policy == CsvErrorPolicy::RejectAll && told.failed > 0;
    let (mut report, parts) = match input.dry_run || refused {
        true => (told, Vec::new()),
        false => (sheet.misfits(), sheet.parts().collect()),
    };
    let last = parts.len().saturating_sub(1);
    for part in parts.iter().take(last) {
        let work = Work::start(ctx, viewer.clone()).await?;
        let stored = sheet.store(&work.change(), part, &mut report).await;
        work.close(stored).await?;
    }
    let mut work = Work::start(ctx, viewer.clone()).await?;
    let made = async {
        if let Some(report) = work.claim(ctx, input.idempotency_key.as_ref(), input).await? {
            return Ok(report);
        }
        if let Some(part) = parts.last() {
            sheet.store(&work.change(), part, &mut report).await?;
            sheet.audit(&work.change(), &report).await?;
        }
        work.remember(&report).await?;
        Ok(report)
    }
    .await;
    work.close(made).await
}
