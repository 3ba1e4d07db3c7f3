//! Answers in all their shapes, in pieces of any size, and those that are none.

use super::super::types::Native;
use super::*;

const LIMITS: Limits = Limits { rows: 1_000, bytes: 1 << 20, cell: 1 << 16 };
const META: &str = r#""resultSetMetaData":{"numRows":3,"format":"jsonv2","rowType":[{"name":"ID","type":"fixed","precision":38,"scale":0,"nullable":false},{"name":"V","type":"TEXT"}],"partitionInfo":[{"rowCount":2},{"rowCount":1}]}"#;

fn expected() -> Vec<Expected> {
    let column = |name: &str, native| Expected { name: name.to_owned(), native };
    vec![column("ID", Native::Fixed(38, 0)), column("V", Native::Text)]
}

fn lines(batches: &[Batch]) -> Vec<String> {
    let line =
        |batch: &Batch, row| format!("{:?}", batch.columns.iter().map(|it| it.cell(row)).collect::<Vec<_>>());
    batches.iter().flat_map(|batch| (0..batch.rows()).map(move |row| line(batch, row))).collect()
}

fn decoded(text: &str, piece: usize, limits: Limits) -> Result<Vec<Batch>> {
    let (mut decoder, mut batches) = (Decoder::new(Some(expected()), limits), Vec::new());
    let mut pieces = text.as_bytes().chunks(piece);
    loop {
        if decoder.decode()? {
            batches.push(decoder.take());
        } else if let Some(bytes) = pieces.next() {
            decoder.push(bytes);
        } else if decoder.ended {
            batches.extend((decoder.ready() > 0).then(|| decoder.take()));
            return Ok(batches);
        } else {
            decoder.end();
        }
    }
}

#[test]
fn an_answer_is_read_in_any_pieces_and_any_order() {
    let rows = r#" [ ["1","a\"]\\\u00e9"] , ["2" ,null],[3, ""] ] "#;
    let texts = [
        format!(r#"{{"code":"090001",{META},"data":{rows},"statementHandle":"h"}}"#),
        format!(r#"{{"data":{rows},"statementHandle":"h", {META} }}"#),
    ];
    let wanted = [r#"[Int(1), Text("a\"]\\é")]"#, "[Int(2), Null]", r#"[Int(3), Text("")]"#];
    for text in texts {
        for piece in [1, 2, 3, 7, 50, 10_000] {
            for rows in [1, 2, 1_000] {
                let batches = decoded(&text, piece, Limits { rows, ..LIMITS }).expect("an answer");
                assert_eq!(lines(&batches), wanted, "pieces of {piece}");
                assert!(batches.iter().all(|batch| batch.rows() <= rows));
            }
        }
    }
}

#[test]
fn pitfall_18_partitions_behind_the_first_have_its_columns() {
    let mut decoder = Decoder::new(Some(expected()), LIMITS);
    for (text, rows) in [
        (format!(r#"{{{META},"data":[["1","a"],["2","b"]],"statementHandle":"h"}}"#), 2),
        (r#"{"data":[["3","c"]]}"#.to_owned(), 1),
        (r#"[["4","d"]]"#.to_owned(), 1),
    ] {
        decoder.push(text.as_bytes());
        decoder.end();
        assert!(!decoder.decode().expect("rows"));
        assert_eq!(decoder.rows(), rows);
        decoder.next_partition();
    }
    let batch = decoder.take();
    assert_eq!(
        lines(&[batch]),
        ["1 a", "2 b", "3 c", "4 d"].map(|line| {
            let (id, text) = line.split_once(' ').expect("two");
            format!("[Int({id}), Text({text:?})]")
        })
    );
}

#[test]
fn an_answer_that_broke_off_goes_on_where_it_stood() {
    let text = format!(r#"{{{META},"data":[["1","a\n"],["2",null],["3","c"]],"statementHandle":"h"}}"#);
    for end in 0..text.len() {
        for most in [1, 2, 100] {
            let mut decoder = Decoder::new(Some(expected()), Limits { rows: most, ..LIMITS });
            let mut batches = Vec::new();
            for bytes in [&text.as_bytes()[..end], text.as_bytes()] {
                decoder.again();
                decoder.push(bytes);
                while decoder.decode().expect("rows") {
                    batches.push(decoder.take());
                }
            }
            decoder.end();
            assert!(!decoder.decode().expect("the whole answer"));
            batches.extend((decoder.ready() > 0).then(|| decoder.take()));
            let wanted = [r#"[Int(1), Text("a\n")]"#, "[Int(2), Null]", r#"[Int(3), Text("c")]"#];
            assert_eq!(lines(&batches), wanted, "cut at {end}");
        }
    }
}

#[test]
fn what_is_not_whole_or_not_rows_is_an_error() {
    let good = format!(r#"{{{META},"data":[["1","a"]],"statementHandle":"h"}}"#);
    for end in 0..good.len() {
        let error = decoded(&good[..end], 10, LIMITS).expect_err("cut");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "cut at {end}: {error:?}");
    }
    for rows in [
        r#"[["1"]]"#,
        r#"[["1","a","b"]]"#,
        r#"[["1",{}]]"#,
        r#"[["1" "a"]]"#,
        r#"[["1","a"],]"#,
        "[7]",
        "[[yes,1]]",
    ] {
        let text = format!(r#"{{{META},"data":{rows}}}"#);
        assert_eq!(decoded(&text, 10, LIMITS).expect_err(rows).kind(), ErrorKind::Protocol, "{rows}");
    }
    let renamed = good.replace("\"V\"", "\"v\"");
    assert_eq!(decoded(&renamed, 10, LIMITS).expect_err("renamed").kind(), ErrorKind::Schema);
    let retyped = good.replace("TEXT", "real");
    assert_eq!(decoded(&retyped, 10, LIMITS).expect_err("retyped").kind(), ErrorKind::Schema);
}

#[test]
fn long_cells_are_cut_and_what_follows_is_read() {
    let long = "é\\n\\u00e9x".repeat(5_000);
    let text = format!(r#"{{{META},"data":[["1","{long}"],["2","b"]],"statementHandle":"h"}}"#);
    for piece in [100, 1_000, 1 << 20] {
        let batches = decoded(&text, piece, Limits { cell: 100, ..LIMITS }).expect("an answer");
        let column = &batches[0].columns[1];
        let crate::Cell::Unreadable(kept) = column.cell(0) else { panic!("not cut") };
        assert!("é\né".starts_with(&kept[..5]) && (97..=100).contains(&kept.len()), "{kept}");
        assert_eq!(column.cell(1), crate::Cell::Text("b"), "pieces of {piece}");
        let whole = decoded(&text, piece, LIMITS).expect("an answer");
        assert_eq!(whole[0].columns[1].cell(0), crate::Cell::Text(&"é\néx".repeat(5_000)));
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_as_unreadable() {
    let text = format!(r#"{{{META},"data":[["1","a?b"],["2","\ud800"]]}}"#);
    let mut bytes = text.into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').expect("it is there");
    bytes[at] = 0xff;
    let batches = whole(&bytes, Some(expected()), LIMITS).expect("an answer");
    assert_eq!(
        lines(&batches),
        ["[Int(1), Unreadable(\"a\u{fffd}b\")]", "[Int(2), Unreadable(\"\u{fffd}\")]"]
    );
}
