//! What rows would become, without writing anything: the same mapper, matcher and router as a run.

use connector::Batch;
use entity::{AccountId, InputId, UnmatchedReason};

use super::groups::Groups;
use super::mapping::{Layout, Mapper};
use super::plan::Plan;
use super::reject::row_json;
use super::route::{Outcome, Router};
use super::store::Store;
use crate::app::App;
use crate::clock::Micros;
use crate::error::Result;

/// What a reading would become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A measurement.
    Written {
        /// Of this account.
        account: AccountId,
        /// Feeding this input, where links decide.
        input: Option<InputId>,
    },
    /// An unmatched row.
    Waits(UnmatchedReason),
    /// A row kept aside by an ignore rule.
    Ignored(UnmatchedReason),
}

/// One reading of a previewed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewReading {
    /// The external account ID.
    pub account: String,
    /// The external metric ID.
    pub metric: String,
    /// The product, or empty.
    pub product: String,
    /// The business period.
    pub period: Option<String>,
    /// The canonical value.
    pub value: String,
    /// Microseconds since 1970, UTC.
    pub measured_at: Micros,
    /// What would become of it.
    pub fate: Fate,
}

/// Why a previewed row would be rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewRejection {
    /// The stored word of the reason.
    pub reason: &'static str,
    /// The column at fault.
    pub column: String,
    /// The text at fault.
    pub raw: String,
}

/// One previewed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewRow {
    /// The row's key as text.
    pub key: String,
    /// Its cursor, as the source writes it.
    pub cursor: Option<String>,
    /// The whole row as a JSON object of column to text or null.
    pub raw: String,
    /// Why it says nothing.
    pub rejection: Option<PreviewRejection>,
    /// What it says.
    pub readings: Vec<PreviewReading>,
}

/// Previewed rows, and how many cells were empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// In the order read.
    pub rows: Vec<PreviewRow>,
    /// Empty cells, which are no readings.
    pub null_cells: u64,
    /// Rows delivered twice.
    pub rows_repeated: u64,
}

/// Tells what the rows of a batch read with [`Plan::columns`] would become. Nothing is stored.
///
/// # Errors
/// When the database refuses.
pub async fn preview(app: &App, plan: &Plan, batch: &Batch) -> Result<Preview> {
    let now = app.clock.now();
    let mut mapper = Mapper::new(Layout { cursor_cap: plan.cursor_cap(now), ..plan.layout.clone() });
    let mapped = mapper.map(batch);
    let texts = mapper.texts();
    let pairs: Vec<(u32, u32)> =
        mapped.readings.iter().map(|reading| (reading.account, reading.metric)).collect();
    // Dropped without a commit: metrics seen for the first time are not made by looking.
    let mut store = Store::begin(&app.db).await?;
    let mut router = Router::new(plan.route.clone());
    router.hold_still(&mut store).await?;
    let outcomes = router.decide(&mut store, texts, &pairs, now).await?;
    let mut groups = Groups::new(plan.route.organization, plan.route.stream);
    groups.load_rules(&mut store, now).await?;
    drop(store);
    let cursor = plan.layout.cursor.map(|index| &batch.columns[index]);
    let mut rows: Vec<PreviewRow> = (0..batch.rows())
        .map(|row| {
            let mut raw = String::new();
            row_json(batch, row, &mut raw);
            let cell = cursor.map(|column| column.cell(row)).filter(|cell| !cell.null());
            PreviewRow {
                key: mapped.keys.get(row).to_owned(),
                cursor: cell.map(|cell| cell.to_string()),
                raw,
                rejection: None,
                readings: Vec::new(),
            }
        })
        .collect();
    for reject in &mapped.rejects {
        let (column, raw) = mapper.at_fault(batch, reject);
        let (reason, column) = (reject.reason.as_str(), column.to_owned());
        rows[reject.row as usize].rejection = Some(PreviewRejection { reason, column, raw });
    }
    for (reading, outcome) in mapped.readings.iter().zip(outcomes) {
        let (account, metric) = (texts.text(reading.account), texts.text(reading.metric));
        let fate = match outcome {
            Outcome::Goes { account, input } => Fate::Written { account, input },
            Outcome::Waits(reason) if groups.ignored(account, metric) => Fate::Ignored(reason),
            Outcome::Waits(reason) => Fate::Waits(reason),
        };
        rows[reading.row as usize].readings.push(PreviewReading {
            account: account.to_owned(),
            metric: metric.to_owned(),
            product: texts.text(reading.product).to_owned(),
            period: Some(texts.text(reading.period)).filter(|text| !text.is_empty()).map(str::to_owned),
            value: mapped.values.get(reading.value as usize).to_owned(),
            measured_at: reading.measured_at,
            fate,
        });
    }
    Ok(Preview { rows, null_cells: mapped.null_cells, rows_repeated: mapped.repeated.len() as u64 })
}
