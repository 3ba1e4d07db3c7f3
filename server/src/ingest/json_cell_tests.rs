//! Tests of finding places in JSON documents.

use connector::{Column, Type};
use proptest::prelude::*;

use super::*;
use crate::domain::json_path::Path;
use crate::ingest::json_places::places;

/// What a document has at some paths.
fn found<'a>(text: &'a str, paths: &[&str]) -> Result<Vec<Found<'a>>, Error> {
    let mut tree = Node::default();
    for (place, path) in paths.iter().enumerate() {
        let path: Path = path.parse().unwrap_or_else(|mistake| panic!("{mistake}"));
        assert_eq!(tree.end(path.steps(), place), place);
    }
    let mut found = vec![Found::Nothing; paths.len()];
    seek(&tree, text, &mut found).map(|()| found)
}

fn scalar_at(text: &str, path: &str) -> Option<String> {
    match found(text, &[path]).unwrap_or_else(|error| panic!("{text}: {error}")).remove(0) {
        Found::Scalar(text) => Some(text.into_owned()),
        Found::Nothing => None,
        refused => panic!("{text}: {refused:?}"),
    }
}

#[test]
fn pitfall_14_numbers_inside_documents_keep_every_digit() {
    for number in [
        "1.10000000000000000001",
        "99999999999999999999999999999999999999",
        "-0.0000000000000000000000000000000000001",
        "123456789012345678901234567890.123456789012345678901234567890",
        "1e400",
        "-0",
        "9007199254740993",
    ] {
        let text = format!("{{\"x\":[0, {{\"y\": {number} }}], \"other\": 1e999}}");
        assert_eq!(scalar_at(&text, "x[1].y").as_deref(), Some(number));
        assert_eq!(scalar_at(&text, "other.z"), None, "a number has no members, of whatever size it is");
    }
}

#[test]
fn pitfall_21_what_is_absent_and_what_is_null_are_nothing_and_the_word_is_a_text() {
    let text = r#" {"a":{"b":null,"c":"null","d":""},"e":[1,"two",true]} "#;
    for (path, wanted) in [
        ("a.b", None),
        ("a.c", Some("null")),
        ("a.d", Some("")),
        ("a.x", None),
        ("x.y", None),
        ("a.b.c", None),
        ("a.c.d", None),
        ("a[0]", None),
        ("e.a", None),
        ("e[0]", Some("1")),
        ("e[1]", Some("two")),
        ("e[2]", Some("true")),
        ("e[3]", None),
        ("A.c", None),
    ] {
        assert_eq!(scalar_at(text, path).as_deref(), wanted, "{path}");
    }
    for text in ["null", "7", "\"text\"", "[]", "{}"] {
        assert_eq!(scalar_at(text, "a"), None, "{text}");
    }
}

#[test]
fn an_object_or_array_is_refused_with_its_text() {
    let text = r#"{"a":{"b":[1,2]},"c":{}}"#;
    assert_eq!(
        found(text, &["a", "a.b", "c", "a.b[1]"]).expect("JSON"),
        [
            Found::Refused(Reason::NotScalar, r#"{"b":[1,2]}"#),
            Found::Refused(Reason::NotScalar, "[1,2]"),
            Found::Refused(Reason::NotScalar, "{}"),
            Found::Scalar("2".into()),
        ]
    );
}

#[test]
fn of_members_of_one_name_the_last_counts() {
    assert_eq!(scalar_at(r#"{"a":1,"a":2}"#, "a").as_deref(), Some("2"));
    assert_eq!(scalar_at(r#"{"a":{"b":1},"a":{"c":2}}"#, "a.b"), None);
    assert_eq!(scalar_at(r#"{"a":{"b":1},"a":3}"#, "a.b"), None);
    assert_eq!(scalar_at(r#"{"a":{"b":1},"\u0061":{"b":4}}"#, "a.b").as_deref(), Some("4"));
}

#[test]
fn names_and_texts_are_read_as_they_are_meant() {
    let text = r#"{"größe":"a\u00e9\n\"","c d":{"":"x","say \"hi\"":"y"},"0":"z"}"#;
    for (path, wanted) in
        [("größe", "aé\n\""), ("\"c d\".\"\"", "x"), ("\"c d\".\"say \"\"hi\"\"\"", "y"), ("0", "z")]
    {
        assert_eq!(scalar_at(text, path).as_deref(), Some(wanted), "{path}");
    }
}

#[test]
fn what_is_no_document_is_refused_wherever_it_breaks_off() {
    let whole = r#"{"a":{"b":[1,-2.5e3,"x\u00e9",true,null]},"c":"d"}"#;
    for path in ["a.b[1]", "c", "zzz", "[0]"] {
        assert!(found(whole, &[path]).is_ok());
        for end in 0..whole.len() {
            if whole.is_char_boundary(end) {
                assert!(found(&whole[..end], &[path]).is_err(), "{path}: {}", &whole[..end]);
            }
        }
        for text in ["{\"a\":nan}", "{'a':1}", "{\"a\":1}x", "{\"a\":01}", "{\"a\":.5}", "[1,]", "a", "{a:1}"]
        {
            assert!(found(text, &[path]).is_err(), "{path}: {text}");
        }
    }
    assert!(found(r#"{"a":"\ud800"}"#, &["a"]).is_err(), "half a character is no text");
    let deep = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(scalar_at(&deep, "b").as_deref(), Some("1"), "what is not wanted may nest as it likes");
}

fn documents() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        ".{0,6}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What serde_json finds step by step.
fn reference<'a>(document: &'a serde_json::Value, path: &Path) -> &'a serde_json::Value {
    path.steps().iter().fold(document, |value, step| match step {
        Step::Name(name) => &value[name.as_str()],
        Step::Index(index) => &value[*index],
    })
}

proptest! {
    #[test]
    fn every_place_that_is_listed_is_found(document in documents()) {
        let text = document.to_string();
        let mut column = Column::new("payload", Type::Json, false);
        column.push(connector::Cell::Json(&text));
        let listed = places(&column, 1_000);
        let paths: Vec<&str> = listed.iter().map(|place| place.path.as_str()).collect();
        let found = found(&text, &paths).expect("JSON");
        for (place, found) in listed.iter().zip(&found) {
            prop_assert_eq!(found, &Found::Scalar(place.example.as_str().into()), "{}", place.path);
            let wanted = match reference(&document, &place.path.parse().expect("a path")) {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            prop_assert_eq!(&place.example, &wanted);
        }
        let scalars = count(&document, 0);
        prop_assert_eq!(listed.len(), scalars, "{}", text);
    }

    #[test]
    fn any_text_is_a_document_to_us_as_it_is_to_serde_json(text in "[\\[\\]{}:,\"a0-9. \\\\ne+-]{0,16}") {
        let known = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(found(&text, &["b[7].c"]).is_ok(), known);
    }
}

/// Single values within the bounds of a listing.
fn count(document: &serde_json::Value, depth: usize) -> usize {
    match document {
        serde_json::Value::Null => 0,
        serde_json::Value::Array(elements) => {
            elements.iter().take(3).map(|value| count(value, depth + 1)).sum()
        }
        serde_json::Value::Object(members) => members.values().map(|value| count(value, depth + 1)).sum(),
        _ => usize::from(depth > 0),
    }
}
