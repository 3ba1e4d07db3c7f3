//! Proposes a mapping for a table from the names and types of its columns. A person decides.

use connector::{ColumnInfo, CursorKind, Type};
use entity::StreamShape;

use crate::domain::mapping::Mapping;

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggested {
    /// Long or wide.
    pub shape: StreamShape,
    /// The roles.
    pub mapping: Mapping,
    /// The cursor column.
    pub cursor: Option<(String, CursorKind)>,
    /// The row key.
    pub row_key: Vec<String>,
}

const ACCOUNT: &[&str] =
    &["account", "customer", "organization", "tenant", "company", "workspace", "client", "org"];
const METRIC: &[&str] = &["metric", "measure", "event", "feature", "kind", "name"];
const VALUE: &[&str] = &["value", "amount", "quantity", "total", "count", "usage"];
const MEASURED: &[&str] = &["measured", "usage_date", "event_time", "day", "date", "timestamp", "time", "ts"];
const CURSOR: &[&str] = &[
    "updated", "modified", "loaded", "ingested", "inserted", "synced", "changed", "sequence", "seq",
    "created",
];
const PERIOD: &[&str] = &["period", "interval", "month"];
const PRODUCT: &[&str] = &["product", "sku", "plan"];

/// Proposes how to read a table; none when it has no account or no time.
pub fn suggest(columns: &[ColumnInfo]) -> Option<Suggested> {
    let mut free: Vec<&ColumnInfo> = columns.iter().collect();
    let account = take(&mut free, ACCOUNT, |kind| matches!(kind, Type::Text | Type::Int | Type::Other))?;
    let cursor = pick(&free, CURSOR, |kind| CursorKind::of(kind).is_some());
    let timed = |kind| matches!(kind, Type::Zoned | Type::Naive | Type::Date);
    let others: Vec<&ColumnInfo> = free
        .iter()
        .copied()
        .filter(|column| cursor.is_none_or(|cursor| cursor.name != column.name))
        .collect();
    let measured = pick(&others, MEASURED, timed)
        .or_else(|| named(&others, MEASURED))
        .or_else(|| others.iter().copied().find(|column| timed(column.kind)))
        .or_else(|| cursor.filter(|cursor| timed(cursor.kind)))?;
    free.retain(|column| column.name != measured.name);
    let cursor = cursor.or_else(|| {
        let number = free.iter().copied().find(|column| column.key && column.kind == Type::Int);
        number.or(Some(measured))
    });
    free.retain(|column| cursor.is_none_or(|cursor| cursor.name != column.name));
    let period = take(&mut free, PERIOD, |kind| kind == Type::Text);
    let product = take(&mut free, PRODUCT, |kind| kind == Type::Text);
    let metric = pick(&free, METRIC, |kind| kind == Type::Text);
    let texts: Vec<&ColumnInfo> = free
        .iter()
        .copied()
        .filter(|column| metric.is_none_or(|metric| metric.name != column.name))
        .collect();
    let value = pick(&free, VALUE, Type::numeric).or_else(|| named(&texts, VALUE));
    let mut mapping = Mapping {
        account: account.name.clone(),
        measured_at: measured.name.clone(),
        zone: (measured.kind != Type::Zoned).then(|| "UTC".to_owned()),
        period: period.map(|column| column.name.clone()),
        product: product.map(|column| column.name.clone()),
        ..Mapping::default()
    };
    let shape = match (metric, value) {
        (Some(metric), Some(value)) => {
            mapping.metric = Some(metric.name.clone());
            mapping.value = Some(value.name.clone());
            StreamShape::Long
        }
        _ => {
            let metrics = free.iter().filter(|column| column.kind.numeric() && !column.key);
            mapping.metrics = metrics.map(|column| column.name.clone()).collect();
            StreamShape::Wide
        }
    };
    let mut row_key: Vec<String> =
        columns.iter().filter(|column| column.key).map(|column| column.name.clone()).collect();
    if row_key.is_empty() {
        let parts = [Some(&mapping.account), mapping.product.as_ref(), mapping.metric.as_ref()];
        row_key = parts.into_iter().flatten().chain([&mapping.measured_at]).cloned().collect();
    }
    let cursor = cursor.and_then(|column| Some((column.name.clone(), CursorKind::of(column.kind)?)));
    Some(Suggested { shape, mapping, cursor, row_key })
}

/// The first column whose name holds one of the words, the words tried in order, and whose type fits.
fn pick<'a>(
    columns: &[&'a ColumnInfo],
    words: &[&str],
    fits: impl Fn(Type) -> bool,
) -> Option<&'a ColumnInfo> {
    let holds = |column: &ColumnInfo, word: &str| {
        let name = column.name.to_lowercase();
        if word.len() > 3 { name.contains(word) } else { name.split('_').any(|part| part == word) }
    };
    words
        .iter()
        .find_map(|word| columns.iter().copied().find(|column| fits(column.kind) && holds(column, word)))
}

/// The first text column with one of the words in its name. Text may hold numbers and times, in SQLite above all, so the
/// word must stand by itself: `value`, not `valued_by`.
fn named<'a>(columns: &[&'a ColumnInfo], words: &[&str]) -> Option<&'a ColumnInfo> {
    let says =
        |column: &ColumnInfo, word: &str| column.name.to_lowercase().split('_').any(|part| part == word);
    words.iter().find_map(|word| {
        columns.iter().copied().find(|column| column.kind == Type::Text && says(column, word))
    })
}

fn take<'a>(
    columns: &mut Vec<&'a ColumnInfo>,
    words: &[&str],
    fits: impl Fn(Type) -> bool,
) -> Option<&'a ColumnInfo> {
    let found = pick(columns, words, fits)?;
    columns.retain(|column| column.name != found.name);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(list: &[(&str, Type, bool)]) -> Vec<ColumnInfo> {
        let column = |(name, kind, key): &(&str, Type, bool)| ColumnInfo {
            name: (*name).to_owned(),
            native: format!("{kind:?}"),
            kind: *kind,
            nullable: false,
            key: *key,
        };
        list.iter().map(column).collect()
    }

    #[test]
    fn a_long_table_is_seen() {
        let table = columns(&[
            ("id", Type::Int, true),
            ("account_id", Type::Text, false),
            ("metric", Type::Text, false),
            ("value", Type::Decimal, false),
            ("measured_at", Type::Naive, false),
            ("updated_at", Type::Zoned, false),
        ]);
        let suggested = suggest(&table).expect("a proposal");
        assert_eq!(suggested.shape, StreamShape::Long);
        assert_eq!(suggested.mapping.metric.as_deref(), Some("metric"));
        assert_eq!(suggested.mapping.measured_at, "measured_at");
        assert_eq!(suggested.mapping.zone.as_deref(), Some("UTC"));
        assert_eq!(suggested.cursor, Some(("updated_at".to_owned(), CursorKind::Zoned)));
        assert_eq!(suggested.row_key, ["id"]);
        assert!(suggested.mapping.check(false, &table).is_ok());
    }

    #[test]
    fn a_long_table_may_keep_its_numbers_and_times_as_text() {
        let table = columns(&[
            ("id", Type::Int, true),
            ("account_id", Type::Text, false),
            ("metric", Type::Text, false),
            ("value", Type::Text, false),
            ("measured_at", Type::Text, false),
            ("updated_at", Type::Naive, false),
        ]);
        let suggested = suggest(&table).expect("a proposal");
        assert_eq!(suggested.shape, StreamShape::Long);
        assert_eq!(suggested.mapping.value.as_deref(), Some("value"));
        assert_eq!(suggested.mapping.measured_at, "measured_at");
        assert_eq!(suggested.cursor, Some(("updated_at".to_owned(), CursorKind::Naive)));
        assert!(suggested.mapping.check(false, &table).is_ok());
        let numbers = columns(&[
            ("account_id", Type::Text, false),
            ("plan_name", Type::Text, false),
            ("valued_by", Type::Text, false),
            ("day", Type::Date, false),
            ("seats", Type::Int, false),
        ]);
        assert_eq!(suggest(&numbers).map(|suggested| suggested.shape), Some(StreamShape::Wide));
    }

    #[test]
    fn a_wide_table_offers_its_numbers() {
        let table = columns(&[
            ("customer", Type::Text, false),
            ("day", Type::Date, false),
            ("seats", Type::Int, false),
            ("storage_gb", Type::Float, false),
        ]);
        let suggested = suggest(&table).expect("a proposal");
        assert_eq!(suggested.shape, StreamShape::Wide);
        assert_eq!(suggested.mapping.metrics, ["seats", "storage_gb"]);
        assert_eq!(suggested.cursor, Some(("day".to_owned(), CursorKind::Date)));
        assert_eq!(suggested.row_key, ["customer", "day"]);
        assert!(suggested.mapping.check(true, &table).is_ok());
        assert_eq!(suggest(&table[1..]), None);
    }
}
