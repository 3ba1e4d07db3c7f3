//! The datasets and tables of a project, as BigQuery's catalog lists them. Asking it costs nothing.

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::catalog::view;
use super::client::{Call, Client};
use crate::{ConnectorError, ErrorKind, Result, Table, TableRef};

/// Lists that are asked for at once.
const AT_ONCE: usize = 8;
/// How many entries of a list are asked for at once.
const PAGE: usize = 1_000;
/// Longer lists are broken off: a thousand pages are a million tables.
const PAGES: usize = 1_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Listing {
    datasets: Vec<Entry>,
    tables: Vec<Entry>,
    next_page_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    dataset_reference: Reference,
    table_reference: Reference,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reference {
    dataset_id: String,
    table_id: String,
}

/// Lists the tables and views the account may see, of one dataset or of all.
///
/// # Errors
/// What was refused.
pub async fn tables(client: &Client) -> Result<Vec<Table>> {
    let project = client.config().data_project();
    let datasets = match &client.config().dataset {
        Some(dataset) => vec![dataset.clone()],
        None => {
            let call = Call::get(&["projects", project, "datasets"]).with("all", Some(false));
            let names =
                list(client, &call).await?.into_iter().map(|entry| entry.dataset_reference.dataset_id);
            // Results of statements are kept in datasets whose names begin like this.
            names.filter(|name| !name.starts_with('_')).collect()
        }
    };
    let found = stream::iter(datasets).map(|dataset| inside(client, dataset));
    let mut tables: Vec<Table> = found.buffered(AT_ONCE).try_concat().await?;
    tables.sort_by(|a, b| (&a.table.schema, &a.table.name).cmp(&(&b.table.schema, &b.table.name)));
    Ok(tables)
}

/// The tables and views of one dataset.
async fn inside(client: &Client, dataset: String) -> Result<Vec<Table>> {
    let project = client.config().data_project();
    let call = Call::get(&["projects", project, "datasets", &dataset, "tables"]);
    let entries = match list(client, &call).await {
        Ok(entries) => entries,
        // It was dropped between the two requests, or only its name may be seen.
        Err(error)
            if client.config().dataset.is_none()
                && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Permission) =>
        {
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let table = |entry: Entry| Table {
        table: TableRef {
            catalog: Some(project.to_owned()),
            schema: Some(dataset.clone()),
            name: entry.table_reference.table_id,
        },
        view: view(&entry.kind),
        rows: None,
        columns: Vec::new(),
    };
    Ok(entries.into_iter().map(table).collect())
}

async fn list(client: &Client, call: &Call) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        let page = call.clone().with("maxResults", Some(PAGE)).with("pageToken", token.take());
        let page: Listing = client.fetch(&page).await?;
        entries.extend(page.datasets);
        entries.extend(page.tables);
        token = page.next_page_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(entries);
        }
    }
    Err(ConnectorError::new(ErrorKind::Protocol, "the list of datasets or tables does not end"))
}
