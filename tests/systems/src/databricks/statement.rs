//! Statements: run at once, told piece by piece.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use super::fault::Call;
use super::sql::compile::{Checked, Parsed};
use super::sql::expression::Expression;
use super::sql::parameter::Parameters;
use super::sql::value::{Type, Value};
use super::sql::{compile, group, parameter};
use super::store::{Row, Store};

/// One call as it was heard, the refused ones too.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which call.
    pub call: Call,
    /// The status it was answered with.
    pub status: u16,
    /// Path and query.
    pub path: String,
    /// The body, where it is JSON.
    pub body: Json,
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The request, with HTTP 400.
    Request(String),
    /// The statement, with HTTP 200: code, message, SQLSTATE.
    Statement(String, String, String),
}

impl Refusal {
    /// A field that is wrong.
    pub fn field(what: &str) -> Self {
        Self::Request(what.to_owned())
    }

    /// A statement that fails with an error of that class and SQLSTATE.
    pub fn failed(class: &str, state: &str, words: &str) -> Self {
        let message = format!("[{class}] {words} SQLSTATE: {state}");
        Self::Statement("BAD_REQUEST".to_owned(), message, state.to_owned())
    }
}

/// A result: rows, and what is selected of each.
#[derive(Clone, Debug)]
pub struct Outcome {
    columns: Vec<(String, Type)>,
    selected: Vec<Expression>,
    rows: Vec<Row>,
}

/// A statement that was sent.
#[derive(Clone, Debug)]
pub struct Statement {
    /// How it ends.
    pub outcome: Result<Outcome, Refusal>,
    /// Whether the result is given out as links.
    pub links: bool,
    /// Looks for which it is pending, and then running.
    pub pending: u32,
    pub running: u32,
    /// Whether it never ends by itself.
    pub hangs: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether its result is no longer there.
    pub gone: bool,
    /// What its manifest tells besides the truth.
    pub more_rows: i64,
    pub truncated: bool,
}

impl Statement {
    /// Its state now; a look brings it nearer to its end.
    pub fn look(&mut self) -> &'static str {
        if self.cancelled {
            return "CANCELED";
        }
        if self.pending > 0 {
            self.pending -= 1;
            return "PENDING";
        }
        if self.running > 0 || self.hangs {
            self.running = self.running.saturating_sub(1);
            return "RUNNING";
        }
        if self.outcome.is_ok() { "SUCCEEDED" } else { "FAILED" }
    }
}

/// Runs a statement over the tables.
pub fn run(store: &Store, text: &str, sent: Option<&Json>) -> Result<Outcome, Refusal> {
    let parameters = parameter::read(sent)?;
    match compile::parse(text)? {
        Parsed::Query(query, None) => {
            let checked = compile::check(&query, &[], &parameters)?;
            select(checked, &[Arc::new(Vec::new())])
        }
        Parsed::Query(query, Some(name)) => {
            let table = readable(store, &name)?;
            let checked = compile::check(&query, &table.columns, &parameters)?;
            select(checked, &table.rows)
        }
        Parsed::Describe(name) => describe(store, &name, &parameters),
    }
}

fn readable<'a>(store: &'a Store, name: &[String]) -> Result<&'a super::store::Table, Refusal> {
    let table = store.table(name).ok_or_else(|| {
        let name: Vec<String> = name.iter().map(|part| format!("`{part}`")).collect();
        let words = format!("The table or view {} cannot be found.", name.join("."));
        Refusal::failed("TABLE_OR_VIEW_NOT_FOUND", "42P01", &words)
    })?;
    match &table.denied {
        Some(lacks) => {
            let words = format!("Insufficient privileges: User does not have {lacks}.");
            Err(Refusal::failed("INSUFFICIENT_PERMISSIONS", "42501", &words))
        }
        None => Ok(table),
    }
}

fn describe(store: &Store, name: &[String], _: &Parameters) -> Result<Outcome, Refusal> {
    let table = readable(store, name)?;
    let text = |text: &str| Value::Text(text.to_owned());
    let mut rows: Vec<Row> = Vec::new();
    for column in &table.columns {
        rows.push(Arc::new(vec![text(&column.name), text(&column.kind.text().to_lowercase()), Value::Null]));
    }
    rows.push(Arc::new(vec![text("# Partition Information"), text(""), text("")]));
    rows.push(Arc::new(vec![text("# col_name"), text("data_type"), text("comment")]));
    let columns = ["col_name", "data_type", "comment"].map(|name| (name.to_owned(), Type::Text)).to_vec();
    Ok(Outcome { columns, selected: (0..3).map(Expression::Column).collect(), rows })
}

fn select(checked: Checked, rows: &[Row]) -> Result<Outcome, Refusal> {
    let truth =
        |row: &&Row| checked.filter.as_ref().is_none_or(|filter| filter.value(row) == Value::Bool(true));
    let mut rows: Vec<Row> = rows.iter().filter(truth).cloned().collect();
    rows.sort_by(|a, b| {
        let each = checked.order.iter().map(|(by, down, nulls_first, folded)| {
            let order = match (by.value(a), by.value(b)) {
                (Value::Null, Value::Null) => std::cmp::Ordering::Equal,
                (Value::Null, _) => {
                    return if *nulls_first { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater };
                }
                (_, Value::Null) => {
                    return if *nulls_first { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less };
                }
                (a, b) => a.order(&b, *folded),
            };
            if *down { order.reverse() } else { order }
        });
        each.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    if let Some(groups) = &checked.groups {
        rows = group::grouped(groups, &rows)?;
    }
    rows.truncate(checked.limit.unwrap_or(usize::MAX));
    let (mut columns, mut selected) = (Vec::new(), Vec::new());
    for (name, kind, expression) in checked.selected {
        columns.push((name, kind));
        selected.push(expression);
    }
    if checked.greatest {
        let greatest = selected.iter().map(|expression| {
            let values = rows.iter().map(|row| expression.value(row)).filter(|value| *value != Value::Null);
            values.max_by(|a, b| a.order(b, false)).unwrap_or(Value::Null)
        });
        rows = vec![Arc::new(greatest.collect())];
        selected = (0..selected.len()).map(Expression::Column).collect();
    }
    Ok(Outcome { columns, selected, rows })
}

impl Outcome {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Some rows as a JSON array.
    pub fn part(&self, from: usize, rows: usize) -> Bytes {
        let mut text = String::from("[");
        for (place, row) in self.rows.iter().skip(from).take(rows).enumerate() {
            text.push_str(if place == 0 { "[" } else { ",[" });
            for (place, expression) in self.selected.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                match expression.value(row).cell() {
                    None => text.push_str("null"),
                    Some(cell) => text.push_str(&Json::String(cell).to_string()),
                }
            }
            text.push(']');
        }
        text.push(']');
        Bytes::from(text)
    }

    /// What the result is made of.
    pub fn manifest(&self, chunk_rows: usize, more_rows: i64, truncated: bool) -> Json {
        let columns: Vec<Json> = (0..)
            .zip(&self.columns)
            .map(|(position, (name, kind))| {
                let mut column = json!({"name": name, "type_text": kind.text(), "position": position});
                if let Some(name) = kind.name() {
                    column["type_name"] = name.into();
                }
                if let Type::Decimal(digits, scale) = kind {
                    column["type_precision"] = (*digits).into();
                    column["type_scale"] = (*scale).into();
                }
                column
            })
            .collect();
        let mut manifest = Map::new();
        manifest.insert("format".to_owned(), "JSON_ARRAY".into());
        manifest.insert("schema".to_owned(), json!({"column_count": columns.len(), "columns": columns}));
        let total = i64::try_from(self.rows.len()).unwrap_or_default() + more_rows;
        if total != 0 {
            manifest.insert("total_row_count".to_owned(), total.into());
            manifest.insert("total_chunk_count".to_owned(), self.rows.len().div_ceil(chunk_rows).into());
        }
        manifest.insert("truncated".to_owned(), truncated.into());
        Json::Object(manifest)
    }
}
