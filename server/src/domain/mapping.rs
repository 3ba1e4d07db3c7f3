//! Which column plays which role: the stored form and its rules.

use connector::{ColumnInfo, Type};
use serde::{Deserialize, Serialize};

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
}

impl Mapping {
    /// The columns the mapping names, each once, in a fixed order.
    pub fn columns(&self) -> Vec<&str> {
        let one = [Some(&self.account), self.metric.as_ref(), self.value.as_ref()];
        let rest = [Some(&self.measured_at), self.period.as_ref(), self.product.as_ref()];
        let mut names: Vec<&str> = Vec::new();
        for name in one.into_iter().flatten().chain(&self.metrics).chain(rest.into_iter().flatten()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Checks the mapping against the table's columns; `wide` tells the stream's shape.
    ///
    /// # Errors
    /// `Invalid` with the path under `mapping` of the first role that is missing, unknown or of a wrong type.
    pub fn check(&self, wide: bool, columns: &[ColumnInfo]) -> Result<()> {
        let refuse = |role: &str, reason: String| Err(Error::invalid(format!("mapping.{role}"), reason));
        let find = |role: &str, name: &str| {
            columns.iter().find(|column| column.name == name).ok_or_else(|| {
                Error::invalid(
                    format!("mapping.{role}"),
                    format!("the table has no column {name:?}; names are exact"),
                )
            })
        };
        find("account", &self.account)?;
        for (role, name) in [("period", &self.period), ("product", &self.product)] {
            if let Some(name) = name {
                find(role, name)?;
            }
        }
        if wide {
            if self.metrics.is_empty() {
                return refuse("metrics", "choose at least one numeric column".to_owned());
            }
            if self.metric.is_some() || self.value.is_some() {
                return refuse(
                    "metric",
                    "a wide table has its metrics in `metrics`; leave this empty".to_owned(),
                );
            }
            for (index, name) in self.metrics.iter().enumerate() {
                let role = format!("metrics.{index}");
                let column = find(&role, name)?;
                if !column.kind.numeric() {
                    return refuse(&role, not_a_number(column));
                }
                if self.metrics[..index].contains(name) {
                    return refuse(&role, format!("column {name:?} is named twice"));
                }
            }
        } else {
            if !self.metrics.is_empty() {
                return refuse(
                    "metrics",
                    "a long table has one metric and one value column; leave this empty".to_owned(),
                );
            }
            for (role, name) in [("metric", &self.metric), ("value", &self.value)] {
                match name {
                    Some(name) => _ = find(role, name)?,
                    None => return refuse(role, "choose a column".to_owned()),
                }
            }
            let value = find("value", self.value.as_deref().unwrap_or_default())?;
            if !value.kind.numeric() && value.kind != Type::Text {
                return refuse("value", not_a_number(value));
            }
        }
        self.check_time(find("measuredAt", &self.measured_at)?)
    }

    fn check_time(&self, column: &ColumnInfo) -> Result<()> {
        if let Some(zone) = &self.zone
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            return Err(Error::invalid(
                "mapping.zone",
                format!("{zone:?} is not an IANA time zone such as Europe/Berlin"),
            ));
        }
        match column.kind {
            Type::Zoned => Ok(()),
            Type::Date | Type::Naive | Type::Text if self.zone.is_some() => Ok(()),
            Type::Date | Type::Naive | Type::Text => Err(Error::invalid(
                "mapping.zone",
                format!(
                    "column {:?} is {} and carries no zone; choose the zone it is in",
                    column.name, column.native
                ),
            )),
            _ => Err(Error::invalid(
                "mapping.measuredAt",
                format!(
                    "column {:?} is {}; choose a date, a time or a text of one",
                    column.name, column.native
                ),
            )),
        }
    }
}

/// A column of a view may have no declared type at all.
fn not_a_number(column: &ColumnInfo) -> String {
    match column.native.as_str() {
        "" => format!("column {:?} has no declared type that says it is a number", column.name),
        native => format!("column {:?} is {native}, not a number", column.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<ColumnInfo> {
        [
            ("org", Type::Text),
            ("metric", Type::Text),
            ("v", Type::Decimal),
            ("at", Type::Naive),
            ("t", Type::Bool),
        ]
        .map(|(name, kind)| ColumnInfo {
            name: name.to_owned(),
            native: format!("{kind:?}"),
            kind,
            nullable: true,
            key: false,
        })
        .to_vec()
    }

    fn long() -> Mapping {
        Mapping {
            account: "org".to_owned(),
            metric: Some("metric".to_owned()),
            value: Some("v".to_owned()),
            measured_at: "at".to_owned(),
            zone: Some("UTC".to_owned()),
            ..Mapping::default()
        }
    }

    fn field(mapping: &Mapping, wide: bool) -> String {
        match mapping.check(wide, &columns()) {
            Err(Error::Invalid { field, .. }) => field,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_wrong_role_is_named() {
        assert!(long().check(false, &columns()).is_ok());
        assert_eq!(field(&Mapping { account: "ORG".to_owned(), ..long() }, false), "mapping.account");
        assert_eq!(field(&Mapping { value: Some("t".to_owned()), ..long() }, false), "mapping.value");
        assert_eq!(field(&Mapping { zone: None, ..long() }, false), "mapping.zone");
        assert_eq!(field(&Mapping { zone: Some("Mars/Base".to_owned()), ..long() }, false), "mapping.zone");
        assert_eq!(field(&Mapping { measured_at: "t".to_owned(), ..long() }, false), "mapping.measuredAt");
        let wide =
            Mapping { metric: None, value: None, metrics: vec!["v".to_owned(), "org".to_owned()], ..long() };
        assert_eq!(field(&wide, true), "mapping.metrics.1");
        assert_eq!(
            field(&Mapping { metrics: vec!["v".to_owned(), "v".to_owned()], ..wide.clone() }, true),
            "mapping.metrics.1"
        );
        assert!(Mapping { metrics: vec!["v".to_owned()], ..wide }.check(true, &columns()).is_ok());
    }
}
