//! The decoders of the kinds that send JSON: what was written is what is read, anything less is told, and nothing makes
//! them panic.

use connector::databricks::Limits;
use connector::snowflake::decode::Limits as SnowflakeLimits;
use connector::{Batch, Result, bigquery, databricks, snowflake};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::bytes::{changed, changes};

/// The most rows of a batch.
const ROWS: usize = 7;
/// The most bytes of a cell.
const CELL: usize = 1 << 16;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Text,
    Int,
    Decimal,
    Bool,
    Date,
}

const ALL: [Holds; 5] = [Holds::Text, Holds::Int, Holds::Decimal, Holds::Bool, Holds::Date];

/// A cell as it is sent, and as it must be read.
type Sent = Option<(String, String)>;

/// A result of some columns and rows.
#[derive(Clone, Debug)]
struct Made {
    columns: Vec<Holds>,
    rows: Vec<Vec<Sent>>,
}

/// One kind: how it writes a result, and its decoder.
struct Kind {
    name: &'static str,
    write: fn(&Made) -> Value,
    read: fn(&Made, &[u8], usize) -> Result<Vec<Batch>>,
    /// Days are sent as numbers rather than as text.
    days: bool,
}

const KINDS: [Kind; 3] = [
    Kind { name: "snowflake", write: write_snowflake, read: read_snowflake, days: true },
    Kind { name: "bigquery", write: write_bigquery, read: read_bigquery, days: false },
    Kind { name: "databricks", write: write_databricks, read: read_databricks, days: false },
];

fn cells(made: &Made) -> impl Iterator<Item = Vec<Value>> {
    made.rows.iter().map(|row| row.iter().map(|cell| json!(cell.as_ref().map(|(sent, _)| sent))).collect())
}

fn names(made: &Made, native: fn(Holds) -> &'static str) -> Vec<(String, &'static str)> {
    made.columns.iter().enumerate().map(|(at, holds)| (format!("c{at}"), native(*holds))).collect()
}

fn write_snowflake(made: &Made) -> Value {
    let columns: Vec<Value> = names(made, |holds| match holds {
        Holds::Text => "text",
        Holds::Int | Holds::Decimal => "fixed",
        Holds::Bool => "boolean",
        Holds::Date => "date",
    })
    .into_iter()
    .zip(&made.columns)
    .map(|((name, kind), holds)| {
        let (precision, scale) = match holds {
            Holds::Int => (json!(38), json!(0)),
            Holds::Decimal => (json!(38), json!(9)),
            _ => (Value::Null, Value::Null),
        };
        json!({"name": name, "type": kind, "precision": precision, "scale": scale, "nullable": true})
    })
    .collect();
    let meta = json!({"numRows": made.rows.len(), "format": "jsonv2", "rowType": columns,
        "partitionInfo": [{"rowCount": made.rows.len(), "uncompressedSize": 1}]});
    json!({"resultSetMetaData": meta, "data": cells(made).collect::<Vec<_>>(), "code": "090001", "statementHandle": "h"})
}

fn read_snowflake(_: &Made, body: &[u8], piece: usize) -> Result<Vec<Batch>> {
    let limits = SnowflakeLimits { rows: ROWS, bytes: usize::MAX, cell: CELL };
    snowflake::decode::in_pieces(body, piece, None, limits)
}

fn write_bigquery(made: &Made) -> Value {
    let row =
        |row: Vec<Value>| json!({"f": row.into_iter().map(|cell| json!({"v": cell})).collect::<Vec<_>>()});
    json!({"jobComplete": true, "rows": cells(made).map(row).collect::<Vec<_>>(), "totalRows": made.rows.len().to_string()})
}

fn read_bigquery(made: &Made, body: &[u8], _: usize) -> Result<Vec<Batch>> {
    let columns = names(made, |holds| match holds {
        Holds::Text => "STRING",
        Holds::Int => "INTEGER",
        Holds::Decimal => "NUMERIC",
        Holds::Bool => "BOOLEAN",
        Holds::Date => "DATE",
    });
    let columns: Vec<(&str, &str)> = columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    bigquery::decode(body, &columns, ROWS, CELL)
}

fn write_databricks(made: &Made) -> Value {
    json!(cells(made).collect::<Vec<_>>())
}

fn read_databricks(made: &Made, body: &[u8], piece: usize) -> Result<Vec<Batch>> {
    let columns = names(made, |holds| match holds {
        Holds::Text => "STRING",
        Holds::Int => "BIGINT",
        Holds::Decimal => "DECIMAL(38,9)",
        Holds::Bool => "BOOLEAN",
        Holds::Date => "DATE",
    });
    let columns: Vec<(&str, &str)> = columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    databricks::decode(body, &columns, piece, Limits { rows: ROWS, bytes: usize::MAX, cell: CELL })
}

fn sent(holds: Holds) -> BoxedStrategy<Sent> {
    let value = match holds {
        Holds::Text => prop_oneof![".{0,40}", "[\\\\\"/\n\u{1}\u{7f}é日😀]{0,20}"]
            .prop_map(|text: String| (text.clone(), format!("Text({text:?})")))
            .boxed(),
        Holds::Int => any::<i64>().prop_map(|number| (number.to_string(), format!("Int({number})"))).boxed(),
        Holds::Decimal => (any::<i32>(), 1..1_000_000_000_u32)
            .prop_map(|(whole, fraction)| {
                let fraction = format!("{fraction:09}");
                let sent = format!("{whole}.{fraction}");
                let read = format!("{whole}.{}", fraction.trim_end_matches('0'));
                (sent, format!("Decimal({read:?})"))
            })
            .boxed(),
        Holds::Bool => any::<bool>().prop_map(|truth| (truth.to_string(), format!("Bool({truth})"))).boxed(),
        Holds::Date => (0..90_000_i32).prop_map(|days| (days.to_string(), format!("Date({days})"))).boxed(),
    };
    prop_oneof![5 => value.prop_map(Some), 1 => Just(None)].boxed()
}

fn made() -> impl Strategy<Value = Made> {
    vec(proptest::sample::select(ALL.to_vec()), 1..6).prop_flat_map(|columns| {
        let row: Vec<_> = columns.iter().map(|holds| sent(*holds)).collect();
        vec(row, 0..40).prop_map(move |rows| Made { columns: columns.clone(), rows })
    })
}

/// The result as that kind sends it: days are kept as numbers until then.
fn dated(kind: &Kind, made: &Made) -> Made {
    let mut made = made.clone();
    if !kind.days {
        for row in &mut made.rows {
            for (cell, holds) in row.iter_mut().zip(&made.columns) {
                if let (Some((sent, _)), Holds::Date) = (cell, holds) {
                    let days = sent.parse().expect("days");
                    *sent = connector::Cell::Date(days).to_string();
                }
            }
        }
    }
    made
}

/// JSON with every letter beyond ASCII escaped.
fn escaped(json: &str) -> String {
    let mut out = String::new();
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

fn read(batches: &[Batch]) -> Vec<Vec<String>> {
    let row =
        |batch: &Batch, row| batch.columns.iter().map(|column| format!("{:?}", column.cell(row))).collect();
    batches.iter().flat_map(|batch| (0..batch.rows()).map(move |at| row(batch, at))).collect()
}

fn wanted(made: &Made) -> Vec<Vec<String>> {
    let cell = |cell: &Sent| cell.as_ref().map_or("Null".to_owned(), |(_, read)| read.clone());
    made.rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

proptest! {
    #[test]
    fn what_was_written_is_read(made in made(), piece in 1..2_000_usize, escape: bool) {
        for kind in &KINDS {
            let made = dated(kind, &made);
            let json = (kind.write)(&made).to_string();
            let json = if escape { escaped(&json) } else { json };
            let batches = match (kind.read)(&made, json.as_bytes(), piece) {
                Ok(batches) => batches,
                Err(error) => return Err(TestCaseError::fail(format!("{}: {error:?}: {json}", kind.name))),
            };
            prop_assert!(batches.iter().all(|batch| (1..=ROWS).contains(&batch.rows())), "{}", kind.name);
            prop_assert_eq!(read(&batches), wanted(&made), "{}", kind.name);
        }
    }

    #[test]
    fn pitfall_17_an_answer_cut_anywhere_is_never_taken_as_whole(
        made in made(), cut in any::<Index>(), piece in 1..2_000_usize,
    ) {
        for kind in &KINDS {
            let made = dated(kind, &made);
            let json = (kind.write)(&made).to_string();
            let cut = &json.as_bytes()[..cut.index(json.len())];
            let taken = (kind.read)(&made, cut, piece);
            prop_assert!(taken.is_err(), "{}: {} rows of {}", kind.name, taken.map_or(0, |it| read(&it).len()), json);
        }
    }

    #[test]
    fn almost_right_answers_end_in_rows_or_an_error(made in made(), changes in changes(), piece in 1..2_000_usize) {
        for kind in &KINDS {
            let made = dated(kind, &made);
            let body = changed((kind.write)(&made).to_string().into_bytes(), &changes);
            if let Ok(batches) = (kind.read)(&made, &body, piece) {
                for batch in &batches {
                    prop_assert!(batch.columns.iter().all(|column| column.len() == batch.rows()), "{}", kind.name);
                }
                let again = (kind.read)(&made, &body, body.len() + 1).map(|batches| read(&batches));
                prop_assert_eq!(again.ok(), Some(read(&batches)), "{}: the pieces change nothing", kind.name);
            }
        }
    }

    #[test]
    fn any_bytes_end_in_rows_or_an_error(
        made in made(), body in vec(any::<u8>(), 0..300), near in "[\\[\\]{},:\"a-z0-9\\\\ ]{0,300}", piece in 1..100_usize,
    ) {
        for kind in &KINDS {
            (kind.read)(&made, &body, piece).ok();
            (kind.read)(&made, near.as_bytes(), piece).ok();
        }
    }
}

#[test]
fn deep_nesting_overflows_no_stack() {
    let made = Made { columns: vec![Holds::Text], rows: Vec::new() };
    for opening in ["[", "{\"a\":", "{\"rows\":[", "{\"data\":["] {
        for kind in &KINDS {
            assert!((kind.read)(&made, opening.repeat(200_000).as_bytes(), 10_000).is_err(), "{}", kind.name);
        }
    }
}
