//! Rows however their bytes arrive.

use super::*;
use crate::databricks::types::Native;

fn columns() -> Vec<Expected> {
    [("id", "bigint"), ("label", "string")]
        .map(|(name, native)| Expected { name: name.to_owned(), native: Native::parse(native, true) })
        .to_vec()
}

fn lines(batch: &Batch) -> Vec<String> {
    (0..batch.rows())
        .map(|row| format!("{:?} {:?}", batch.columns[0].cell(row), batch.columns[1].cell(row)))
        .collect()
}

const LIMITS: Limits = Limits { rows: 1_000, bytes: 1 << 20, cell: 1 << 20 };

#[test]
fn rows_are_read_however_the_bytes_arrive() {
    let text = r#" [ ["1","a\"b\\"], [2 , null],["-3","\ud83e\udd80 é\u00e9"] , [ null,""] ] "#;
    let wanted = ["Int(1) Text(\"a\\\"b\\\\\")", "Int(2) Null", "Int(-3) Text(\"🦀 éé\")", "Null Text(\"\")"];
    for size in 1..text.len() {
        let mut decoder = Decoder::new(columns(), LIMITS);
        decoder.begin();
        for piece in text.as_bytes().chunks(size) {
            decoder.push(piece);
            assert_eq!(decoder.decode(), Ok(false));
        }
        assert!(decoder.ended() && decoder.rows() == 4);
        assert_eq!(lines(&decoder.take()), wanted, "pieces of {size}");
    }
}

#[test]
fn a_chunk_sent_again_gives_no_cell_twice() {
    let text = r#"[["1","a"],["2","b"],["3","c"]]"#;
    for broken in 1..text.len() {
        for second in [broken / 2, broken] {
            let mut decoder = Decoder::new(columns(), LIMITS);
            decoder.begin();
            for part in [&text[..broken], &text[..second], text] {
                decoder.push(part.as_bytes());
                assert_eq!(decoder.decode(), Ok(false));
                if part != text {
                    assert!(!decoder.ended());
                    decoder.again();
                }
            }
            assert!(decoder.ended() && decoder.rows() == 3);
            assert_eq!(lines(&decoder.take()).len(), 3, "broken after {broken}, then {second}");
        }
    }
}

#[test]
fn batches_go_across_chunks_and_keep_to_their_rows() {
    let mut decoder = Decoder::new(columns(), Limits { rows: 2, ..LIMITS });
    let mut found = Vec::new();
    for chunk in [r#"[["1","a"],["2","b"],["3","c"]]"#, "[]", r#"[["4","d"]]"#] {
        decoder.begin();
        decoder.push(chunk.as_bytes());
        while decoder.decode().expect("rows") {
            found.push(decoder.take().rows());
        }
        assert!(decoder.ended());
    }
    found.push(decoder.take().rows());
    assert_eq!(found, [2, 2, 0]);
}

#[test]
fn a_long_cell_is_cut_and_does_not_fill_the_memory() {
    let limits = Limits { cell: 10, ..LIMITS };
    for inside in ["é".repeat(50_000), "\\u00e9".repeat(50_000), "\\\"".repeat(50_000)] {
        let text = format!("[[\"1\",\"{inside}\"],[\"2\",\"short\"]]");
        let mut decoder = Decoder::new(columns(), limits);
        decoder.begin();
        for piece in text.as_bytes().chunks(7) {
            decoder.push(piece);
            assert_eq!(decoder.decode(), Ok(false));
            assert!(decoder.buffer.len() < 2 * SLACK);
        }
        assert!(decoder.ended());
        let batch = decoder.take();
        assert_eq!(batch.rows(), 2);
        let crate::Cell::Unreadable(raw) = batch.columns[1].cell(0) else { panic!("not cut") };
        assert!((9..=10).contains(&raw.len()), "{raw}");
        assert_eq!(lines(&batch)[1], "Int(2) Text(\"short\")");
    }
}

#[test]
fn what_is_no_list_of_rows_is_an_error() {
    for text in [
        "{}",
        "[1]",
        "[[\"1\"]]",
        "[[\"1\",\"a\",\"b\"]]",
        "[[\"1\",[]]]",
        "<html>",
        "[] []",
        "[[\"1\",\"a\"]]x",
    ] {
        let mut decoder = Decoder::new(columns(), LIMITS);
        decoder.begin();
        decoder.push(text.as_bytes());
        assert_eq!(decoder.decode().map_err(|error| error.kind()), Err(ErrorKind::Protocol), "{text}");
    }
}
