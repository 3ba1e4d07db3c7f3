//! Unity Catalog's lists, in small pages of which the first is empty.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::store::{Store, Table};

/// Entries of a page.
const PAGE: usize = 3;

/// Why a request is refused: status, code, message.
pub type Refused = (u16, &'static str, String);

fn missing(code: &'static str, what: &str) -> Refused {
    (404, code, format!("{what} does not exist."))
}

/// Answers `GET /api/2.1/unity-catalog/{list}`.
pub fn list(store: &Store, list: &str, query: &BTreeMap<String, String>) -> Result<Json, Refused> {
    let allowed: &[&str] = match list {
        "catalogs" => &["max_results", "page_token"],
        "schemas" => &["max_results", "page_token", "catalog_name"],
        "tables" => &["max_results", "page_token", "catalog_name", "schema_name", "omit_columns"],
        _ => {
            return Err((404, "ENDPOINT_NOT_FOUND", format!("No API found for 'GET /unity-catalog/{list}'")));
        }
    };
    let wrong = |what: String| (400, "INVALID_PARAMETER_VALUE", what);
    if let Some(unknown) = query.keys().find(|name| !allowed.contains(&name.as_str())) {
        return Err(wrong(format!("there is no query parameter {unknown}")));
    }
    let named = |name: &str| query.get(name).cloned().ok_or_else(|| wrong(format!("{name} is missing")));
    let entries: Vec<Json> = match list {
        "catalogs" => store.catalogs().into_iter().map(|name| json!({"name": name})).collect(),
        "schemas" => {
            let catalog = named("catalog_name")?;
            let names = store.schemas(&catalog).ok_or_else(|| missing("CATALOG_DOES_NOT_EXIST", &catalog))?;
            names.into_iter().map(|name| json!({"name": name, "catalog_name": catalog})).collect()
        }
        _ => {
            let (catalog, schema) = (named("catalog_name")?, named("schema_name")?);
            let tables =
                store.tables(&catalog, &schema).ok_or_else(|| missing("SCHEMA_DOES_NOT_EXIST", &schema))?;
            let whole = query.get("omit_columns").is_none_or(|omit| omit != "true");
            tables.iter().map(|(name, table)| describe(name, table, whole)).collect()
        }
    };
    // The first page is empty and not the last, as the documents warn.
    let at: Option<usize> = match query.get("page_token") {
        None => None,
        Some(token) => Some(token.parse().map_err(|_| wrong("page_token".to_owned()))?),
    };
    let page: Vec<Json> =
        at.map_or_else(Vec::new, |at| entries.iter().skip(at).take(PAGE).cloned().collect());
    let next = at.map_or(0, |at| at + PAGE);
    let mut answer = json!({});
    if !page.is_empty() {
        answer[list] = page.into();
    }
    if next < entries.len() || at.is_none() {
        answer["next_page_token"] = next.to_string().into();
    }
    Ok(answer)
}

/// Answers `GET /api/2.1/unity-catalog/tables/{full name}`.
pub fn table(store: &Store, full: &str) -> Result<Json, Refused> {
    match store.named(full) {
        Some((name, table)) if table.denied.is_none() => Ok(describe(name, table, true)),
        // What may not be read is not told to be there.
        _ => Err(missing("TABLE_DOES_NOT_EXIST", &format!("Table '{full}'"))),
    }
}

fn describe(name: &str, table: &Table, whole: bool) -> Json {
    let mut told = json!({"name": name, "table_type": if table.view { "VIEW" } else { "MANAGED" }});
    if whole {
        let columns = table.columns.iter().enumerate().map(|(position, column)| {
            let mut told = json!({
                "name": column.name,
                "type_text": column.kind.text().to_lowercase(),
                "nullable": column.nullable,
            });
            if position > 0 {
                told["position"] = position.into();
            }
            told
        });
        // Only the positions tell the order.
        told["columns"] = columns.rev().collect::<Vec<Json>>().into();
        let keys: Vec<&str> =
            table.columns.iter().filter(|column| column.key).map(|column| column.name.as_str()).collect();
        if !keys.is_empty() {
            told["table_constraints"] =
                json!([{"primary_key_constraint": {"name": "pk", "child_columns": keys}}]);
        }
    }
    told
}
