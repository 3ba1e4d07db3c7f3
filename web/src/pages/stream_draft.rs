//! What is known of a stream while it is made: its table's columns, the chosen roles, the cursor, the key.

use leptos::prelude::*;

use super::stream_column::{ColumnType, SourceColumn};
use super::stream_mapping::{StreamMapping, StreamMappingInput};
use super::stream_paths::Paths;
use crate::vocabulary::{BigInt, CursorKind, NullCursorPolicy, StreamDestination, StreamShape};
use crate::{schema, size};

/// The name of a table as the source spells it.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct TableRefInput {
    /// The catalog, where the system has them.
    pub catalog: Option<String>,
    /// The schema.
    pub schema: Option<String>,
    /// The table or view.
    pub name: String,
}

/// What Weir proposes for a table.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct StreamSuggestion {
    shape: StreamShape,
    mapping: StreamMapping,
    cursor_column: Option<String>,
    row_key: Vec<String>,
}

/// How rows are ordered and new ones found.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct StreamCursorInput {
    column: String,
    kind: CursorKind,
    zone: Option<String>,
    null_cursor: NullCursorPolicy,
    lookback: Option<BigInt>,
}

/// A stream that is not saved yet, as the preview takes it.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct StreamDraftInput {
    /// The source.
    pub source_id: cynic::Id,
    /// The table.
    pub table: TableRefInput,
    /// Long or wide.
    pub shape: StreamShape,
    /// Where readings go.
    pub destination: StreamDestination,
    /// The roles of the columns.
    pub mapping: StreamMappingInput,
    /// How rows are ordered.
    pub cursor: StreamCursorInput,
    /// The columns that identify a row.
    pub row_key: Vec<String>,
    /// The external-ID setting.
    pub external_id_setting_id: Option<cynic::Id>,
}

/// The choices made so far.
#[derive(Clone, Copy)]
pub struct Draft {
    /// The source.
    pub source_id: StoredValue<cynic::Id>,
    /// The table.
    pub table: StoredValue<TableRefInput>,
    /// The table's columns.
    pub columns: StoredValue<Vec<SourceColumn>>,
    /// Long or wide.
    pub shape: RwSignal<StreamShape>,
    /// Where readings go.
    pub destination: RwSignal<StreamDestination>,
    /// The column of the account ID.
    pub account: RwSignal<String>,
    /// The column that names the metric.
    pub metric: RwSignal<String>,
    /// The column of the value.
    pub value: RwSignal<String>,
    /// The columns that are metrics.
    pub metrics: RwSignal<Vec<String>>,
    /// The column of the time.
    pub measured_at: RwSignal<String>,
    /// The zone of times without one.
    pub zone: RwSignal<String>,
    /// The column of the period.
    pub period: RwSignal<String>,
    /// The column of the product.
    pub product: RwSignal<String>,
    /// Where roles stand inside their columns.
    pub paths: Paths,
    /// The column of the cursor.
    pub cursor: RwSignal<String>,
    /// How far below the watermark is read again.
    pub lookback: RwSignal<String>,
    /// What happens to rows without a cursor.
    pub null_cursor: RwSignal<NullCursorPolicy>,
    /// The columns that identify a row.
    pub row_key: RwSignal<Vec<String>>,
    /// The external-ID setting.
    pub setting: RwSignal<String>,
    /// Whether the source bills for the bytes a statement reads.
    pub billed: RwSignal<bool>,
    /// The most that a statement may read there.
    pub limit: RwSignal<String>,
}

impl Draft {
    /// Starts from what Weir proposes, where it proposes something.
    pub fn new(
        source_id: cynic::Id,
        table: TableRefInput,
        columns: Vec<SourceColumn>,
        suggestion: Option<StreamSuggestion>,
    ) -> Self {
        let keys = columns.iter().filter(|column| column.key).map(|column| column.name.clone()).collect();
        let empty = || RwSignal::new(String::new());
        let draft = Self {
            source_id: StoredValue::new(source_id),
            table: StoredValue::new(table),
            columns: StoredValue::new(columns),
            shape: RwSignal::new(StreamShape::Long),
            destination: RwSignal::new(StreamDestination::Usage),
            account: empty(),
            metric: empty(),
            value: empty(),
            metrics: RwSignal::new(Vec::new()),
            measured_at: empty(),
            zone: RwSignal::new("UTC".to_owned()),
            period: empty(),
            product: empty(),
            paths: Paths::new(),
            cursor: empty(),
            lookback: RwSignal::new(String::new()),
            null_cursor: RwSignal::new(NullCursorPolicy::Reject),
            row_key: RwSignal::new(keys),
            setting: empty(),
            billed: RwSignal::new(false),
            limit: empty(),
        };
        if let Some(suggestion) = suggestion {
            draft.fill(&suggestion.mapping);
            // A wide table without numbers is more likely a long one whose values are text.
            let nothing_wide = suggestion.shape == StreamShape::Wide && suggestion.mapping.metrics.is_empty();
            draft.shape.set(if nothing_wide { StreamShape::Long } else { suggestion.shape });
            draft.cursor.set(suggestion.cursor_column.unwrap_or_default());
            draft.row_key.set(suggestion.row_key);
        }
        draft
    }

    /// Takes over the roles of a mapping.
    pub fn fill(self, mapping: &StreamMapping) {
        let StreamMapping { account, metric, value, metrics, measured_at, zone, period, product, .. } =
            mapping.clone();
        self.account.set(account);
        self.metric.set(metric.unwrap_or_default());
        self.value.set(value.unwrap_or_default());
        self.metrics.set(metrics);
        self.measured_at.set(measured_at);
        self.zone.set(zone.unwrap_or_else(|| "UTC".to_owned()));
        self.period.set(period.unwrap_or_default());
        self.product.set(product.unwrap_or_default());
        self.fill_paths(mapping);
    }

    /// The column of a name.
    pub fn column(self, name: &str) -> Option<SourceColumn> {
        self.columns.with_value(|columns| columns.iter().find(|column| column.name == name).cloned())
    }

    /// What the chosen cursor column holds.
    pub fn cursor_kind(self) -> Option<CursorKind> {
        self.cursor.with(|name| self.column(name)).and_then(|column| column.cursor_kind)
    }

    /// Whether the chosen time column needs a zone to become an instant.
    pub fn needs_zone(self) -> bool {
        let column = self.measured_at.with(|name| self.column(name));
        column.is_some_and(|column| !matches!(column.column_type, ColumnType::Zoned))
    }

    /// What is still to be chosen, in words.
    pub fn missing(self) -> Option<&'static str> {
        let long = self.shape.get() == StreamShape::Long;
        [
            (self.account.with(String::is_empty), "Choose the column of the account ID."),
            (long && self.metric.with(String::is_empty), "Choose the column that names the metric."),
            (long && self.value.with(String::is_empty), "Choose the column of the value."),
            (
                long && self.lacks_path(self.value, self.paths.value),
                "Say where in its column the value stands.",
            ),
            (
                !long && self.metrics.with(Vec::is_empty) && self.paths.nested.with(Vec::is_empty),
                "Choose at least one column that is a metric.",
            ),
            (self.measured_at.with(String::is_empty), "Choose the column of the time."),
            (
                self.lacks_path(self.measured_at, self.paths.measured_at),
                "Say where in its column the time stands.",
            ),
            (self.cursor_kind().is_none(), "Choose the cursor."),
            (self.row_key.with(Vec::is_empty), "Choose the columns that identify a row."),
        ]
        .into_iter()
        .find_map(|(missing, words)| missing.then_some(words))
    }

    /// The limit as the API takes it. What is no size is refused as too small a one.
    pub fn limit(self) -> Option<BigInt> {
        let text = self.limit.get();
        (self.billed.get() && !text.trim().is_empty())
            .then(|| BigInt(size::read(&text).unwrap_or(0).to_string()))
    }

    /// The choices as the API takes them, once none is missing.
    pub fn input(self) -> Option<StreamDraftInput> {
        if self.missing().is_some() {
            return None;
        }
        let some =
            |signal: RwSignal<String>| Some(signal.get().trim().to_owned()).filter(|text| !text.is_empty());
        let kind = self.cursor_kind()?;
        Some(StreamDraftInput {
            source_id: self.source_id.get_value(),
            table: self.table.get_value(),
            shape: self.shape.get(),
            destination: self.destination.get(),
            mapping: self.mapping(),
            cursor: StreamCursorInput {
                column: self.cursor.get(),
                kind,
                zone: some(self.zone).filter(|_| kind == CursorKind::Naive),
                null_cursor: self.null_cursor.get(),
                lookback: some(self.lookback).map(BigInt),
            },
            row_key: self.row_key.get(),
            external_id_setting_id: some(self.setting).map(cynic::Id::new),
        })
    }
}
