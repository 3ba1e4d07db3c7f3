//! ClickHouse's decoder: what was written is what is read, what is missing is told, and nothing makes it panic.

use connector::clickhouse::{Limits, decode};
use connector::{Batch, ErrorKind, Result};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::bytes::{changed, changes};
use crate::row_binary::{Encoded, length, result, text};

const LIMITS: Limits = Limits { rows: 7, bytes: 4_000, cell: 1 << 20 };

fn read(body: &[u8], piece: usize) -> Result<Vec<Batch>> {
    decode(body, piece, LIMITS, None)
}

/// The cells as text, row by row.
fn cells(batches: &[Batch]) -> Vec<Vec<String>> {
    let row =
        |batch: &Batch, row| batch.columns.iter().map(|column| format!("{:?}", column.cell(row))).collect();
    batches.iter().flat_map(|batch| (0..batch.rows()).map(move |at| row(batch, at))).collect()
}

/// How many rows end at that byte, if a row or the header does.
fn rows_at(encoded: &Encoded, at: usize) -> Option<usize> {
    let mut end = encoded.header.len();
    if at == end {
        return Some(0);
    }
    encoded
        .rows
        .iter()
        .position(|row| {
            end += row.len();
            at == end
        })
        .map(|row| row + 1)
}

proptest! {
    #[test]
    fn what_was_written_is_read(encoded in result(), piece in 1..3_000_usize) {
        let batches = read(&encoded.body(), piece).expect("a whole result");
        prop_assert!(batches.iter().all(|batch| (1..=LIMITS.rows).contains(&batch.rows())));
        prop_assert_eq!(cells(&batches), encoded.cells);
    }

    /// The format has no end mark, so a body that HTTP calls whole and that ends between two rows is whole; HTTP's own
    /// framing, and the end mark of gzip, see to that. Anywhere else a cut is told.
    #[test]
    fn pitfall_16_a_result_cut_within_a_row_is_never_taken_as_whole(
        encoded in result(), cut in any::<Index>(), piece in 1..3_000_usize,
    ) {
        let body = encoded.body();
        let at = cut.index(body.len());
        match (read(&body[..at], piece), rows_at(&encoded, at)) {
            (Ok(batches), Some(rows)) => prop_assert_eq!(cells(&batches), &encoded.cells[..rows]),
            (Err(error), None) => prop_assert_eq!(error.kind(), ErrorKind::Unavailable),
            (read, boundary) => prop_assert!(false, "cut at {} ({:?}): {:?}", at, boundary, read.map(|it| cells(&it))),
        }
    }

    #[test]
    fn pitfall_16_an_error_after_any_row_is_told(
        encoded in result(), after in any::<Index>(), framed: bool, piece in 1..3_000_usize,
    ) {
        let rows = after.index(encoded.rows.len() + 1);
        let message = "Code: 395. DB::Exception: row is bad. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.7)";
        let mut body = [encoded.header, encoded.rows[..rows].concat()].concat();
        if framed {
            let size = message.len() + 1;
            body.extend(format!("\r\n__exception__\r\nabcdefgh\r\n{message}\n{size} abcdefgh\r\n__exception__\r\n").bytes());
        } else {
            body.extend(message.bytes());
        }
        let error = decode(&body, piece, LIMITS, framed.then_some("abcdefgh")).expect_err("an error in the body");
        prop_assert_eq!(error.kind(), ErrorKind::Schema, "{:?}", error);
    }

    #[test]
    fn almost_right_bytes_end_in_rows_or_an_error(encoded in result(), changes in changes(), piece in 1..3_000_usize) {
        let body = changed(encoded.body(), &changes);
        if let Ok(batches) = read(&body, piece) {
            for batch in &batches {
                prop_assert!(batch.columns.iter().all(|column| column.len() == batch.rows()));
            }
            let again = read(&body, body.len() + 1).expect("the pieces change nothing");
            prop_assert_eq!(cells(&batches), cells(&again));
        }
    }

    #[test]
    fn any_bytes_end_in_rows_or_an_error(body in proptest::collection::vec(any::<u8>(), 0..400), piece in 1..100_usize) {
        read(&body, piece).ok();
    }

    #[test]
    fn any_type_ends_in_rows_or_an_error(
        native in "(Nullable\\(|Array\\(|Decimal\\(|DateTime64\\(|FixedString\\(|Enum8\\('|[A-Za-z0-9 ,'()=-]){1,12}",
        rest in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut body = crate::row_binary::length(1);
        body.extend(crate::row_binary::text("c"));
        body.extend(crate::row_binary::text(&native));
        body.extend(rest);
        read(&body, 50).ok();
    }

    #[test]
    fn cells_that_are_too_long_are_cut_and_the_rows_after_them_are_whole(
        texts in proptest::collection::vec("[a-zé]{0,60}", 1..20), most in 1..30_usize, piece in 1..500_usize,
    ) {
        let mut body = crate::row_binary::length(1);
        body.extend(crate::row_binary::text("c"));
        body.extend(crate::row_binary::text("String"));
        texts.iter().for_each(|text| body.extend(crate::row_binary::text(text)));
        let batches = decode(&body, piece, Limits { cell: most, ..LIMITS }, None).expect("a whole result");
        let cells = cells(&batches).concat();
        prop_assert_eq!(cells.len(), texts.len());
        for (cell, text) in cells.iter().zip(&texts) {
            if text.len() <= most {
                prop_assert_eq!(cell, &format!("Text({text:?})"));
            } else {
                prop_assert!(cell.starts_with("Unreadable("), "{} of {}", cell, text);
            }
        }
    }
}

#[test]
fn columns_without_a_byte_do_not_go_on_for_ever() {
    let column = |native: &str| {
        [
            crate::row_binary::length(1),
            crate::row_binary::text("c"),
            crate::row_binary::text(native),
            vec![0; 9],
        ]
        .concat()
    };
    for body in [column("FixedString(0)"), column("Nothing"), [vec![0], vec![7; 9]].concat()] {
        assert!(read(&body, 4).is_err());
    }
}

/// Hosts are named by customers: what one may send must not be kept without end.
#[test]
fn a_header_or_a_cell_without_end_is_refused_before_it_fills_the_memory() {
    let zeros = vec![0; 40 << 20];
    // Thousands of names, each of a megabyte.
    let mut header = length(10_000);
    for _ in 0..30 {
        header.extend(length(1 << 20));
        header.extend(&zeros[..1 << 20]);
    }
    let error = read(&header, 1 << 16).expect_err("no header");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    let cell = [length(1), text("c"), text("FixedString(900000000000)"), zeros].concat();
    let error = read(&cell, 1 << 16).expect_err("no type");
    assert_eq!(error.kind(), ErrorKind::Schema, "{error:?}");
}
