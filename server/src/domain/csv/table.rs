//! Reads CSV text into rows of named cells, whatever spreadsheet wrote it.

use std::collections::HashMap;

use crate::domain::refusal;
use crate::error::{Error, Result};

/// The most rows in an import.
const ROWS_MOST: usize = 20_000;

/// A row of named cells.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Its line in the text, from 1.
    pub line: u64,
    cells: HashMap<&'a str, String>,
}

impl Row<'_> {
    /// The trimmed cell of a column; none when the column is missing.
    pub fn cell(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// The trimmed cell of a column; none when it is missing or empty.
    pub fn filled(&self, column: &str) -> Option<&str> {
        self.cell(column).filter(|text| !text.is_empty())
    }
}

/// CSV text taken apart.
#[derive(Debug)]
pub struct Table<'a> {
    /// The good rows.
    pub rows: Vec<Row<'a>>,
    /// Rows that do not fit the header: line and what is wrong.
    pub misfits: Vec<(u64, String)>,
}

/// Takes text apart. Any order of columns is good; a byte order mark, semicolons or tabs are understood.
///
/// # Errors
/// When the header has an unknown column or lacks a needed one, quotes do not close, or there are too many rows.
pub fn read<'a>(text: &str, needed: &[&'a str], others: &[&'a str]) -> Result<Table<'a>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refuse = |reason: String| Error::invalid("text", reason);
    if let Some(line) = unclosed(text, delimiter(text)) {
        return Err(refuse(format!("the quote that opens in line {line} is not closed")));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(header) => header.map_err(|error| refuse(format!("the header cannot be read: {error}")))?,
        None => return Err(refusal::required("text")),
    };
    let known: Vec<&'a str> = needed.iter().chain(others).copied().collect();
    let mut columns: Vec<&'a str> = Vec::new();
    for name in &header {
        let name = name.trim().to_lowercase();
        let Some(column) = known.iter().find(|column| **column == name) else {
            return Err(refuse(format!("there is no column {name:?}; the columns are {}", known.join(", "))));
        };
        if columns.contains(column) {
            return Err(refuse(format!("the column {column:?} is there twice")));
        }
        columns.push(column);
    }
    if let Some(missing) = needed.iter().find(|column| !columns.contains(column)) {
        return Err(refuse(format!("the column {missing:?} is missing")));
    }
    let mut table = Table { rows: Vec::new(), misfits: Vec::new() };
    let mut lines = Lines { text: text.as_bytes(), read: 0, line: 1 };
    for record in records {
        let record = record.map_err(|error| refuse(format!("the text cannot be read: {error}")))?;
        let line = lines.of(&record);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != columns.len() {
            let reason = format!("the row has {} cells, the header has {}", record.len(), columns.len());
            table.misfits.push((line, reason));
        } else {
            let cells = columns.iter().copied().zip(record.iter().map(|cell| cell.trim().to_owned()));
            table.rows.push(Row { line, cells: cells.collect() });
        }
        if table.rows.len() + table.misfits.len() > ROWS_MOST {
            return Err(refusal::limit(
                "text",
                format!("at most {ROWS_MOST} rows at once; send them in parts"),
            ));
        }
    }
    Ok(table)
}

/// Counts lines as an editor shows them. The reader's own count is one short after `\r\n` and before empty lines,
/// which it has not passed yet when it says where a record begins.
struct Lines<'a> {
    text: &'a [u8],
    read: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line a record begins on; records come in the text's order.
    fn of(&mut self, record: &csv::StringRecord) -> u64 {
        let begin = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(self.read);
        while let Some(byte) = self.text.get(self.read) {
            if self.read >= begin && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.read += 1;
            let ends = *byte == b'\n' || (*byte == b'\r' && self.text.get(self.read) != Some(&b'\n'));
            self.line += u64::from(ends);
        }
        self.line
    }
}

/// The line in which a quoted cell begins that the text ends within. The reader would take all the rest as that cell.
fn unclosed(text: &str, delimiter: u8) -> Option<usize> {
    let (mut line, mut begins, mut quoted) = (1, true, None);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let ends = byte == b'\n' || (byte == b'\r' && bytes.peek() != Some(&b'\n'));
        match (byte, quoted) {
            // Two stand for one.
            (b'"', Some(_)) if bytes.peek() == Some(&b'"') => _ = bytes.next(),
            (b'"', Some(_)) => quoted = None,
            (b'"', None) if begins => quoted = Some(line),
            _ => {}
        }
        begins = quoted.is_none() && (byte == delimiter || matches!(byte, b'\n' | b'\r'));
        line += usize::from(ends);
    }
    quoted
}

/// The delimiter the header uses most.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_write_is_understood() {
        let text = "\u{feff}Name;Domain\r\n\"Acme; Inc.\";acme.com\r\n;\r\nGlobex;\r\n";
        let table = read(text, &["name"], &["domain", "id"]).expect("a table");
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.rows[0].filled("name"), Some("Acme; Inc."));
        assert_eq!(table.rows[1].line, 4);
        assert_eq!((table.rows[1].cell("domain"), table.rows[1].filled("domain")), (Some(""), None));
        assert_eq!(table.rows[0].cell("id"), None);
    }

    #[test]
    fn lines_are_those_an_editor_shows() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "name,id\n\na,\"1\n2\"\nb\n\n\nc,3\nd,4".replace('\n', end);
            let table = read(&text, &["name"], &["id"]).expect("a table");
            let lines = table.rows.iter().map(|row| row.line).collect::<Vec<_>>();
            assert_eq!((lines, table.misfits[0].0), (vec![3, 8, 9], 5), "{end:?}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_its_line() {
        for (text, line) in [
            ("name,id\na,1\n\"b,2\nc,3\n", Some("line 3")),
            ("name,id\r\na,\"x\"\"\r\nb,2", Some("line 2")),
            ("\"name,id\na,1", Some("line 1")),
            ("name,id\na,\"", Some("line 2")),
            ("name,id\na 5\" pipe,1\nb,\"\"\n", None),
            ("name;id\n\"a\nb\";\"\"\"\"\n", None),
        ] {
            let told = read(text, &["name"], &["id"]).err().map(|error| error.to_string());
            match line {
                Some(line) => {
                    assert!(told.as_ref().is_some_and(|told| told.contains(line)), "{text:?}: {told:?}")
                }
                None => assert_eq!(told, None, "{text:?}"),
            }
        }
    }

    #[test]
    fn wrong_columns_and_misfits_are_told() {
        assert!(read("nome\nx", &["name"], &[]).is_err());
        assert!(read("id\nx", &["name"], &["id"]).is_err());
        assert!(read("name,name\nx,y", &["name"], &[]).is_err());
        assert!(read("", &["name"], &[]).is_err());
        let table = read("name,id\na,1\nb\nc,2,3\n", &["name"], &["id"]).expect("a table");
        assert_eq!((table.rows.len(), table.misfits.len()), (1, 2));
        assert_eq!(table.misfits[0].0, 3);
    }
}
