//! What a failed field leaves behind. The library leaves its key out; clients are promised null there, or, where the
//! schema says the field is never null, null in the nearest place above that may be.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, Field, Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use async_graphql::{Name, PathSegment, Response, Value};

use super::document;

/// The types of all fields, by the type they are of and their name.
#[derive(Debug, Default)]
struct FieldTypes {
    fields: HashMap<Name, HashMap<Name, Type>>,
    roots: HashMap<&'static str, Name>,
}

static SERVED: LazyLock<FieldTypes> = LazyLock::new(|| FieldTypes::of(&crate::graphql::sdl()));

/// Puts nulls where the failed fields of a response belong.
pub fn settle(response: &mut Response, query: &str, operation_name: Option<&str>) {
    SERVED.settle(response, query, operation_name);
}

impl FieldTypes {
    fn of(sdl: &str) -> Self {
        let mut types = Self::default();
        types.roots.extend([("query", Name::new("Query")), ("mutation", Name::new("Mutation"))]);
        let Ok(schema) = parse_schema(sdl) else {
            tracing::error!("the schema's own text cannot be read");
            return types;
        };
        for definition in schema.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            let fields = fields.into_iter().map(|field| (field.node.name.node, field.node.ty.node));
            types.fields.insert(definition.node.name.node, fields.collect());
        }
        types
    }

    fn settle(&self, response: &mut Response, query: &str, operation_name: Option<&str>) {
        let Ok(document) = parse_query(query) else { return };
        let Some(operation) = document::chosen(&document, operation_name) else { return };
        let Some(root) = self.roots.get(operation.ty.to_string().as_str()) else { return };
        let walk = Walk { types: self, document: &document };
        let start = vec![(root.clone(), &operation.selection_set.node)];
        let nullable = Type { base: BaseType::Named(root.clone()), nullable: true };
        for error in response.errors.iter().filter(|error| !error.path.is_empty()) {
            walk.settle(&mut response.data, &error.path, &nullable, &start);
        }
    }
}

/// The selection sets that apply at a place, each with the type it selects from.
type Place<'a> = Vec<(Name, &'a SelectionSet)>;

struct Walk<'a> {
    types: &'a FieldTypes,
    document: &'a ExecutableDocument,
}

impl<'a> Walk<'a> {
    /// Follows a path to the failed place and puts null there or above. Tells whether `value` may stay as it then is;
    /// if not, the place above must become null.
    fn settle(
        &self,
        value: &mut Value,
        path: &[PathSegment],
        expected: &Type,
        place: &[(Name, &'a SelectionSet)],
    ) -> bool {
        let fits = match (path.split_first(), &mut *value) {
            (_, Value::Null) => false,
            (None, _) => true,
            (Some((PathSegment::Field(key), rest)), Value::Object(fields)) => match self.field(key, place) {
                Some((found, below)) => {
                    let child = fields.entry(Name::new(key)).or_insert(Value::Null);
                    self.settle(child, rest, &found, &below)
                }
                None => true,
            },
            (Some((PathSegment::Index(at), rest)), Value::List(items)) => {
                match (&expected.base, items.get_mut(*at)) {
                    (BaseType::List(item), Some(child)) => self.settle(child, rest, item, place),
                    _ => true,
                }
            }
            _ => true,
        };
        if !fits {
            *value = Value::Null;
        }
        fits || expected.nullable
    }

    /// The type of the field that answers under `key`, and what is selected below it.
    fn field(&self, key: &str, place: &[(Name, &'a SelectionSet)]) -> Option<(Type, Place<'a>)> {
        let mut found: Vec<(Name, &'a Field)> = Vec::new();
        for (kind, set) in place {
            self.collect(key, kind, set, &mut found);
        }
        let mut expected = None;
        let mut below = Vec::new();
        for (parent, field) in found {
            let Some(of) = self.types.fields.get(&parent).and_then(|fields| fields.get(&field.name.node))
            else {
                continue;
            };
            below.push((named(of), &field.selection_set.node));
            expected.get_or_insert_with(|| of.clone());
        }
        Some((expected?, below))
    }

    fn collect(&self, key: &str, kind: &Name, set: &'a SelectionSet, found: &mut Vec<(Name, &'a Field)>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.response_key().node == key => {
                    found.push((kind.clone(), &field.node));
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map_or(kind, |on| &on.node.on.node);
                    self.collect(key, on, &fragment.node.selection_set.node, found);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let on = &fragment.node.type_condition.node.on.node;
                        self.collect(key, on, &fragment.node.selection_set.node, found);
                    }
                }
            }
        }
    }
}

/// The type at the bottom of lists.
fn named(of: &Type) -> Name {
    match &of.base {
        BaseType::Named(name) => name.clone(),
        BaseType::List(item) => named(item),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Interface, Object, Schema};

    use super::*;

    struct Thing {
        number: i32,
    }

    #[Object]
    impl Thing {
        async fn id(&self) -> i32 {
            self.number
        }

        async fn sure(&self) -> Result<i32, Error> {
            if self.number == 2 { Err(Error::new("two")) } else { Ok(self.number) }
        }

        async fn maybe(&self) -> Result<Option<i32>, Error> {
            Err(Error::new("never"))
        }
    }

    #[derive(Interface)]
    #[graphql(field(name = "id", ty = "i32"))]
    enum Node {
        Thing(Thing),
    }

    struct Query;

    #[Object]
    impl Query {
        async fn things(&self) -> Vec<Option<Thing>> {
            (1..=3).map(|number| Some(Thing { number })).collect()
        }

        async fn sure_things(&self) -> Option<Vec<Thing>> {
            Some((1..=3).map(|number| Thing { number }).collect())
        }

        async fn thing(&self) -> Thing {
            Thing { number: 2 }
        }

        async fn node(&self) -> Option<Node> {
            Some(Node::Thing(Thing { number: 2 }))
        }

        async fn maybe(&self) -> Result<Option<i32>, Error> {
            Err(Error::new("never"))
        }
    }

    async fn data(query: &str) -> String {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let mut response = schema.execute(query).await;
        assert!(!response.errors.is_empty(), "{query}");
        FieldTypes::of(&schema.sdl()).settle(&mut response, query, None);
        serde_json::to_string(&response.data).expect("JSON")
    }

    #[tokio::test]
    async fn a_failed_field_is_null_where_it_may_be() {
        for (query, expected) in [
            ("{thing {id} maybe}", r#"{"thing":{"id":2},"maybe":null}"#),
            ("{thing {id maybe}}", r#"{"thing":{"id":2,"maybe":null}}"#),
            ("{thing {id sure}}", "null"),
            ("{a: thing {id b: sure} maybe}", "null"),
            ("{things {id sure}}", r#"{"things":[{"id":1,"sure":1},null,{"id":3,"sure":3}]}"#),
            ("{sureThings {id sure} thing {id}}", r#"{"thing":{"id":2},"sureThings":null}"#),
            ("{node {id ... on Thing {sure}} thing {id}}", r#"{"node":null,"thing":{"id":2}}"#),
            (
                "{node {id ...F} thing {id}} fragment F on Thing {c: maybe}",
                r#"{"node":{"id":2,"c":null},"thing":{"id":2}}"#,
            ),
        ] {
            let found: serde_json::Value = serde_json::from_str(&data(query).await).expect("JSON");
            let expected: serde_json::Value = serde_json::from_str(expected).expect("JSON");
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn the_served_schema_is_known() {
        assert!(SERVED.fields.len() > 5);
        assert!(SERVED.fields.contains_key("Query") && SERVED.fields.contains_key("Mutation"));
    }
}
