//! Documents: parsed once, and measured before anything walks them. The schema's checks follow fragments again at each
//! place they are spread, so a short document could keep them busy for hours. What a request costs is theirs to judge.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::parser::{self, parse_query};

use serde_json::{Map, Value};

use crate::http::refusal::{Code, Outcome, Refusal};

/// Most bytes of a document.
const LENGTH: usize = 128 * 1024;
/// Most brackets open at once.
const NESTING: usize = 64;
/// Most operations and fragments.
const DEFINITIONS: usize = 50;
/// Most fields, written out.
const FIELDS: u64 = 1_000;
/// Most fields, with fragments put where they are spread.
const FIELDS_SPREAD: u64 = 5_000;

/// A parsed document that is small enough to be looked at closely.
#[derive(Debug)]
pub struct Document(ExecutableDocument);

impl Document {
    /// Parses and measures a document.
    ///
    /// # Errors
    /// `GraphqlParseFailed`, `GraphqlValidationFailed`, `QueryTooDeep` or `QueryTooCostly`.
    pub fn parse(text: &str) -> Outcome<Self> {
        if text.len() > LENGTH {
            return Err(costly(format!("the document is longer than {LENGTH} bytes")));
        }
        if nesting(text) > NESTING {
            return Err(Refusal::new(
                Code::QueryTooDeep,
                format!("more than {NESTING} brackets are open at once"),
            ));
        }
        let document =
            parse_query(text).map_err(|error| Refusal::new(Code::GraphqlParseFailed, unread(&error)))?;
        measure(&document)?;
        Ok(Self(document))
    }

    /// What sort of operation would be executed; `None` when the name does not choose one.
    pub fn operation(&self, name: Option<&str>) -> Option<OperationType> {
        chosen(&self.0, name).map(|operation| operation.ty)
    }

    /// Checks that the chosen operation has every variable it cannot do without. The library finds them missing only
    /// when their field's turn comes.
    ///
    /// # Errors
    /// `BadUserInput`, naming the variable.
    pub fn check_variables(&self, name: Option<&str>, given: &Map<String, Value>) -> Outcome<()> {
        let definitions = chosen(&self.0, name).map(|operation| operation.variable_definitions.as_slice());
        for definition in definitions.unwrap_or_default() {
            let (name, kind) = (&definition.node.name.node, &definition.node.var_type.node);
            let wrong = match given.get(name.as_str()) {
                Some(value) => value.is_null(),
                None => definition.node.default_value.is_none(),
            };
            if wrong && !kind.nullable {
                let message = format!("the variable ${name} of the type {kind} needs a value");
                return Err(Refusal::new(Code::BadUserInput, message));
            }
        }
        Ok(())
    }

    /// The parsed document.
    pub fn into_inner(self) -> ExecutableDocument {
        self.0
    }
}

/// The operation that a name, or its absence, chooses.
pub fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let chosen = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(named), Some(name)) => named.get(name),
        (DocumentOperations::Multiple(named), None) if named.len() == 1 => named.values().next(),
        (DocumentOperations::Multiple(_), None) => None,
    };
    chosen.map(|operation| &operation.node)
}

fn costly(message: String) -> Refusal {
    Refusal::new(Code::QueryTooCostly, message)
}

/// The most brackets open at once, outside of strings and comments.
fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match byte {
            b'#' => &tail[tail.iter().position(|it| matches!(it, b'\n' | b'\r')).unwrap_or(tail.len())..],
            b'"' => after_string(tail),
            _ => tail,
        };
        match byte {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

fn after_string(text: &[u8]) -> &[u8] {
    let (block, mut rest) = match text {
        [b'"', b'"', tail @ ..] => (true, tail),
        [b'"', tail @ ..] => return tail,
        _ => (false, text),
    };
    loop {
        rest = match rest {
            [] => return rest,
            [b'\\', b'"', b'"', b'"', tail @ ..] if block => tail,
            [b'\\', _, tail @ ..] if !block => tail,
            [b'"', b'"', b'"', tail @ ..] if block => return tail,
            [b'"' | b'\n' | b'\r', tail @ ..] if !block => return tail,
            [_, tail @ ..] => tail,
        };
    }
}

/// Counts a document's fields.
struct Measure<'a> {
    document: &'a ExecutableDocument,
    /// The fields of each fragment with its own spreads replaced; `None` while it is being counted.
    spread: HashMap<&'a Name, Option<u64>>,
}

fn measure(document: &ExecutableDocument) -> Outcome<()> {
    let definitions = document.operations.iter().count() + document.fragments.len();
    if definitions > DEFINITIONS {
        return Err(costly(format!("the document has more than {DEFINITIONS} operations and fragments")));
    }
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    if operations.chain(fragments).map(written).sum::<u64>() > FIELDS {
        return Err(costly(format!("the document has more than {FIELDS} fields")));
    }
    let mut measure = Measure { document, spread: HashMap::new() };
    for name in document.fragments.keys() {
        measure.fragment(name)?;
    }
    for (_, operation) in document.operations.iter() {
        if measure.selections(&operation.node.selection_set.node)? > FIELDS_SPREAD {
            return Err(costly(format!(
                "an operation has more than {FIELDS_SPREAD} fields with its fragments"
            )));
        }
    }
    Ok(())
}

fn written(set: &SelectionSet) -> u64 {
    let one = |selection: &Selection| match selection {
        Selection::Field(field) => written(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => written(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(|selection| 1 + one(&selection.node)).sum()
}

impl<'a> Measure<'a> {
    fn fragment(&mut self, name: &'a Name) -> Outcome<u64> {
        match self.spread.get(name) {
            Some(Some(fields)) => return Ok(*fields),
            Some(None) => {
                let message = format!("the fragment {name} contains itself");
                return Err(Refusal::new(Code::GraphqlValidationFailed, message));
            }
            None => {}
        }
        // An unknown fragment is for the schema's checks to name.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(0) };
        self.spread.insert(name, None);
        let fields = self.selections(&fragment.node.selection_set.node)?;
        self.spread.insert(name, Some(fields));
        Ok(fields)
    }

    fn selections(&mut self, set: &'a SelectionSet) -> Outcome<u64> {
        let mut fields = 0_u64;
        for selection in &set.items {
            let inside = match &selection.node {
                Selection::Field(field) => self.selections(&field.node.selection_set.node)?,
                Selection::InlineFragment(fragment) => self.selections(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            };
            fields = fields.saturating_add(1).saturating_add(inside);
        }
        Ok(fields)
    }
}

/// Why a document cannot be read. The library quotes the line, in which a secret may stand: where it is must do.
fn unread(error: &parser::Error) -> String {
    let parser::Error::Syntax { message, start, .. } = error else { return error.to_string() };
    let wanted = message.lines().last().and_then(|line| line.trim().strip_prefix("= "));
    let wanted = wanted.map_or_else(String::new, |wanted| format!(": {wanted}"));
    format!("the document cannot be read at line {}, column {}{wanted}", start.line, start.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<Code> {
        Document::parse(text).err().map(|refusal| refusal.code())
    }

    #[test]
    fn ordinary_documents_pass() {
        for text in [
            "{a}",
            "query A {a} mutation B {b}",
            "query($x: [Int!] = [1,2]) { a(b: {c: [$x]}) {...F} } fragment F on T { d: e ... on U {f} }",
            "{ a(text: \"{{{{[[[((( \\\" {{{\") # {{{{{{{{{{{{{{{{{{{{\n }",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
        assert_eq!(code("{"), Some(Code::GraphqlParseFailed));
        assert_eq!(code(""), Some(Code::GraphqlParseFailed));
    }

    #[test]
    fn the_operation_is_the_one_named() {
        let both = Document::parse("query A {a} mutation B {b}").expect("parsed");
        assert_eq!(both.operation(Some("A")), Some(OperationType::Query));
        assert_eq!(both.operation(Some("B")), Some(OperationType::Mutation));
        assert_eq!(both.operation(Some("C")), None);
        assert_eq!(both.operation(None), None);
        let one = Document::parse("mutation B {b}").expect("parsed");
        assert_eq!(one.operation(None), Some(OperationType::Mutation));
    }

    #[test]
    fn variables_that_cannot_be_null_need_a_value() {
        let document = Document::parse("query($a: Int!, $b: Int! = 1, $c: Int) {d(a: $a, b: $b, c: $c)}")
            .expect("parsed");
        let fits =
            |given: Value| document.check_variables(None, given.as_object().expect("an object")).is_ok();
        assert!(fits(serde_json::json!({ "a": 1 })) && fits(serde_json::json!({ "a": 1, "c": null })));
        for wrong in [
            serde_json::json!({}),
            serde_json::json!({ "a": null }),
            serde_json::json!({ "a": 1, "b": null }),
        ] {
            assert!(!fits(wrong));
        }
    }

    #[test]
    fn nesting_is_counted_before_parsing() {
        assert_eq!(nesting("{a(b:[1]){c}}"), 3);
        assert_eq!(nesting("\"\"\"{{{ \\\"\"\" {{{\"\"\" {a}"), 1);
        assert_eq!(nesting("\"\" {a} \"{"), 1);
        for deep in ["{a".repeat(60_000), "[".repeat(100_000), format!("{{a(b:{}", "[".repeat(100_000))] {
            assert_eq!(code(&deep), Some(Code::QueryTooDeep));
        }
    }

    #[test]
    fn the_size_is_limited_however_it_is_made() {
        assert_eq!(code(&format!("{{{}}}", "a ".repeat(1_001))), Some(Code::QueryTooCostly));
        let many: String = (0..50).map(|at| format!("fragment F{at} on T {{a}} ")).collect();
        assert_eq!(code(&format!("{{a}} {many}")), Some(Code::QueryTooCostly));
        assert_eq!(code(&format!("{{a(b:\"{}\")}}", "x".repeat(LENGTH))), Some(Code::QueryTooCostly));
    }

    #[test]
    fn a_document_that_cannot_be_read_is_not_quoted() {
        let text = "{\n  a(password: \"hunter2\" = 1)\n}";
        let said = unread(&parse_query(text).expect_err("no document"));
        assert!(said.starts_with("the document cannot be read at line 2, column "), "{said}");
        assert!(said.contains(": expected ") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn fragments_cannot_multiply_the_work() {
        let doubling: String =
            (0..40).map(|at| format!("fragment F{at} on T {{...F{0} ...F{0}}} ", at + 1)).collect();
        assert_eq!(
            code(&format!("{{...F0}} {doubling} fragment F40 on T {{a}}")),
            Some(Code::QueryTooCostly)
        );
        assert_eq!(code("{...F} fragment F on T {...F ...F}"), Some(Code::GraphqlValidationFailed));
        assert_eq!(
            code("{a} fragment F on T {...G} fragment G on T {b {...F}}"),
            Some(Code::GraphqlValidationFailed)
        );
    }
}
