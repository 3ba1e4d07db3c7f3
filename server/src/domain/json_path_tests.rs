//! Tests of the grammar of paths.

use proptest::prelude::*;

use super::*;

fn name(name: &str) -> Step {
    Step::Name(name.to_owned())
}

fn path(text: &str) -> Path {
    text.parse().unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}

#[test]
fn a_path_is_names_and_indexes() {
    for (text, steps) in [
        ("a", vec![name("a")]),
        ("a.b[0].\"c d\"", vec![name("a"), name("b"), Step::Index(0), name("c d")]),
        ("[10][2].x", vec![Step::Index(10), Step::Index(2), name("x")]),
        ("\"a.b\"", vec![name("a.b")]),
        ("\"say \"\"hi\"\"\"", vec![name("say \"hi\"")]),
        ("\"\"", vec![name("")]),
        ("\"\\n\"", vec![name("\\n")]),
        ("größe.日本-1_x.0", vec![name("größe"), name("日本-1_x"), name("0")]),
        ("\"$\".\"*\"", vec![name("$"), name("*")]),
    ] {
        assert_eq!(path(text).steps(), steps, "{text}");
        assert_eq!(path(text).to_string(), text);
    }
    assert_eq!(path("\"plain\".\"two words\"").to_string(), "plain.\"two words\"", "no needless quotes");
    assert_eq!(path("a.b").in_column("payload"), "payload.a.b");
    assert_eq!(path("[0].b").in_column("payload"), "payload[0].b");
}

#[test]
fn what_is_no_path_is_refused_at_its_place() {
    for (text, place) in [
        ("$.a", "character 1"),
        (".a", "character 1"),
        (" a", "character 1"),
        ("a b", "character 2"),
        ("a..b", "character 3"),
        ("a.[0]", "character 3"),
        ("a:b", "character 2"),
        ("größe/b", "character 6"),
        ("a[*]", "character 3"),
        ("a[-1]", "character 3"),
        ("a[01]", "character 3"),
        ("a[]", "character 3"),
        ("a[4294967296]", "character 3"),
        ("a[1x]", "character 4"),
        ("a[1", "its end"),
        ("a.", "its end"),
        ("\"a", "its end"),
        ("\"a\"b", "character 4"),
    ] {
        let told = text.parse::<Path>().expect_err(text).to_string();
        assert!(told.contains(&format!("is wrong at {place}:")), "{text}: {told}");
    }
    assert!("".parse::<Path>().expect_err("empty").to_string().contains("whole column"));
    assert!("a".repeat(MOST_BYTES + 1).parse::<Path>().is_err());
    let deep = "[0]".repeat(MOST_STEPS);
    assert_eq!(path(&deep).steps().len(), MOST_STEPS);
    assert!(format!("{deep}[0]").parse::<Path>().is_err());
}

#[test]
fn a_name_that_was_meant_as_a_path_is_known_as_such() {
    let column = |name: &str, kind| ColumnInfo {
        name: name.to_owned(),
        native: String::new(),
        kind,
        nullable: true,
        key: false,
    };
    let columns = [column("usage", Type::Json), column("seats", Type::Int)];
    for text in ["usage.a", "usage[0]", "usage:a", "usage->'a'"] {
        assert!(meant(text, &columns).is_some(), "{text}");
    }
    for text in ["usage", "usages", "seats.a", "use.a"] {
        assert!(meant(text, &columns).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_steps_are_read_back_as_they_were_written(
        steps in prop::collection::vec(
            prop_oneof![".{0,8}".prop_map(Step::Name), (0..=u32::MAX as usize).prop_map(Step::Index)], 1..6,
        ),
    ) {
        let path = Path::of(&steps).expect("short");
        prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path));
    }

    #[test]
    fn any_text_is_a_path_or_refused(text in "[a-c.\\[\\]\"0-9 ]{0,12}") {
        if let Ok(path) = text.parse::<Path>() {
            prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path));
        }
    }
}
