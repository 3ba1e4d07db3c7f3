//! A finished result: its partitions, and the bodies that carry them.

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};

use crate::snowflake::sql::answer::Answer;

/// Rows in the first partition and in the others, when nothing is set.
const FIRST: usize = 1_000;
const OTHERS: usize = 10_000;

/// A result with its rows dealt out to partitions.
#[derive(Debug)]
pub struct Done {
    answer: Answer,
    partitions: Vec<Range<usize>>,
    sizes: Vec<(usize, Option<usize>)>,
    nullable: bool,
    upper_case: bool,
    /// What is added to the number of rows that is told.
    pub lie: i64,
    /// The partition that lacks its last row.
    pub short: Option<usize>,
}

impl Done {
    /// Deals out the rows of an answer; `rows` to a partition, or as usual when 0.
    pub fn new(answer: Answer, rows: usize, nullable: bool, upper_case: bool) -> Self {
        let mut partitions = Vec::new();
        let mut from = 0;
        while from < answer.len() || partitions.is_empty() {
            let usual = if partitions.is_empty() { FIRST } else { OTHERS };
            let to = (from + if rows == 0 { usual } else { rows }).min(answer.len());
            partitions.push(from..to);
            from = to;
        }
        let sizes = sizes(&answer, &partitions, nullable);
        Self { answer, partitions, sizes, nullable, upper_case, lie: 0, short: None }
    }

    /// The rows of a partition as JSON.
    fn data(&self, number: usize) -> Option<Vec<u8>> {
        let mut rows = self.partitions.get(number)?.clone();
        if self.short == Some(number) {
            rows.end = rows.end.saturating_sub(1).max(rows.start);
        }
        Some(self.answer.encode(rows, self.nullable))
    }

    /// The body of a partition other than the first: `{"data": [...]}`, compressed.
    pub fn partition(&self, number: usize) -> Option<Bytes> {
        Some(compressed(&enclosed(&self.data(number)?)).into())
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// The body with what is known of the result, and its first partition.
    pub fn first(&self, handle: &str, status_url: &str, created_on: i64) -> Bytes {
        let table = [0, 1, 2].map(|at| self.answer.table[at].as_str());
        let row_type: Vec<Json> =
            self.answer.columns.iter().map(|column| column.row_type(table, self.upper_case)).collect();
        let info = |(rows, (plain, packed)): (&Range<usize>, &(usize, Option<usize>))| {
            let mut info = json!({"rowCount": rows.len(), "uncompressedSize": plain});
            if let Some(packed) = packed {
                info["compressedSize"] = (*packed).into();
            }
            info
        };
        let partition_info: Vec<Json> = self.partitions.iter().zip(&self.sizes).map(info).collect();
        let mut body = json!({
            "resultSetMetaData": {
                "numRows": self.answer.len() as i64 + self.lie,
                "format": "jsonv2",
                "partitionInfo": partition_info,
                "rowType": row_type,
            },
            "code": "090001",
            "sqlState": "00000",
            "statementHandle": handle,
            "statementStatusUrl": status_url,
            "message": "Statement executed successfully.",
            "createdOn": created_on,
        });
        if let Some([inserted, updated, deleted]) = self.answer.stats {
            body["stats"] = json!({
                "numRowsInserted": inserted, "numRowsUpdated": updated, "numRowsDeleted": deleted,
                "numDuplicateRowsUpdated": 0,
            });
        }
        let mut text = body.to_string().into_bytes();
        // The rows are text already: they go in before the closing brace.
        text.pop();
        text.extend_from_slice(b",\"data\":");
        text.extend(self.data(0).unwrap_or_else(|| b"[]".to_vec()));
        text.push(b'}');
        text.into()
    }
}

fn enclosed(data: &[u8]) -> Vec<u8> {
    [b"{\"data\":", data, b"}"].concat()
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a vector cannot fail.
    let _written = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}

/// Sizes of the partitions, plain and compressed. The first is not sent compressed; of large results the compressed size
/// is left out, as it may be; rows that are made on demand are not made for their size, which is then estimated.
fn sizes(answer: &Answer, partitions: &[Range<usize>], nullable: bool) -> Vec<(usize, Option<usize>)> {
    const SMALL: usize = 20_000;
    let size = |(number, rows): (usize, &Range<usize>)| {
        if answer.is_made() {
            let one = answer.encode(rows.start..rows.end.min(rows.start + 1), nullable).len();
            return (one * rows.len(), None);
        }
        let plain = enclosed(&answer.encode(rows.clone(), nullable));
        let packed = (number > 0 && answer.len() <= SMALL).then(|| compressed(&plain).len());
        (plain.len(), packed)
    };
    partitions.iter().enumerate().map(size).collect()
}
