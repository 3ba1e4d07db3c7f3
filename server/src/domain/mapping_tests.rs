//! Tests of the rules of a mapping.

use super::*;

fn columns() -> Vec<ColumnInfo> {
    [
        ("org", Type::Text),
        ("metric", Type::Text),
        ("v", Type::Decimal),
        ("at", Type::Naive),
        ("t", Type::Bool),
    ]
    .map(|(name, kind)| ColumnInfo {
        name: name.to_owned(),
        native: format!("{kind:?}"),
        kind,
        nullable: true,
        key: false,
    })
    .to_vec()
}

fn long() -> Mapping {
    Mapping {
        account: "org".to_owned(),
        metric: Some("metric".to_owned()),
        value: Some("v".to_owned()),
        measured_at: "at".to_owned(),
        zone: Some("UTC".to_owned()),
        ..Mapping::default()
    }
}

fn field(mapping: &Mapping, wide: bool) -> String {
    match mapping.check(wide, &columns()) {
        Err(Error::Invalid { field, .. }) => field,
        other => format!("{other:?}"),
    }
}

#[test]
fn each_wrong_role_is_named() {
    assert!(long().check(false, &columns()).is_ok());
    assert_eq!(field(&Mapping { account: "ORG".to_owned(), ..long() }, false), "mapping.account");
    assert_eq!(field(&Mapping { value: Some("t".to_owned()), ..long() }, false), "mapping.value");
    assert_eq!(field(&Mapping { zone: None, ..long() }, false), "mapping.zone");
    assert_eq!(field(&Mapping { zone: Some("Mars/Base".to_owned()), ..long() }, false), "mapping.zone");
    assert_eq!(field(&Mapping { measured_at: "t".to_owned(), ..long() }, false), "mapping.measuredAt");
    let wide =
        Mapping { metric: None, value: None, metrics: vec!["v".to_owned(), "org".to_owned()], ..long() };
    assert_eq!(field(&wide, true), "mapping.metrics.1");
    assert_eq!(
        field(&Mapping { metrics: vec!["v".to_owned(), "v".to_owned()], ..wide.clone() }, true),
        "mapping.metrics.1"
    );
    assert!(Mapping { metrics: vec!["v".to_owned()], ..wide }.check(true, &columns()).is_ok());
}

#[test]
fn a_mapping_without_paths_is_stored_as_before_there_were_any() {
    let before = r#"{"account":"org","metric":"metric","value":"v","metrics":[],"measuredAt":"at","zone":"UTC","period":null,"product":null}"#;
    assert_eq!(serde_json::from_str::<Mapping>(before).ok(), Some(long()));
    assert_eq!(serde_json::to_string(&long()).ok().as_deref(), Some(before));
    let path = Mapping { account_path: Some("a[0]".to_owned()), ..long() };
    let stored = serde_json::to_string(&path).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Mapping>(&stored).ok(), Some(path), "{stored}");
}

#[test]
fn a_column_is_read_once_however_many_roles_stand_in_it() {
    let nested = |path: &str| NestedMetric { column: "metric".to_owned(), path: path.to_owned() };
    let mapping = Mapping {
        account: "metric".to_owned(),
        account_path: Some("who".to_owned()),
        metric: None,
        value: None,
        metrics: vec!["v".to_owned()],
        nested_metrics: vec![nested("a"), nested("b")],
        ..long()
    };
    assert!(mapping.check(true, &columns()).is_ok());
    assert_eq!(mapping.columns(), ["metric", "v", "at"]);
    assert_eq!(
        field(&Mapping { nested_metrics: vec![nested("a"), nested("a")], ..mapping }, true),
        "mapping.nestedMetrics.1"
    );
}
