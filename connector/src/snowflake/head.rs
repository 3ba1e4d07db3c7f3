//! The JSON around the rows of an answer: everything but the content of its `data`, found while the bytes arrive.

use serde::{Deserialize, Deserializer};

use super::types::Native;
use crate::{ConnectorError, ErrorKind, Result};

/// The most bytes beside the rows: columns, partitions and messages take far less.
const MOST: usize = 32 << 20;

/// What an answer says beside its rows. All of it may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Envelope {
    /// Snowflake's code, `090001` when all is well.
    pub code: Option<Code>,
    /// What Snowflake says to people.
    pub message: Option<String>,
    /// SQLSTATE.
    pub sql_state: Option<String>,
    /// The statement's handle.
    pub statement_handle: Option<String>,
    /// What the rows are.
    #[serde(rename = "resultSetMetaData")]
    pub meta: Option<Meta>,
}

/// A code, which Snowflake writes as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Code {
    /// As documented.
    Text(String),
    /// As a number.
    Number(u32),
}

impl Code {
    /// The number.
    pub fn number(&self) -> u32 {
        match self {
            Self::Text(text) => text.trim().parse().unwrap_or(0),
            Self::Number(number) => *number,
        }
    }
}

/// What the rows of a result are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// How many rows there are in all partitions.
    pub num_rows: Option<u64>,
    /// The columns.
    #[serde(deserialize_with = "or_none")]
    pub row_type: Vec<RowType>,
    /// The partitions.
    #[serde(deserialize_with = "or_none")]
    pub partition_info: Vec<Partition>,
}

/// A list, or null in the place of one without entries.
fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> std::result::Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// One column of a result.
#[derive(Clone, Debug, Deserialize)]
pub struct RowType {
    /// Its name.
    pub name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    precision: Option<u32>,
    #[serde(default)]
    scale: Option<u32>,
}

impl RowType {
    /// Its type.
    pub fn native(&self) -> Native {
        let digits = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok());
        Native::named(&self.kind, digits(self.precision), digits(self.scale))
    }
}

/// One partition of a result.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// How many rows it has.
    pub row_count: u64,
}

/// Finds where the rows begin, and keeps what is not rows.
#[derive(Clone, Debug, Default)]
pub struct Head {
    text: Vec<u8>,
    depth: u32,
    string: bool,
    escaped: bool,
    /// Whether the next text in the outermost object is a name.
    name: bool,
    /// Where the text being read began.
    start: usize,
    /// Whether the value to come is that of `data`.
    data: bool,
    complete: bool,
}

impl Head {
    /// Takes bytes up to the bracket that opens the rows, or all of them; gives how many it took, and whether the
    /// rows come next. After the rows it must be given the bracket that closes them.
    ///
    /// # Errors
    /// `Protocol` when the bytes are no such answer.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(usize, bool)> {
        for (index, byte) in bytes.iter().copied().enumerate() {
            if self.complete || self.depth == 0 && !matches!(byte, b'{' | b'[') {
                if byte.is_ascii_whitespace() {
                    continue;
                }
                return Err(garbled("the answer is no JSON object"));
            }
            if self.text.len() >= MOST {
                return Err(garbled("the answer has too much beside its rows"));
            }
            self.text.push(byte);
            if self.string {
                self.inside(byte);
            } else if self.outside(byte)? {
                return Ok((index + 1, true));
            }
        }
        Ok((bytes.len(), false))
    }

    /// Whether the answer has come to its end.
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// What the answer says beside its rows, as far as it is here. A partition may be rows alone.
    ///
    /// # Errors
    /// `Protocol` when it is something else.
    pub fn envelope(&self) -> Result<Envelope> {
        if self.text.first() == Some(&b'[') {
            return Ok(Envelope::default());
        }
        let closed;
        let text = if self.complete {
            &self.text
        } else {
            closed = [&self.text, b"]}".as_slice()].concat();
            &closed
        };
        // What serde says names places and shapes, never a value of a row: those are not here.
        serde_json::from_slice(text).map_err(|error| garbled(&error.to_string()))
    }

    fn inside(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.string = false;
            if self.depth == 1 && self.name {
                self.data = self.text[self.start..self.text.len() - 1] == *b"data";
            }
        }
    }

    fn outside(&mut self, byte: u8) -> Result<bool> {
        let rows = byte == b'[' && (self.depth == 0 || self.depth == 1 && !self.name && self.data);
        match byte {
            b'"' => {
                self.string = true;
                self.start = self.text.len();
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.name |= self.depth == 1 && byte == b'{';
                self.data = false;
            }
            b'}' | b']' => {
                self.depth -= 1;
                self.complete = self.depth == 0;
            }
            b':' if self.depth == 1 => self.name = false,
            b',' if self.depth == 1 => (self.name, self.data) = (true, false),
            _ => {}
        }
        Ok(rows)
    }
}

/// The error for bytes that are no answer of the SQL API.
pub fn garbled(why: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Protocol, "the answer is not what Snowflake's SQL API sends")
        .detail(why)
        .hint("check the account identifier, and what stands between Weir and Snowflake")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds an answer without rows in pieces, and gives what is beside them.
    fn beside(text: &str, piece: usize) -> Result<(Envelope, bool)> {
        let (mut head, mut at, mut found) = (Head::default(), 0, false);
        while at < text.len() {
            let (used, rows) = head.feed(&text.as_bytes()[at..text.len().min(at + piece)])?;
            at += used;
            found |= rows;
        }
        assert!(head.complete(), "{text}");
        Ok((head.envelope()?, found))
    }

    #[test]
    fn a_list_may_be_null_where_it_has_no_entries() {
        let text = r#"{"resultSetMetaData":{"numRows":0,"rowType":null,"partitionInfo":null},"data":[]}"#;
        let (envelope, _) = beside(text, 7).expect("an answer");
        let meta = envelope.meta.expect("what the rows are");
        assert!(meta.partition_info.is_empty() && meta.row_type.is_empty() && meta.num_rows == Some(0));
    }

    #[test]
    fn the_rows_are_found_wherever_they_stand() {
        let meta = r#""resultSetMetaData":{"numRows":1,"rowType":[{"name":"\"data\":[","type":"fixed","precision":38,"scale":0}],"partitionInfo":[{"rowCount":1}]}"#;
        for text in [
            format!(r#"{{"statementHandle":"h",{meta},"data":[]}}"#),
            format!(r#" {{ "data" : [],"statementHandle":"h", {meta} }} "#),
            format!(r#"{{"x":{{"data":[1]}},"statementHandle":"h","y":"data",{meta},"data":[]}}"#),
        ] {
            for piece in [1, 7, 10_000] {
                let (envelope, found) = beside(&text, piece).expect("an answer");
                assert!(found, "{text}");
                assert_eq!(envelope.statement_handle.as_deref(), Some("h"));
                let meta = envelope.meta.expect("it is there");
                assert_eq!((meta.num_rows, meta.partition_info[0].row_count), (Some(1), 1));
                assert_eq!(
                    (meta.row_type[0].name.as_str(), meta.row_type[0].native()),
                    ("\"data\":[", Native::Fixed(38, 0))
                );
            }
        }
        let (envelope, found) =
            beside(r#"{"code":"000604","message":"no [rows]","data":null}"#, 3).expect("an answer");
        assert!(!found && envelope.code.is_some_and(|code| code.number() == 604));
        assert!(beside("[]", 1).expect("rows alone").1);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in ["<html>", "7", "{} {", r#"{"resultSetMetaData":7}"#] {
            assert_eq!(beside(text, 100).expect_err(text).kind(), ErrorKind::Protocol, "{text}");
        }
    }
}
