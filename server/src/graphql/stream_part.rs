//! What streams are made of: table, shape, mapping and cursor, on the way out and in.

use async_graphql::{Enum, InputObject, SimpleObject};
use connector::CursorKind as Kind;

use crate::domain::freshness;
use crate::domain::mapping::{Mapping, NestedMetric};
use crate::domain::stream::{CursorPlan, stored_kind};
use crate::graphql::scalar::BigInt;

/// The name of a table as the source spells it.
#[derive(SimpleObject)]
pub struct TableRef {
    /// The catalog, where the system has them.
    catalog: Option<String>,
    /// The schema.
    schema: Option<String>,
    /// The table or view.
    name: String,
}

impl From<connector::TableRef> for TableRef {
    fn from(table: connector::TableRef) -> Self {
        Self { catalog: table.catalog, schema: table.schema, name: table.name }
    }
}

/// The name of a table as the source spells it.
#[derive(Clone, InputObject)]
pub struct TableRefInput {
    /// The catalog, where the system has them.
    pub catalog: Option<String>,
    /// The schema.
    pub schema: Option<String>,
    /// The table or view.
    pub name: String,
}

impl From<TableRefInput> for connector::TableRef {
    fn from(table: TableRefInput) -> Self {
        Self { catalog: table.catalog, schema: table.schema, name: table.name }
    }
}

/// How readings lie in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::StreamShape")]
pub enum StreamShape {
    /// One reading in a row, its metric named in a column.
    Long,
    /// One reading in each chosen column.
    Wide,
}

/// Where readings go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::Destination")]
pub enum StreamDestination {
    /// Into a series per account, metric and product.
    Usage,
    /// Only where a metric link leads to an input.
    Inputs,
}

/// What a cursor column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::CursorKind")]
pub enum CursorKind {
    /// A whole number.
    Int,
    /// A calendar day.
    Date,
    /// A date and time without a zone.
    Naive,
    /// An instant.
    Zoned,
}

/// What happens to rows without a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::NullCursor")]
pub enum NullCursorPolicy {
    /// They are rejected.
    Reject,
    /// They are read in every run.
    Include,
}

/// Where a stream goes on whose table or cursor has become another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum StreamCursorStart {
    /// At the watermark it has. The new cursor must be of the same kind.
    Keep,
    /// At the first row. Nothing stored is deleted; rows read again change what they changed before.
    Beginning,
    /// At the greatest cursor there is now: rows before it are not read.
    Maximum,
}

/// Whether a stream's data is up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "freshness::Freshness")]
pub enum Freshness {
    /// The last due run succeeded.
    Fresh,
    /// A run is overdue or failed once.
    Late,
    /// Several runs are overdue or failed.
    Stale,
    /// No run has succeeded yet.
    Never,
    /// The stream does not run.
    Paused,
}

/// A metric that stands inside a column.
#[derive(SimpleObject)]
pub struct StreamNestedMetric {
    /// The column.
    column: String,
    /// Where in its JSON the number stands.
    path: String,
}

impl From<NestedMetric> for StreamNestedMetric {
    fn from(NestedMetric { column, path }: NestedMetric) -> Self {
        Self { column, path }
    }
}

/// A metric that stands inside a column. Its external metric ID is the column and the path: `payload.usage.seats`.
#[derive(Clone, InputObject)]
pub struct StreamNestedMetricInput {
    /// The column.
    pub column: String,
    /// Where in its JSON the number stands.
    pub path: String,
}

impl From<StreamNestedMetricInput> for NestedMetric {
    fn from(StreamNestedMetricInput { column, path }: StreamNestedMetricInput) -> Self {
        Self { column, path }
    }
}

/// Which column plays which role.
#[derive(SimpleObject)]
pub struct StreamMapping {
    /// The external account ID.
    account: String,
    /// The external metric ID, in the long shape.
    metric: Option<String>,
    /// The value, in the long shape.
    value: Option<String>,
    /// The metric columns, in the wide shape.
    metrics: Vec<String>,
    /// When it was measured.
    measured_at: String,
    /// The zone of measurement times that carry none.
    zone: Option<String>,
    /// The interval the value covers.
    period: Option<String>,
    /// The product.
    product: Option<String>,
    /// Where in the JSON of its column the account ID stands, such as `customer.id`; null for the whole column.
    account_path: Option<String>,
    /// Where in the JSON of its column the metric ID stands.
    metric_path: Option<String>,
    /// Where in the JSON of its column the value stands.
    value_path: Option<String>,
    /// Numbers inside columns that are metrics, in the wide shape.
    nested_metrics: Vec<StreamNestedMetric>,
    /// Where in the JSON of its column the time stands.
    measured_at_path: Option<String>,
    /// Where in the JSON of its column the interval stands.
    period_path: Option<String>,
    /// Where in the JSON of its column the product stands.
    product_path: Option<String>,
}

impl From<Mapping> for StreamMapping {
    fn from(mapping: Mapping) -> Self {
        Self {
            account: mapping.account,
            metric: mapping.metric,
            value: mapping.value,
            metrics: mapping.metrics,
            measured_at: mapping.measured_at,
            zone: mapping.zone,
            period: mapping.period,
            product: mapping.product,
            account_path: mapping.account_path,
            metric_path: mapping.metric_path,
            value_path: mapping.value_path,
            nested_metrics: mapping.nested_metrics.into_iter().map(StreamNestedMetric::from).collect(),
            measured_at_path: mapping.measured_at_path,
            period_path: mapping.period_path,
            product_path: mapping.product_path,
        }
    }
}

/// Which column plays which role.
#[derive(Clone, InputObject)]
pub struct StreamMappingInput {
    /// The external account ID.
    pub account: String,
    /// The external metric ID, in the long shape.
    pub metric: Option<String>,
    /// The value, in the long shape.
    pub value: Option<String>,
    /// The metric columns, in the wide shape.
    #[graphql(default)]
    pub metrics: Vec<String>,
    /// When it was measured.
    pub measured_at: String,
    /// The zone of measurement times that carry none.
    pub zone: Option<String>,
    /// The interval the value covers.
    pub period: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// Where in the JSON of its column the account ID stands, such as `customer.id`, `items[0]."unit price"`; none for the whole column.
    pub account_path: Option<String>,
    /// Where in the JSON of its column the metric ID stands.
    pub metric_path: Option<String>,
    /// Where in the JSON of its column the value stands.
    pub value_path: Option<String>,
    /// Numbers inside columns that are metrics, in the wide shape.
    #[graphql(default)]
    pub nested_metrics: Vec<StreamNestedMetricInput>,
    /// Where in the JSON of its column the time stands.
    pub measured_at_path: Option<String>,
    /// Where in the JSON of its column the interval stands.
    pub period_path: Option<String>,
    /// Where in the JSON of its column the product stands.
    pub product_path: Option<String>,
}

impl From<StreamMappingInput> for Mapping {
    fn from(mapping: StreamMappingInput) -> Self {
        Self {
            account: mapping.account,
            metric: mapping.metric,
            value: mapping.value,
            metrics: mapping.metrics,
            measured_at: mapping.measured_at,
            zone: mapping.zone,
            period: mapping.period,
            product: mapping.product,
            account_path: mapping.account_path,
            metric_path: mapping.metric_path,
            value_path: mapping.value_path,
            nested_metrics: mapping.nested_metrics.into_iter().map(NestedMetric::from).collect(),
            measured_at_path: mapping.measured_at_path,
            period_path: mapping.period_path,
            product_path: mapping.product_path,
        }
    }
}

/// How rows are ordered and new ones found.
#[derive(SimpleObject)]
pub struct StreamCursor {
    /// The column.
    column: String,
    /// What it holds.
    kind: CursorKind,
    /// The zone of a naive cursor.
    zone: Option<String>,
    /// What happens to rows without a cursor.
    null_cursor: NullCursorPolicy,
    /// How far below the watermark each run reads again: cursor units for an integer, seconds for a time.
    lookback: BigInt,
}

impl From<CursorPlan> for StreamCursor {
    fn from(cursor: CursorPlan) -> Self {
        Self {
            column: cursor.column,
            kind: cursor.kind.into(),
            zone: cursor.zone,
            null_cursor: cursor.null_cursor.into(),
            lookback: BigInt(cursor.lookback),
        }
    }
}

impl From<Kind> for CursorKind {
    fn from(kind: Kind) -> Self {
        stored_kind(kind).into()
    }
}

/// How rows are ordered and new ones found.
#[derive(Clone, InputObject)]
pub struct StreamCursorInput {
    /// The column.
    pub column: String,
    /// What it holds.
    pub kind: CursorKind,
    /// The zone of a naive cursor.
    pub zone: Option<String>,
    /// What happens to rows without a cursor.
    #[graphql(default_with = "NullCursorPolicy::Reject")]
    pub null_cursor: NullCursorPolicy,
    /// How far below the watermark each run reads again: units for an integer (1000), seconds for a time (600; dates: a day).
    pub lookback: Option<BigInt>,
}

impl From<StreamCursorInput> for CursorPlan {
    fn from(cursor: StreamCursorInput) -> Self {
        let kind = crate::domain::stream::connector_kind(cursor.kind.into());
        Self {
            column: cursor.column,
            kind,
            zone: cursor.zone,
            null_cursor: cursor.null_cursor.into(),
            lookback: cursor.lookback.map_or_else(|| usual_lookback(kind), |lookback| lookback.0),
        }
    }
}

/// How far below the watermark a stream reads again unless told otherwise: rows that commit late are found by default.
fn usual_lookback(kind: Kind) -> i64 {
    match kind {
        Kind::Int => 1_000,
        Kind::Date => 86_400,
        Kind::Naive | Kind::Zoned => 600,
    }
}
