//! What can be read in a source, asked from it now.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use connector::{ColumnInfo, Connector, ErrorKind, Table, Type};
use entity::SourceId;

use crate::auth::Permission;
use crate::domain::stream_suggestion::{self, Suggested};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, load};
use crate::graphql::error::Fault;
use crate::graphql::id::Global;
use crate::graphql::problem::{ConnectorProblem, patiently, sorted};
use crate::graphql::scalar::BigInt;
use crate::graphql::stream_part::{CursorKind, StreamMapping, StreamShape, TableRef, TableRefInput};

/// What is behind a table name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SourceTableKind {
    /// A table.
    Table,
    /// A view.
    View,
}

/// What Weir reads a column as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number of up to 128 bits.
    Int,
    /// An exact decimal.
    Decimal,
    /// A binary float.
    Float,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// A date and time without a zone.
    Naive,
    /// An instant.
    Zoned,
    /// A JSON document.
    Json,
    /// Anything else, read as text.
    Other,
}

impl From<Type> for ColumnType {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Bool => Self::Bool,
            Type::Int => Self::Int,
            Type::Decimal => Self::Decimal,
            Type::Float => Self::Float,
            Type::Text => Self::Text,
            Type::Date => Self::Date,
            Type::Naive => Self::Naive,
            Type::Zoned => Self::Zoned,
            Type::Json => Self::Json,
            Type::Other => Self::Other,
        }
    }
}

/// What can be read in a source.
#[derive(SimpleObject)]
pub struct SourceTableList {
    /// The tables found, by name.
    tables: Vec<SourceTable>,
    /// Whether there are more than the limit.
    truncated: bool,
    /// Why the source could not be asked.
    problem: Option<ConnectorProblem>,
}

/// A table or view in a source.
#[derive(SimpleObject)]
pub struct SourceTable {
    /// Its name.
    r#ref: TableRef,
    /// What it is.
    kind: SourceTableKind,
    /// About how many rows it has.
    row_estimate: Option<BigInt>,
}

impl From<Table> for SourceTable {
    fn from(table: Table) -> Self {
        Self {
            r#ref: table.table.into(),
            kind: if table.view { SourceTableKind::View } else { SourceTableKind::Table },
            row_estimate: table.rows.map(|rows| BigInt(i64::try_from(rows).unwrap_or(i64::MAX))),
        }
    }
}

/// The columns of a table.
#[derive(SimpleObject)]
pub struct SourceTableDetail {
    /// Its name.
    table: TableRef,
    /// The columns in order.
    columns: Vec<SourceColumn>,
    /// A mapping and cursor that fit the columns.
    suggestion: Option<StreamSuggestion>,
    /// Why the table could not be described.
    problem: Option<ConnectorProblem>,
}

/// A column of a table.
#[derive(SimpleObject)]
pub struct SourceColumn {
    /// Its name as the source spells it.
    name: String,
    /// Its type as the source calls it.
    native_type: String,
    /// What Weir reads it as.
    r#type: ColumnType,
    /// Whether it can be null.
    nullable: bool,
    /// The cursor it can be; null when it cannot order rows.
    cursor_kind: Option<CursorKind>,
    /// Whether it is part of the declared primary or sorting key.
    key: bool,
}

impl From<ColumnInfo> for SourceColumn {
    fn from(column: ColumnInfo) -> Self {
        Self {
            name: column.name,
            native_type: column.native,
            r#type: column.kind.into(),
            nullable: column.nullable,
            cursor_kind: connector::CursorKind::of(column.kind).map(CursorKind::from),
            key: column.key,
        }
    }
}

/// A proposal for a new stream, made from column names and types.
#[derive(SimpleObject)]
pub struct StreamSuggestion {
    /// Long or wide.
    shape: StreamShape,
    /// The proposed roles.
    mapping: StreamMapping,
    /// The proposed cursor.
    cursor_column: Option<String>,
    /// The kind of the proposed cursor.
    cursor_kind: Option<CursorKind>,
    /// The proposed row key.
    row_key: Vec<String>,
}

impl From<Suggested> for StreamSuggestion {
    fn from(suggested: Suggested) -> Self {
        Self {
            shape: suggested.shape.into(),
            mapping: suggested.mapping.into(),
            cursor_kind: suggested.cursor.as_ref().map(|(_, kind)| CursorKind::from(*kind)),
            cursor_column: suggested.cursor.map(|(name, _)| name),
            row_key: suggested.row_key,
        }
    }
}

/// All tables; of a list that takes too long, how it gets shorter.
async fn listed(connector: &dyn Connector) -> DomainResult<Vec<Table>> {
    patiently(connector.discover()).await.map_err(|error| match error {
        Error::Connector(error) if error.kind() == ErrorKind::Timeout => {
            let hint = "name a database, schema or dataset in the connection, so that there is less to list";
            Error::Connector(error.hint(hint))
        }
        other => other,
    })
}

/// The queries about what a source holds.
#[derive(Default)]
pub struct SourceTableQuery;

#[Object]
impl SourceTableQuery {
    /// The tables the source can read now, asked from the outside system.
    async fn source_tables(
        &self,
        ctx: &Context<'_>,
        source_id: Global<SourceId>,
        search: Option<String>,
        #[graphql(default = 200, validator(minimum = 1, maximum = 1000))] limit: i32,
    ) -> Result<SourceTableList> {
        let connector = connect(ctx, source_id.0).await?;
        let listed = match connector {
            Ok(connector) => sorted(listed(&*connector).await).map_err(Fault::from)?,
            Err(problem) => Err(problem),
        };
        let tables = match listed {
            Ok(tables) => tables,
            Err(problem) => {
                return Ok(SourceTableList { tables: Vec::new(), truncated: false, problem: Some(problem) });
            }
        };
        let wanted = search.unwrap_or_default().trim().to_lowercase();
        let mut tables: Vec<Table> = tables
            .into_iter()
            .filter(|table| table.table.to_string().to_lowercase().contains(&wanted))
            .collect();
        let most = usize::try_from(limit).unwrap_or(1);
        let truncated = tables.len() > most;
        tables.truncate(most);
        let tables = tables.into_iter().map(SourceTable::from).collect();
        Ok(SourceTableList { tables, truncated, problem: None })
    }

    /// The columns of one table, with proposed roles.
    async fn source_table(
        &self,
        ctx: &Context<'_>,
        source_id: Global<SourceId>,
        table: TableRefInput,
    ) -> Result<SourceTableDetail> {
        let table = connector::TableRef::from(table);
        let described = match connect(ctx, source_id.0).await? {
            Ok(connector) => sorted(patiently(connector.describe(&table)).await).map_err(Fault::from)?,
            Err(problem) => Err(problem),
        };
        Ok(match described {
            Ok(found) => SourceTableDetail {
                table: found.table.into(),
                suggestion: stream_suggestion::suggest(&found.columns).map(StreamSuggestion::from),
                columns: found.columns.into_iter().map(SourceColumn::from).collect(),
                problem: None,
            },
            Err(problem) => SourceTableDetail {
                table: table.into(),
                columns: Vec::new(),
                suggestion: None,
                problem: Some(problem),
            },
        })
    }
}

/// A source opened, or why it cannot be.
pub type Connected = std::result::Result<std::sync::Arc<dyn connector::Connector>, ConnectorProblem>;

/// Opens a source of the viewer's organization.
///
/// # Errors
/// `Forbidden`; `NotFound` when there is none.
pub async fn connect(ctx: &Context<'_>, id: SourceId) -> Result<Connected> {
    let organization = ctx.need(Permission::SourcesRead)?;
    if load(ctx, id).await?.is_none() {
        return Err(Fault::from(crate::error::Error::NotFound("source")).into());
    }
    let app = ctx.app();
    let opened = app.sources.connector(app, organization, id).await;
    sorted(opened).map_err(|error| Fault::from(error).into())
}
