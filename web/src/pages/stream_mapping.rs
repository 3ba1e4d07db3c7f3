//! The roles of a table's columns, as the API gives and takes them.

use leptos::prelude::*;

use super::stream_draft::Draft;
use super::stream_paths::{StreamNestedMetric, StreamNestedMetricInput};
use crate::schema;
use crate::vocabulary::StreamShape;

/// The roles of the columns, as saved or proposed.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct StreamMapping {
    /// The column of the account ID.
    pub account: String,
    /// The column that names the metric.
    pub metric: Option<String>,
    /// The column of the value.
    pub value: Option<String>,
    /// The columns that are metrics.
    pub metrics: Vec<String>,
    /// The column of the time.
    pub measured_at: String,
    /// The zone of times without one.
    pub zone: Option<String>,
    /// The column of the period.
    pub period: Option<String>,
    /// The column of the product.
    pub product: Option<String>,
    /// Where in its column the account ID stands.
    pub account_path: Option<String>,
    /// Where in its column the name of the metric stands.
    pub metric_path: Option<String>,
    /// Where in its column the value stands.
    pub value_path: Option<String>,
    /// The metrics inside columns.
    pub nested_metrics: Vec<StreamNestedMetric>,
    /// Where in its column the time stands.
    pub measured_at_path: Option<String>,
    /// Where in its column the period stands.
    pub period_path: Option<String>,
    /// Where in its column the product stands.
    pub product_path: Option<String>,
}

/// The roles of the columns.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct StreamMappingInput {
    /// The column of the account ID.
    pub account: String,
    /// The column that names the metric.
    pub metric: Option<String>,
    /// The column of the value.
    pub value: Option<String>,
    /// The columns that are metrics.
    pub metrics: Vec<String>,
    /// The column of the time.
    pub measured_at: String,
    /// The zone of times without one.
    pub zone: Option<String>,
    /// The column of the period.
    pub period: Option<String>,
    /// The column of the product.
    pub product: Option<String>,
    /// Where in its column the account ID stands.
    pub account_path: Option<String>,
    /// Where in its column the name of the metric stands.
    pub metric_path: Option<String>,
    /// Where in its column the value stands.
    pub value_path: Option<String>,
    /// The metrics inside columns.
    pub nested_metrics: Vec<StreamNestedMetricInput>,
    /// Where in its column the time stands.
    pub measured_at_path: Option<String>,
    /// Where in its column the period stands.
    pub period_path: Option<String>,
    /// Where in its column the product stands.
    pub product_path: Option<String>,
}

impl Draft {
    /// The roles as the API takes them.
    pub fn mapping(self) -> StreamMappingInput {
        let some =
            |signal: RwSignal<String>| Some(signal.get().trim().to_owned()).filter(|text| !text.is_empty());
        let (long, zoned) = (self.shape.get() == StreamShape::Long, self.needs_zone());
        let nested = if long { Vec::new() } else { self.paths.nested.get() };
        StreamMappingInput {
            account: self.account.get(),
            metric: some(self.metric).filter(|_| long),
            value: some(self.value).filter(|_| long),
            metrics: if long { Vec::new() } else { self.metrics.get() },
            measured_at: self.measured_at.get(),
            zone: some(self.zone).filter(|_| zoned),
            period: some(self.period),
            product: some(self.product),
            account_path: self.path(self.account, self.paths.account),
            metric_path: self.path(self.metric, self.paths.metric).filter(|_| long),
            value_path: self.path(self.value, self.paths.value).filter(|_| long),
            nested_metrics: nested.into_iter().map(StreamNestedMetricInput::from).collect(),
            measured_at_path: self.path(self.measured_at, self.paths.measured_at),
            period_path: self.path(self.period, self.paths.period),
            product_path: self.path(self.product, self.paths.product),
        }
    }
}
