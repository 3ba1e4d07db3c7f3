//! The rows and readings of a preview.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use entity::{AccountId, InputId};

use crate::graphql::account::Account;
use crate::graphql::context::maybe;
use crate::graphql::input::Input;
use crate::graphql::matching::{Explained, MatchExplanation};
use crate::graphql::rejection::Rejection;
use crate::graphql::scalar::{DateTime, Decimal, Json};
use crate::graphql::unmatched_group::UnmatchedReason;
use crate::ingest::preview::Fate;

/// What happens to a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReadingOutcome {
    /// It has a target.
    Matched,
    /// It waits.
    Unmatched,
    /// An ignore rule hides it.
    Ignored,
}

/// The sums over a preview.
#[derive(Default, SimpleObject)]
pub struct PreviewCounts {
    /// Rows read.
    pub rows: i32,
    /// Rows that made readings.
    pub mapped: i32,
    /// Rows that could not be decoded.
    pub rejected: i32,
    /// Readings made.
    pub readings: i32,
    /// Readings with a target.
    pub matched: i32,
    /// Readings that would wait.
    pub unmatched: i32,
    /// Readings an ignore rule would hide.
    pub ignored: i32,
    /// Empty cells, which make no reading.
    pub null_cells: i32,
}

/// One row on its way.
#[derive(SimpleObject)]
pub struct PreviewRow {
    /// What identifies the row.
    pub row_key: String,
    /// Its cursor, in the source's own digits.
    pub cursor: Option<String>,
    /// The row as received.
    pub raw: Json,
    /// Why it could not be decoded.
    pub rejection: Option<Rejection>,
    /// What it says.
    pub readings: Vec<PreviewReading>,
}

/// One reading of a row.
pub struct PreviewReading {
    /// The reading.
    pub reading: crate::ingest::preview::PreviewReading,
    /// Its exact value.
    pub value: entity::Decimal,
    /// How its account was looked for.
    pub explained: Option<Explained>,
}

impl PreviewReading {
    fn target(&self) -> (Option<AccountId>, Option<InputId>) {
        match self.reading.fate {
            Fate::Written { account, input } => (Some(account), input),
            Fate::Waits(_) | Fate::Ignored(_) => {
                (self.explained.as_ref().and_then(|explained| explained.account), None)
            }
        }
    }
}

/// One reading of a row.
#[Object]
impl PreviewReading {
    /// The account ID as the row has it.
    async fn external_account(&self) -> &str {
        &self.reading.account
    }

    /// The metric ID as the row has it.
    async fn external_metric(&self) -> &str {
        &self.reading.metric
    }

    /// The product, or empty.
    async fn product(&self) -> &str {
        &self.reading.product
    }

    /// The exact value.
    async fn value(&self) -> Decimal {
        Decimal(self.value.clone())
    }

    /// When it was measured.
    async fn measured_at(&self) -> DateTime {
        DateTime(self.reading.measured_at)
    }

    /// The interval it covers.
    async fn period(&self) -> Option<&str> {
        self.reading.period.as_deref()
    }

    /// What would happen to it.
    async fn outcome(&self) -> ReadingOutcome {
        match self.reading.fate {
            Fate::Written { .. } => ReadingOutcome::Matched,
            Fate::Waits(_) => ReadingOutcome::Unmatched,
            Fate::Ignored(_) => ReadingOutcome::Ignored,
        }
    }

    /// Why it would wait.
    async fn reason(&self) -> Option<UnmatchedReason> {
        match self.reading.fate {
            Fate::Written { .. } => None,
            Fate::Waits(reason) | Fate::Ignored(reason) => Some(reason.into()),
        }
    }

    /// The matched account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        maybe(ctx, self.target().0).await
    }

    /// The input it would feed.
    async fn input(&self, ctx: &Context<'_>) -> Result<Option<Input>> {
        maybe(ctx, self.target().1).await
    }

    /// How the account was looked for.
    async fn explanation(&self) -> Option<MatchExplanation> {
        self.explained.clone().map(MatchExplanation)
    }
}
