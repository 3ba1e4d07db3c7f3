//! Which column plays which role: the stored form and its rules.
//!
//! A role is a whole column, or what stands at a path in the JSON of one (see [`json_path`](super::json_path)).

use connector::{ColumnInfo, Type};
use serde::{Deserialize, Serialize};

use crate::domain::json_path::{self, Path};
use crate::error::{Error, Result};

/// Which column of a stream's table plays which role.
///
/// Long form names `metric` and `value`; wide form names `metrics`, each column being a metric of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// The column with the external account ID.
    pub account: String,
    /// Long form: the column with the external metric ID.
    #[serde(default)]
    pub metric: Option<String>,
    /// Long form: the column with the value.
    #[serde(default)]
    pub value: Option<String>,
    /// Wide form: the numeric columns to take.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// The column with the time the value is of.
    pub measured_at: String,
    /// The IANA zone of a measurement time that carries none, such as `Europe/Berlin`.
    #[serde(default)]
    pub zone: Option<String>,
    /// The column with the business period, such as `2026-02`.
    #[serde(default)]
    pub period: Option<String>,
    /// The column with the product.
    #[serde(default)]
    pub product: Option<String>,
    /// Where in its column the account ID stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_path: Option<String>,
    /// Where in its column the metric ID stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_path: Option<String>,
    /// Where in its column the value stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_path: Option<String>,
    /// Wide form: the numbers to take from inside columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nested_metrics: Vec<NestedMetric>,
    /// Where in its column the time stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at_path: Option<String>,
    /// Where in its column the period stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_path: Option<String>,
    /// Where in its column the product stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_path: Option<String>,
}

/// A metric of a wide table that stands inside a column, named after both: `payload.usage.seats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NestedMetric {
    /// The column.
    pub column: String,
    /// Where in it the number stands.
    pub path: String,
}

/// What plays a role: a column, or a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role<'a> {
    /// The column.
    pub column: &'a str,
    /// The path into it.
    pub path: Option<&'a str>,
}

impl Role<'_> {
    /// The path, if there is one.
    ///
    /// # Errors
    /// When it is no path; it was checked when the mapping was saved.
    pub fn parsed(&self) -> Result<Option<Path>> {
        let parse = |path: &str| {
            path.parse().map_err(|mistake: json_path::Mistake| Error::invalid("mapping", mistake.to_string()))
        };
        self.path.map(parse).transpose()
    }
}

fn role<'a>(column: &'a str, path: Option<&'a String>) -> Role<'a> {
    Role { column, path: path.map(String::as_str) }
}

impl Mapping {
    /// The account's role.
    pub fn account(&self) -> Role<'_> {
        role(&self.account, self.account_path.as_ref())
    }

    /// The role of the metric of a long table.
    pub fn metric(&self) -> Option<Role<'_>> {
        Some(role(self.metric.as_ref()?, self.metric_path.as_ref()))
    }

    /// The time's role.
    pub fn measured_at(&self) -> Role<'_> {
        role(&self.measured_at, self.measured_at_path.as_ref())
    }

    /// The period's role.
    pub fn period(&self) -> Option<Role<'_>> {
        Some(role(self.period.as_ref()?, self.period_path.as_ref()))
    }

    /// The product's role.
    pub fn product(&self) -> Option<Role<'_>> {
        Some(role(self.product.as_ref()?, self.product_path.as_ref()))
    }

    /// The roles of the values: the one of a long table, or the metrics of a wide one.
    pub fn values(&self) -> Vec<Role<'_>> {
        let one = self.value.iter().map(|column| role(column, self.value_path.as_ref()));
        let wide = self.metrics.iter().map(|column| role(column, None));
        let nested = self.nested_metrics.iter().map(|metric| role(&metric.column, Some(&metric.path)));
        one.chain(wide).chain(nested).collect()
    }

    /// The columns the mapping names, each once, in a fixed order.
    pub fn columns(&self) -> Vec<&str> {
        let first = [Some(self.account()), self.metric()].into_iter().flatten();
        let last = [Some(self.measured_at()), self.period(), self.product()].into_iter().flatten();
        let mut names: Vec<&str> = Vec::new();
        for role in first.chain(self.values()).chain(last) {
            if !names.contains(&role.column) {
                names.push(role.column);
            }
        }
        names
    }

    /// Checks the mapping against the table's columns; `wide` tells the stream's shape.
    ///
    /// # Errors
    /// `Invalid` with the path under `mapping` of the first role that is missing, unknown or of a wrong type.
    pub fn check(&self, wide: bool, columns: &[ColumnInfo]) -> Result<()> {
        let table = Columns(columns);
        table.find("account", &self.account())?;
        let optional = [
            ("metric", &self.metric, &self.metric_path),
            ("value", &self.value, &self.value_path),
            ("period", &self.period, &self.period_path),
            ("product", &self.product, &self.product_path),
        ];
        for (name, column, path) in optional {
            match (column, path) {
                (Some(column), path) => _ = table.find(name, &role(column, path.as_ref()))?,
                (None, Some(_)) => {
                    let reason = "a path needs the column it leads into";
                    return refuse(&format!("{name}Path"), reason.to_owned());
                }
                (None, None) => {}
            }
        }
        if wide {
            self.check_wide(table)?
        } else {
            self.check_long(table)?
        }
        let time = self.measured_at();
        self.check_time(&time, table.find("measuredAt", &time)?)
    }

    fn check_long(&self, table: Columns<'_>) -> Result<()> {
        for (name, empty) in
            [("metrics", self.metrics.is_empty()), ("nestedMetrics", self.nested_metrics.is_empty())]
        {
            if !empty {
                let reason = "a long table has one metric and one value column; leave this empty";
                return refuse(name, reason.to_owned());
            }
        }
        for (name, column) in [("metric", &self.metric), ("value", &self.value)] {
            if column.is_none() {
                return refuse(name, "choose a column".to_owned());
            }
        }
        for value in self.values() {
            let column = table.find("value", &value)?;
            if value.path.is_none() && !column.kind.numeric() && column.kind != Type::Text {
                return refuse("value", not_a_number(column));
            }
        }
        Ok(())
    }

    fn check_wide(&self, table: Columns<'_>) -> Result<()> {
        if self.metric.is_some() || self.value.is_some() {
            let reason = "a wide table has its metrics in `metrics`; leave this empty";
            return refuse("metric", reason.to_owned());
        }
        if self.metrics.is_empty() && self.nested_metrics.is_empty() {
            return refuse("metrics", "choose at least one numeric column".to_owned());
        }
        for (index, name) in self.metrics.iter().enumerate() {
            let field = format!("metrics.{index}");
            let column = table.find(&field, &role(name, None))?;
            if !column.kind.numeric() {
                return refuse(&field, not_a_number(column));
            }
            if self.metrics[..index].contains(name) {
                return refuse(&field, format!("column {name:?} is named twice"));
            }
        }
        let mut names = self.metrics.clone();
        for (index, metric) in self.nested_metrics.iter().enumerate() {
            let field = format!("nestedMetrics.{index}");
            let found = role(&metric.column, Some(&metric.path));
            table.find(&field, &found)?;
            let name = found.parsed()?.map(|path| path.in_column(&metric.column)).unwrap_or_default();
            if names.contains(&name) {
                return refuse(&field, format!("two metrics would have the name {name:?}"));
            }
            names.push(name);
        }
        Ok(())
    }

    fn check_time(&self, time: &Role<'_>, column: &ColumnInfo) -> Result<()> {
        if let Some(zone) = &self.zone
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            return refuse("zone", format!("{zone:?} is not an IANA time zone such as Europe/Berlin"));
        }
        // What stands at a path is read as text.
        let kind = if time.path.is_some() { Type::Text } else { column.kind };
        match kind {
            Type::Zoned => Ok(()),
            Type::Date | Type::Naive | Type::Text if self.zone.is_some() => Ok(()),
            Type::Date | Type::Naive | Type::Text => refuse(
                "zone",
                format!(
                    "column {:?} is {} and carries no zone; choose the zone it is in",
                    column.name, column.native
                ),
            ),
            _ => refuse(
                "measuredAt",
                format!(
                    "column {:?} is {}; choose a date, a time or a text of one{}",
                    column.name,
                    column.native,
                    inside(column, ", or")
                ),
            ),
        }
    }
}

fn refuse<T>(field: &str, reason: String) -> Result<T> {
    Err(Error::invalid(format!("mapping.{field}"), reason))
}

/// The columns of a table.
#[derive(Clone, Copy)]
struct Columns<'a>(&'a [ColumnInfo]);

impl<'a> Columns<'a> {
    /// The column of a role, once its path is one and may lead into that column. `field` is what names the column.
    fn find(self, field: &str, role: &Role<'_>) -> Result<&'a ColumnInfo> {
        let (column, path) = match field.starts_with("nestedMetrics") {
            true => (format!("{field}.column"), format!("{field}.path")),
            false => (field.to_owned(), format!("{field}Path")),
        };
        let Some(found) = self.0.iter().find(|column| column.name == role.column) else {
            let meant = json_path::meant(role.column, self.0).map(|meant| {
                format!("; name the column {:?} here, and the path into it in `{path}`", meant.name)
            });
            let reason = format!("the table has no column {:?}; names are exact", role.column);
            return refuse(&column, reason + &meant.unwrap_or_default());
        };
        match role.path.map(str::parse::<Path>) {
            None => Ok(found),
            Some(Err(mistake)) => refuse(&path, mistake.to_string()),
            Some(Ok(_)) if json_path::leads_into(found) => Ok(found),
            Some(Ok(_)) => refuse(
                &path,
                format!(
                    "column {:?} is {}, which holds no JSON; leave the path out",
                    found.name, found.native
                ),
            ),
        }
    }
}

/// A column of a view may have no declared type at all.
fn not_a_number(column: &ColumnInfo) -> String {
    match column.native.as_str() {
        "" => format!("column {:?} has no declared type that says it is a number", column.name),
        native => format!("column {:?} is {native}, not a number{}", column.name, inside(column, "; give")),
    }
}

/// What else can be done with a column of documents.
fn inside(column: &ColumnInfo, joined: &str) -> String {
    if column.kind == Type::Json { format!("{joined} a path to one in its JSON") } else { String::new() }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
