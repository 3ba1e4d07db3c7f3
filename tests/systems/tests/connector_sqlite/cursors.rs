//! Which columns can be cursors, and how their texts are compared.

use connector::{CursorKind, ErrorKind, ReadRequest};

use crate::{File, from, mark, request, table};

fn times(kind: CursorKind, low: &str, high: &str) -> ReadRequest {
    ReadRequest {
        from: from(kind, low, &[]),
        until: Some(mark(kind, high)),
        ..request("t", kind, &["c", "k"])
    }
}

async fn filled(declared: &str, texts: &[&str]) -> File {
    let mut file = File::new(&format!("CREATE TABLE t (c {declared}, k INTEGER)")).await;
    for (place, text) in texts.iter().enumerate() {
        file.run(&format!("INSERT INTO t VALUES ('{text}', {place})")).await;
    }
    file
}

/// The keys of the rows read.
async fn keys(file: &File, request: ReadRequest) -> String {
    let rows = file.rows(request).await.expect("a read");
    rows.iter().map(|row| row.rsplit('|').next().expect("a key")).collect()
}

#[tokio::test]
async fn sqlite_pitfall_07_times_keep_every_digit() {
    let texts = [
        "2026-02-28 10:00:00",
        "2026-02-28 10:00:00.5",
        "2026-02-28 10:00:00.500",
        "2026-02-28 10:00:00.500000001",
        "2026-02-28 10:00:01",
    ];
    let file = filled("DATETIME", &texts).await;
    let naive = CursorKind::Naive;
    assert_eq!(keys(&file, times(naive, "2026-02-28 10:00:00.5", "2026-02-28 10:00:00.5")).await, "12");
    assert_eq!(keys(&file, times(naive, "2026-02-28 10:00:00.500000001", "2026-02-28 10:00:09")).await, "34");
    let rows = file.rows(request("t", naive, &["c", "k"])).await.expect("a read");
    assert_eq!(rows[3], "2026-02-28 10:00:00.500000001|3");
}

#[tokio::test]
async fn sqlite_pitfall_08_zones_are_kept_and_compared_in_utc() {
    let zoned = CursorKind::Zoned;
    for texts in [
        ["2026-02-28T10:00:00Z", "2026-02-28T10:00:01Z", "2026-02-28T10:00:02Z"],
        ["2026-02-28T10:00:00.000Z", "2026-02-28T10:00:01.000Z", "2026-02-28T10:00:02.000Z"],
        ["2026-02-28 02:00:00-08:00", "2026-02-28 02:00:01-08:00", "2026-02-28 02:00:02-08:00"],
        ["2026-02-28 15:30:00+05:30", "2026-02-28 15:30:01+05:30", "2026-02-28 15:30:02+05:30"],
    ] {
        let file = filled("TIMESTAMP WITH TIME ZONE", &texts).await;
        assert_eq!(keys(&file, times(zoned, "2026-02-28T10:00:01Z", "2026-02-28T10:00:01Z")).await, "1");
        assert_eq!(keys(&file, times(zoned, "2026-02-28T10:00:00.5Z", "2026-02-28T10:00:01.5Z")).await, "1");
        let rows = file.rows(request("t", zoned, &["c", "k"])).await.expect("a read");
        assert_eq!(rows[2], "2026-02-28T10:00:02Z|2");
    }
}

#[tokio::test]
async fn sqlite_pitfall_01_days_are_closed_intervals() {
    let file = filled("DATE", &["2026-02-27", "2026-02-28", "2026-02-28", "2026-03-01"]).await;
    assert_eq!(keys(&file, times(CursorKind::Date, "2026-02-28", "2026-02-28")).await, "12");
    assert_eq!(keys(&file, times(CursorKind::Date, "-5000-01-01", "12000-01-01")).await, "0123");
}

#[tokio::test]
async fn sqlite_pitfall_09_times_that_do_not_sort_as_text_are_refused() {
    for (declared, kind, texts) in [
        ("DATETIME", CursorKind::Naive, ["2026-02-28 10:00:00", "2026-02-28T09:00:00"]),
        ("DATETIME", CursorKind::Naive, ["2026-02-28 10:00:00", "28.02.2026 10:00"]),
        ("DATETIME", CursorKind::Zoned, ["2026-02-28T10:00:00Z", "2026-02-28T10:00:00.5Z"]),
        ("TIMESTAMPTZ", CursorKind::Zoned, ["2026-02-28T10:00:00+01:00", "2026-02-28T10:00:00+02:00"]),
        ("DATE", CursorKind::Date, ["2026-02-28", "2026-2-9"]),
        ("DATETIME", CursorKind::Naive, ["2026-02-28 10:00:00", "0"]),
    ] {
        let file = filled(declared, &texts).await;
        let error = file.rows(request("t", kind, &["c", "k"])).await.expect_err(declared);
        assert_eq!(error.kind(), ErrorKind::Config, "{texts:?}");
        assert!(error.message().contains("sorts as text") && error.action().is_some(), "{error}");
        let check = file.source.check(Some(&table("t")), Some("c")).await;
        assert!(!check.passed(), "{texts:?}");
    }
    // A stray layout between good ends is found when it is read, not skipped.
    let texts = ["2026-02-28 10:00:00", "2026-02-28T09:00:00", "2026-03-01 10:00:00"];
    let file = filled("DATETIME", &texts).await;
    let error = file.rows(request("t", CursorKind::Naive, &["c", "k"])).await.expect_err("a stray layout");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn sqlite_pitfall_10_text_floats_and_times_of_day_are_refused() {
    for (declared, value) in
        [("TEXT", "2026-02-28 10:00:00"), ("REAL", "1.5"), ("TIME", "10:00:00"), ("DECIMAL", "1")]
    {
        let file = filled(declared, &[value]).await;
        for kind in [CursorKind::Int, CursorKind::Naive] {
            let error = file.rows(request("t", kind, &["c", "k"])).await.expect_err(declared);
            assert_eq!(error.kind(), ErrorKind::Config, "{declared}");
        }
        let check = file.source.check(Some(&table("t")), Some("c")).await;
        let last = check.steps.last().expect("a step");
        assert_eq!(last.name, "read cursor column");
        assert_eq!(last.error.as_ref().map(connector::ConnectorError::kind), Some(ErrorKind::Config));
    }
    let file = filled("DATETIME", &["2026-02-28 10:00:00"]).await;
    let error =
        file.rows(request("t", CursorKind::Zoned, &["c", "k"])).await.expect_err("naive is not zoned");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn sqlite_a_stray_text_among_integers_is_handed_over_last() {
    let file = filled("INTEGER", &["1", "2", "many", "-9223372036854775808"]).await;
    let int = CursorKind::Int;
    assert_eq!(keys(&file, request("t", int, &["c", "k"])).await, "3012");
    let rows = file.rows(request("t", int, &["c", "k"])).await.expect("a read");
    assert_eq!(rows[3], "!many|2");
    assert_eq!(keys(&file, times(int, "1", "2")).await, "01");
}

#[tokio::test]
async fn sqlite_an_empty_table_has_no_rows_and_no_error() {
    for (declared, kind, low) in [
        ("INTEGER", CursorKind::Int, "1"),
        ("DATETIME", CursorKind::Naive, "2026-01-01 00:00:00"),
        ("DATE", CursorKind::Date, "2026-01-01"),
    ] {
        let file = filled(declared, &[]).await;
        assert!(file.rows(times(kind, low, low)).await.expect("a read").is_empty());
        let check = file.source.check(Some(&table("t")), Some("c")).await;
        assert!(check.passed(), "{:?}", check.steps);
    }
}
