//! One extension that bounds what a request may ask, gives every error its code, and lets nothing internal out.
//!
//! Cost counts objects: a field with a selection costs 1, times the rows it may return, times those of its parents.
//! Scalars are free. The cost asked for and the limit are told in `extensions.cost`.

use std::sync::{Arc, Mutex};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextRequest, NextValidation,
};
use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{
    ErrorExtensionValues, Name, Positioned, Response, ServerError, ServerResult, ValidationResult, Value,
    Variables, value,
};
use std::collections::HashMap;

use crate::graphql::context::RequestId;
use crate::graphql::error::INTERNAL;
use crate::graphql::window;

/// How deep fields may nest.
pub const DEPTH: usize = 15;
/// How many objects a request may ask for.
pub const COST: u64 = 1_000;
/// How many fields may have an alias.
pub const ALIASES: usize = 30;
/// How many mutations a request may hold.
pub const MUTATIONS: usize = 5;
/// How many queries a request may hold at its root.
pub const ROOT_FIELDS: usize = 30;
/// How many fields are looked at before a request is called too costly.
const FIELDS: usize = 5_000;
/// How often lists may nest in a question about the schema itself.
const SCHEMA_LISTS: usize = 4;

/// The fields only connections have.
const CONNECTION: [&str; 4] = ["edges", "nodes", "pageInfo", "totalCount"];

/// Makes the extension for each request.
pub struct Limits;

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(LimitsExtension::default())
    }
}

#[derive(Default)]
struct LimitsExtension {
    cost: Mutex<Option<u64>>,
}

#[async_graphql::async_trait::async_trait]
impl Extension for LimitsExtension {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let mut response = next.run(ctx).await;
        let request_id = ctx.data_opt::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        for error in &mut response.errors {
            tell(error, &request_id);
        }
        let cost = self.cost.lock().ok().and_then(|cost| *cost);
        match cost {
            Some(cost) => response.extension("cost", value!({ "requested": cost, "limit": COST })),
            None => response,
        }
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let parsed = next.run(ctx, query, variables).await;
        let document = parsed.map_err(|mut error| {
            set_code(&mut error, "GRAPHQL_PARSE_FAILED");
            error
        })?;
        let cost = measure(&document, variables)?;
        if let Ok(mut slot) = self.cost.lock() {
            *slot = Some(cost);
        }
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await.map_err(|mut errors| {
            for error in &mut errors {
                set_code(error, "GRAPHQL_VALIDATION_FAILED");
            }
            errors
        })
    }
}

fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
}

/// Gives an error its code and request ID. One that carries a cause is ours: the cause goes to the log only.
fn tell(error: &mut ServerError, request_id: &str) {
    let coded = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    if let Some(cause) = error.source.take() {
        let cause = cause.downcast_ref::<crate::error::Error>().map(ToString::to_string);
        let path = format!("{:?}", error.path);
        tracing::error!(request.id = request_id, graphql.path = path, cause, "a resolver failed");
        error.message = INTERNAL.to_owned();
        set_code(error, "INTERNAL");
    } else if !coded {
        set_code(error, "BAD_USER_INPUT");
    }
    if !request_id.is_empty() {
        error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("requestId", request_id);
    }
}

fn refuse(code: &str, message: String) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// What has been seen of a document.
struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a Variables,
    fields: usize,
    aliases: usize,
}

/// Measures the dearest operation of a document.
///
/// # Errors
/// A document that goes beyond a limit.
fn measure(document: &ExecutableDocument, variables: &Variables) -> ServerResult<u64> {
    let mut most = 0;
    for (_, operation) in document.operations.iter() {
        let mut walk = Walk { fragments: &document.fragments, variables, fields: 0, aliases: 0 };
        let set = &operation.node.selection_set.node;
        let limit = if operation.node.ty == OperationType::Mutation { MUTATIONS } else { ROOT_FIELDS };
        if walk.flat(set, 0)? > limit {
            return Err(refuse("QUERY_TOO_COSTLY", format!("a request has at most {limit} root fields")));
        }
        most = most.max(walk.set(set, 1, 0)?);
    }
    if most > COST {
        return Err(refuse("QUERY_TOO_COSTLY", format!("this asks for {most} objects, the limit is {COST}")));
    }
    Ok(most)
}

impl Walk<'_> {
    /// Counts the fields of a set with its fragments opened.
    fn flat(&self, set: &SelectionSet, nesting: usize) -> ServerResult<usize> {
        let mut count = 0;
        for item in &set.items {
            count += match self.open(&item.node) {
                _ if nesting > DEPTH => return Err(too_deep()),
                Opened::Field(_) => 1,
                Opened::Set(inner) => self.flat(inner, nesting + 1)?,
                Opened::Nothing => 0,
            };
        }
        Ok(count)
    }

    fn open<'s>(&'s self, selection: &'s Selection) -> Opened<'s> {
        match selection {
            Selection::Field(field) => Opened::Field(&field.node),
            Selection::InlineFragment(fragment) => Opened::Set(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                Some(fragment) => Opened::Set(&fragment.node.selection_set.node),
                None => Opened::Nothing,
            },
        }
    }

    /// The cost of a selection set; `nesting` counts fields and fragments, so that cycles end.
    fn set(&mut self, set: &SelectionSet, depth: usize, nesting: usize) -> ServerResult<u64> {
        if depth > DEPTH || nesting > 4 * DEPTH {
            return Err(too_deep());
        }
        let mut cost = 0_u64;
        for item in &set.items {
            self.fields += 1;
            if self.fields > FIELDS {
                return Err(refuse("QUERY_TOO_COSTLY", "this request has too many fields".to_owned()));
            }
            let fragments = self.fragments;
            cost = cost.saturating_add(match &item.node {
                Selection::Field(field) => self.field(&field.node, depth, nesting)?,
                Selection::InlineFragment(inner) => {
                    self.set(&inner.node.selection_set.node, depth, nesting + 1)?
                }
                Selection::FragmentSpread(spread) => match fragments.get(&spread.node.fragment_name.node) {
                    Some(inner) => self.set(&inner.node.selection_set.node, depth, nesting + 1)?,
                    None => 0,
                },
            });
        }
        Ok(cost)
    }

    fn field(&mut self, field: &Field, depth: usize, nesting: usize) -> ServerResult<u64> {
        if field.alias.is_some() {
            self.aliases += 1;
            if self.aliases > ALIASES {
                let message = format!("a request has at most {ALIASES} aliases");
                return Err(refuse("QUERY_TOO_COSTLY", message));
            }
        }
        let name = field.name.node.as_str();
        let set = &field.selection_set.node;
        if name.starts_with("__") {
            self.schema(set, 0, 0)?;
            return Ok(0);
        }
        if set.items.is_empty() {
            return Ok(0);
        }
        let inner = self.set(set, depth + 1, nesting + 1)?;
        Ok(match name {
            "pageInfo" => 0,
            // The parts of a connection, whose field multiplies them.
            "edges" => inner,
            "node" | "nodes" if field.arguments.is_empty() => inner.saturating_add(1),
            _ if self.connection(field) => self.rows(field).saturating_mul(inner).saturating_add(1),
            _ => self.rows(field).saturating_mul(inner.saturating_add(1)),
        })
    }

    /// How many rows a field may return.
    fn rows(&self, field: &Field) -> u64 {
        let argument = |name: &str| {
            let (_, value) = field.arguments.iter().find(|(argument, _)| argument.node == name)?;
            let value = value.node.clone().into_const_with(|variable| {
                Ok::<_, ()>(self.variables.get(&variable).cloned().unwrap_or_default())
            });
            match value {
                Ok(Value::Number(number)) => number.as_u64(),
                Ok(Value::List(list)) => Some(list.len() as u64),
                _ => None,
            }
        };
        let asked = ["first", "last", "limit", "ids"].into_iter().find_map(argument);
        asked.unwrap_or_else(|| if self.connection(field) { window::DEFAULT as u64 } else { 1 })
    }

    fn connection(&self, field: &Field) -> bool {
        let items = &field.selection_set.node.items;
        items.iter().any(|item| match self.open(&item.node) {
            Opened::Field(inner) => CONNECTION.contains(&inner.name.node.as_str()),
            Opened::Set(inner) => inner.items.iter().any(|item| match &item.node {
                Selection::Field(inner) => CONNECTION.contains(&inner.node.name.node.as_str()),
                _ => true,
            }),
            Opened::Nothing => false,
        })
    }

    /// Bounds questions about the schema, whose lists lead into each other without end.
    fn schema(&mut self, set: &SelectionSet, lists: usize, nesting: usize) -> ServerResult<()> {
        for item in &set.items {
            self.fields += 1;
            if self.fields > FIELDS || nesting > 4 * DEPTH || lists > SCHEMA_LISTS {
                return Err(too_deep());
            }
            let fragments = self.fragments;
            match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let list = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
                    self.schema(&field.node.selection_set.node, lists + usize::from(list), nesting + 1)?;
                }
                Selection::InlineFragment(inner) => {
                    self.schema(&inner.node.selection_set.node, lists, nesting + 1)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(inner) = fragments.get(&spread.node.fragment_name.node) {
                        self.schema(&inner.node.selection_set.node, lists, nesting + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}

enum Opened<'a> {
    Field(&'a Field),
    Set(&'a SelectionSet),
    Nothing,
}

fn too_deep() -> ServerError {
    refuse("QUERY_TOO_DEEP", format!("fields nest at most {DEPTH} deep"))
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
