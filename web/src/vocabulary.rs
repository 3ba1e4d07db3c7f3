//! The API's words as types: exact scalars, the closed lists, and what several pages share.

use crate::components::{Icon, Tone};
use crate::{format, schema};

/// An exact decimal as text.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(pub String);

/// A count of any size as text.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq, Hash)]
pub struct BigInt(pub String);

impl BigInt {
    /// The count as a number; sizes past 2⁶³ do not occur in counts of rows.
    pub fn number(&self) -> i64 {
        self.0.parse().unwrap_or(i64::MAX)
    }

    /// The count as people read it.
    pub fn text(&self) -> String {
        format::decimal(&self.0)
    }
}

/// An instant as RFC 3339.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq, Hash)]
pub struct DateTime(pub String);

impl DateTime {
    /// Milliseconds since the epoch, for drawing and for words like "3 min ago".
    pub fn millis(&self) -> f64 {
        format::instant(&self.0).unwrap_or_default()
    }
}

/// A calendar day.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Date(pub String);

/// Any JSON, such as a row as the source sent it.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "JSON")]
pub struct Json(pub serde_json::Value);

/// A refusal the viewer can act on.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The path into the input.
    pub field: Option<Vec<String>>,
    /// The refusal in words.
    pub message: String,
}

impl UserError {
    /// The last name in the path, which is the field a form shows.
    pub fn last_field(&self) -> Option<&str> {
        self.field.as_deref().and_then(<[String]>::last).map(String::as_str)
    }
}

/// Where a page of a list stands.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PageInfo {
    /// Whether there is a page before.
    pub has_previous_page: bool,
    /// Whether there is a page after.
    pub has_next_page: bool,
    /// Where this page starts.
    pub start_cursor: Option<String>,
    /// Where this page ends.
    pub end_cursor: Option<String>,
}

/// The name of a table as the source spells it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableRef {
    /// The catalog, where the system has them.
    pub catalog: Option<String>,
    /// The schema.
    pub schema: Option<String>,
    /// The table or view.
    pub name: String,
}

impl TableRef {
    /// The name with its schema, as people write it.
    pub fn text(&self) -> String {
        let parts = [self.catalog.as_deref(), self.schema.as_deref(), Some(self.name.as_str())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(".")
    }
}

/// Why the outside system could not be read.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct ConnectorProblem {
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub action: Option<String>,
    /// What the outside system said.
    pub detail: Option<String>,
}

/// A value of a closed list, as a choice of a field or a part of an address.
pub trait Word: Copy + 'static {
    /// All of the list, in order.
    const ALL: &'static [Self];

    /// The short form that stands in addresses and choices.
    fn key(self) -> &'static str;

    /// All of the list as choices of a field.
    fn choices() -> Vec<(String, String)>;

    /// Reads the short form.
    fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.key() == key)
    }
}

/// Makes a closed list of the API with the words people read.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $(#[doc = $text] $variant),+ }

        impl $name {
            /// The words people read.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn key(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }

            fn choices() -> Vec<(String, String)> {
                Self::ALL.iter().map(|word| (word.key().to_owned(), word.text().to_owned())).collect()
            }
        }
    };
}

mod source;

pub use source::*;

words! {
    /// Where a run is.
    SyncRunStatus {
        Queued => "Queued", Running => "Running", Succeeded => "Succeeded", Incomplete => "Incomplete",
        Failed => "Failed", Cancelled => "Cancelled", Skipped => "Skipped",
    }
}

impl SyncRunStatus {
    /// Whether the run may still change.
    pub fn live(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// How it is shown.
    pub fn look(self) -> (Tone, Icon) {
        match self {
            Self::Queued => (Tone::Neutral, Icon::Clock),
            Self::Running => (Tone::Info, Icon::Busy),
            Self::Succeeded => (Tone::Success, Icon::Success),
            Self::Incomplete => (Tone::Warning, Icon::Warning),
            Self::Failed => (Tone::Error, Icon::Failure),
            Self::Cancelled | Self::Skipped => (Tone::Neutral, Icon::Skipped),
        }
    }
}

words! {
    /// What a run reads.
    SyncRunKind { Sync => "Sync", Backfill => "Backfill", Replay => "Replay" }
}

words! {
    /// What started a run.
    SyncRunTrigger {
        Schedule => "the schedule", Manual => "a person", Api => "another service", Retry => "an earlier failure",
        Change => "a change of accounts or links", Reconcile => "a difference from the table",
    }
}

words! {
    /// Whether a stream's data is up to date.
    Freshness { Fresh => "Fresh", Late => "Late", Stale => "Stale", Never => "Never synced", Paused => "Paused" }
}

impl Freshness {
    /// How it is shown.
    pub fn look(self) -> (Tone, Icon) {
        match self {
            Self::Fresh => (Tone::Success, Icon::Success),
            Self::Late => (Tone::Warning, Icon::Clock),
            Self::Stale => (Tone::Error, Icon::Warning),
            Self::Never => (Tone::Neutral, Icon::Pending),
            Self::Paused => (Tone::Neutral, Icon::Pause),
        }
    }
}

words! {
    /// Why a reading waits.
    UnmatchedReason {
        AccountUnknown => "Account unknown", AccountAmbiguous => "Account ambiguous",
        MetricUnlinked => "Metric unlinked", LinkDisabled => "Link disabled", TargetGone => "Target gone",
    }
}

impl UnmatchedReason {
    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AccountUnknown => "No account has this external ID.",
            Self::AccountAmbiguous => "Several accounts have this external ID.",
            Self::MetricUnlinked => "The account is known, but no link leads from this metric to an input.",
            Self::LinkDisabled => "The metric link is switched off.",
            Self::TargetGone => "The input, its opportunity or the account is archived.",
        }
    }
}

words! {
    /// Where the work on a group is.
    UnmatchedStatus { Open => "Open", Ignored => "Ignored", Resolved => "Resolved" }
}

words! {
    /// Where a stream goes on whose cursor has become another.
    StreamCursorStart {
        Keep => "Go on from the watermark",
        Beginning => "Read everything from the first row",
        Maximum => "Start at the newest row there is now",
    }
}

words! {
    /// What a cursor column holds.
    CursorKind {
        Int => "Whole number", Date => "Date", Naive => "Date and time without zone", Zoned => "Instant",
    }
}

words! {
    /// A metric per row, or per column.
    StreamShape { Long => "Long: one metric per row", Wide => "Wide: one metric per column" }
}

words! {
    /// Where readings go.
    StreamDestination {
        Usage => "Usage: every account and metric", Inputs => "Inputs: only through metric links",
    }
}

words! {
    /// Why a row could not be decoded.
    RejectionReason {
        NullKey => "Needed cell is empty", KeyNotUnique => "Row key is not unique", NullCursor => "No cursor", FutureCursor => "Cursor in the future",
        ValueNotNumeric => "Value is not a number", ValueNotFinite => "Value is not finite",
        ValueTooLong => "Value is too long", TimeUnreadable => "Time is unreadable",
        TimeOutOfRange => "Time is out of range", CellTooLarge => "Cell is too large", Undecodable => "Undecodable",
        NotJson => "No JSON document", NotScalar => "Path leads to no single value",
    }
}

words! {
    /// What matching found.
    MatchOutcome { Matched => "Matched", Unknown => "Unknown", Ambiguous => "Ambiguous" }
}

words! {
    /// How IDs of a space are made comparable.
    Normalizer {
        Exact => "trimmed", Lowercase => "trimmed, case ignored", Salesforce => "15 and 18 characters as one",
        Numeric => "leading zeros and .0 dropped",
    }
}

words! {
    /// What a person may do.
    Role { Owner => "Owner", Admin => "Admin", Support => "Support", Viewer => "Viewer" }
}

words! {
    /// One right of the viewer.
    Permission {
        SourcesRead => "see sources", SourcesWrite => "change sources", SecretsWrite => "set credentials",
        SyncsRun => "run syncs", AccountsRead => "see accounts", AccountsWrite => "change accounts",
        LinksWrite => "change links", MeasurementsRead => "see measurements",
        MeasurementsWrite => "type measurements", UnmatchedRead => "see unmatched rows",
        UnmatchedTriage => "triage unmatched rows", MembersRead => "see people", Admin => "administer",
    }
}

words! {
    /// Whether a source's streams may run.
    SourceState { Active => "Active", Paused => "Paused" }
}

words! {
    /// How a step of a connection test went.
    SourceCheckStatus { Passed => "passed", Warned => "warning", Failed => "failed" }
}

words! {
    /// What happens to rows without a cursor.
    NullCursorPolicy { Reject => "Rejected and kept", Include => "Read in every run" }
}

words! {
    /// What an input holds.
    InputKind { Constant => "Constant", Series => "Series" }
}
