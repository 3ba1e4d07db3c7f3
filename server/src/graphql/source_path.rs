//! The places inside a column that a path can name, asked from the source now.

use async_graphql::{Context, Object, Result, SimpleObject};
use entity::SourceId;

use crate::auth::Permission;
use crate::graphql::context::Reach;
use crate::graphql::error::Fault;
use crate::graphql::id::Global;
use crate::graphql::problem::{ConnectorProblem, patiently, sorted};
use crate::graphql::source_table::connect;
use crate::graphql::stream_part::TableRefInput;
use crate::ingest::json_places::{Place, places};

/// Rows that are looked at.
const ROWS: u32 = 20;
/// Places told at most.
const MOST: usize = 200;
/// Characters of an example.
const EXAMPLE: usize = 80;

/// The places inside a column.
#[derive(SimpleObject)]
pub struct SourceColumnPaths {
    /// The places that hold single values in a few rows; none where the column holds no JSON.
    paths: Vec<SourceColumnPath>,
    /// Whether there may be more than are told.
    truncated: bool,
    /// Why the source could not be asked.
    problem: Option<ConnectorProblem>,
}

/// A place inside a column.
#[derive(SimpleObject)]
pub struct SourceColumnPath {
    /// The path to it, as a mapping takes it.
    path: String,
    /// What stands there in one of the rows, cut where it is long.
    example: String,
}

impl From<Place> for SourceColumnPath {
    fn from(place: Place) -> Self {
        Self { path: place.path, example: place.example.chars().take(EXAMPLE).collect() }
    }
}

/// The query about the places inside a column.
#[derive(Default)]
pub struct SourcePathQuery;

#[Object]
impl SourcePathQuery {
    /// The places inside a column of JSON that a mapping can name by a path, with what a few rows have there.
    async fn source_column_paths(
        &self,
        ctx: &Context<'_>,
        source_id: Global<SourceId>,
        table: TableRefInput,
        column: String,
    ) -> Result<SourceColumnPaths> {
        // What customers' rows hold is shown.
        ctx.need(Permission::AccountsRead)?;
        let table = connector::TableRef::from(table);
        let read = match connect(ctx, source_id.0).await? {
            Ok(connector) => {
                let rows = connector.preview(&table, std::slice::from_ref(&column), ROWS);
                sorted(patiently(rows).await).map_err(Fault::from)?
            }
            Err(problem) => Err(problem),
        };
        Ok(match read {
            Ok(batch) => {
                let found = batch.columns.first().map(|column| places(column, MOST)).unwrap_or_default();
                let truncated = found.len() == MOST;
                let paths = found.into_iter().map(SourceColumnPath::from).collect();
                SourceColumnPaths { paths, truncated, problem: None }
            }
            Err(problem) => SourceColumnPaths { paths: Vec::new(), truncated: false, problem: Some(problem) },
        })
    }
}
