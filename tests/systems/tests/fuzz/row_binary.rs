//! Rows as ClickHouse writes them in RowBinaryWithNamesAndTypes: the other half of the decoder, for tests alone.

use proptest::collection::vec;
use proptest::prelude::*;

/// A column of a type and a value for each row: the value's bytes, and the cell they must become.
#[derive(Clone, Debug)]
pub struct Made {
    /// The name of the type.
    pub native: String,
    /// Bytes and cell of each row; the cell is written as `Debug` writes it.
    pub values: Vec<(Vec<u8>, String)>,
}

/// A table of some columns with as many values each.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Names and types.
    pub header: Vec<u8>,
    /// The bytes of each row.
    pub rows: Vec<Vec<u8>>,
    /// The cells of each row.
    pub cells: Vec<Vec<String>>,
}

impl Encoded {
    /// The whole body.
    pub fn body(&self) -> Vec<u8> {
        [self.header.clone(), self.rows.concat()].concat()
    }
}

/// A length as LEB128.
pub fn length(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A text with its length.
pub fn text(text: &str) -> Vec<u8> {
    [length(text.len()), text.as_bytes().to_vec()].concat()
}

fn of<V: std::fmt::Debug + Clone + 'static>(
    native: &str,
    rows: usize,
    value: impl Strategy<Value = V> + 'static,
    encode: impl Fn(V) -> (Vec<u8>, String) + 'static,
) -> BoxedStrategy<Made> {
    let native = native.to_owned();
    vec(value, rows)
        .prop_map(move |values| Made {
            native: native.clone(),
            values: values.into_iter().map(&encode).collect(),
        })
        .boxed()
}

/// Digits of a decimal without needless zeros.
fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0>1$}", unscaled.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if unscaled < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn plain(rows: usize) -> BoxedStrategy<Made> {
    let cell = |text: String| format!("Text({text:?})");
    prop_oneof![
        of("Int8", rows, any::<i8>(), |v| (v.to_le_bytes().to_vec(), format!("Int({v})"))),
        of("Int64", rows, any::<i64>(), |v| (v.to_le_bytes().to_vec(), format!("Int({v})"))),
        of("Int128", rows, any::<i128>(), |v| (v.to_le_bytes().to_vec(), format!("Int({v})"))),
        of("UInt16", rows, any::<u16>(), |v| (v.to_le_bytes().to_vec(), format!("Int({v})"))),
        of("UInt64", rows, any::<u64>(), |v| (v.to_le_bytes().to_vec(), format!("Int({v})"))),
        of("UInt128", rows, any::<u128>(), |v| (v.to_le_bytes().to_vec(), format!("Decimal(\"{v}\")"))),
        of("Float64", rows, any::<f64>(), |v| (v.to_le_bytes().to_vec(), format!("Float({v:?})"))),
        of("Bool", rows, any::<bool>(), |v| (vec![u8::from(v)], format!("Bool({v})"))),
        of("Decimal(18, 4)", rows, any::<i64>(), |v| {
            (v.to_le_bytes().to_vec(), format!("Decimal({:?})", decimal(i128::from(v), 4)))
        }),
        of("Decimal(38, 37)", rows, any::<i128>(), |v| {
            (v.to_le_bytes().to_vec(), format!("Decimal({:?})", decimal(v, 37)))
        }),
        of("Date", rows, any::<u16>(), |v| (v.to_le_bytes().to_vec(), format!("Date({v})"))),
        of("Date32", rows, -25_567..120_530_i32, |v| (v.to_le_bytes().to_vec(), format!("Date({v})"))),
        of("DateTime('Asia/Kolkata')", rows, any::<u32>(), |v| {
            (v.to_le_bytes().to_vec(), format!("Zoned(Moment {{ seconds: {v}, nanos: 0 }})"))
        }),
        of("DateTime64(9, 'UTC')", rows, any::<i64>(), |v| {
            let (seconds, nanos) = (v.div_euclid(1_000_000_000), v.rem_euclid(1_000_000_000));
            (v.to_le_bytes().to_vec(), format!("Zoned(Moment {{ seconds: {seconds}, nanos: {nanos} }})"))
        }),
        of("String", rows, ".{0,40}", move |v| (text(&v), cell(v))),
        of("LowCardinality(String)", rows, "[a-z\\n\\\\\"']{0,200}", move |v| (text(&v), cell(v))),
        of("FixedString(3)", rows, "[a-z]{3}", move |v| (v.clone().into_bytes(), cell(v))),
        of("Enum8('it\\'s' = -2, 'b' = 7)", rows, any::<bool>(), move |v| {
            if v { (vec![0xfe], cell("it's".to_owned())) } else { (vec![7], cell("b".to_owned())) }
        }),
        of("IPv4", rows, any::<std::net::Ipv4Addr>(), move |v| {
            (v.to_bits().to_le_bytes().to_vec(), cell(v.to_string()))
        }),
    ]
    .boxed()
}

/// A column, of which some values may be null.
fn column(rows: usize) -> BoxedStrategy<Made> {
    let nullable = (plain(rows), vec(proptest::bool::weighted(0.2), rows)).prop_map(|(made, nulls)| {
        let native = match made.native.strip_prefix("LowCardinality(").and_then(|rest| rest.strip_suffix(')'))
        {
            Some(inner) => format!("LowCardinality(Nullable({inner}))"),
            None => format!("Nullable({})", made.native),
        };
        let values = made.values.into_iter().zip(nulls).map(|((bytes, cell), null)| {
            if null { (vec![1], "Null".to_owned()) } else { ([vec![0], bytes].concat(), cell) }
        });
        Made { native, values: values.collect() }
    });
    prop_oneof![2 => plain(rows), 1 => nullable].boxed()
}

/// A result of some columns and rows.
pub fn result() -> impl Strategy<Value = Encoded> {
    let columns = |rows: usize| vec((".{0,12}", column(rows)), 1..6);
    (0..60_usize).prop_flat_map(columns).prop_map(|columns| {
        let rows = columns[0].1.values.len();
        let mut header = length(columns.len());
        columns.iter().for_each(|(name, _)| header.extend(text(name)));
        columns.iter().for_each(|(_, made)| header.extend(text(&made.native)));
        let row = |row: usize| -> Vec<u8> {
            columns.iter().flat_map(|(_, made)| made.values[row].0.clone()).collect()
        };
        let cells = |row: usize| columns.iter().map(|(_, made)| made.values[row].1.clone()).collect();
        Encoded { header, rows: (0..rows).map(row).collect(), cells: (0..rows).map(cells).collect() }
    })
}
