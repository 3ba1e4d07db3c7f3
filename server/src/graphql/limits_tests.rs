//! The limits hold.

use super::*;

fn cost(query: &str) -> Result<u64, String> {
    let document = async_graphql::parser::parse_query(query).expect("a document");
    let variables = Variables::from_json(serde_json::json!({ "n": 50 }));
    measure(&document, &variables).map_err(|error| error.message)
}

#[test]
fn cost_counts_objects() {
    assert_eq!(cost("{ viewer { role } }"), Ok(1));
    assert_eq!(cost("{ accounts(first: 10) { nodes { id name } } }"), Ok(11));
    assert_eq!(cost("query($n: Int) { accounts(first: $n) { edges { node { id } } } }"), Ok(51));
    let nested = "{ accounts(first: 10) { nodes { id opportunities(first: 5) { nodes { id } } } } }";
    assert_eq!(cost(nested), Ok(71));
    assert!(cost("{ accounts(first: 100) { nodes { opportunities { nodes { id } } } } }").is_err());
}

#[test]
fn depth_aliases_roots_and_cycles_are_bounded() {
    let deep = format!("{{ {} id {} }}", "a { ".repeat(15), "} ".repeat(15));
    assert!(cost(&deep).is_err());
    let aliases: String = (0..31).map(|index| format!("a{index}: viewer {{ role }} ")).collect();
    assert!(cost(&format!("{{ a {{ {aliases} }} }}")).is_err());
    let mutations: String =
        (0..6).map(|_| "apiTokenRevoke(input: {id: 1}) { userErrors { code } } ").collect();
    assert!(cost(&format!("mutation {{ {mutations} }}")).is_err());
    assert!(cost("{ ...a } fragment a on Query { ...a }").is_err());
    assert!(cost("{ ...a } fragment a on Query { viewer { ...a } }").is_err());
}

#[test]
fn the_schema_may_be_read_but_not_in_circles() {
    let opened =
        |parts: &[&str]| format!("{{ __schema {{ {} name {} }} }}", parts.join(" "), "}".repeat(parts.len()));
    let of_type = "ofType {";
    let read = ["types {", "fields {", "args {", "type {", of_type, of_type, of_type, of_type, of_type];
    assert_eq!(cost(&opened(&read)), Ok(0));
    let circle = ["types {"].into_iter().chain(["fields {", "type {"].into_iter().cycle().take(10));
    assert!(cost(&opened(&circle.collect::<Vec<_>>())).is_err());
}
