//! Rows that are no measurements yet: unmatched and rejected ones.

use async_graphql::{Context, Enum, ID, InputObject, InputType, Object, Result, SimpleObject};
use entity::waiting_row::{Column, Entity, Model};
use entity::{OrganizationId, StreamId, WaitingRowId};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::domain::waiting_row;
use crate::graphql::context::{Reach, Work, maybe, must};
use crate::graphql::error::{Fault, UserError};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::Nested;
use crate::graphql::page::{Page, page};
use crate::graphql::rejection::{Rejection, RejectionReason};
use crate::graphql::scalar::{DateTime, Decimal, Json};
use crate::graphql::stream::Stream;
use crate::graphql::sync_run::{RunNumber, SyncRun};
use crate::graphql::unmatched_group::UnmatchedGroup;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct WaitingRow(pub Model);

impl From<Model> for WaitingRow {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A row that is not a measurement yet.
#[Object]
impl WaitingRow {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Whether it is unmatched or rejected.
    async fn kind(&self) -> WaitingRowKind {
        self.0.kind.into()
    }

    /// The stream.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Stream> {
        must(ctx, self.0.stream_id).await
    }

    /// Its group.
    async fn group(&self, ctx: &Context<'_>) -> Result<Option<UnmatchedGroup>> {
        maybe(ctx, self.0.group_id).await
    }

    /// The run that read it.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        maybe(ctx, RunNumber::of(self.0.run)).await
    }

    /// What identifies the row.
    async fn row_key(&self) -> &str {
        &self.0.row_key
    }

    /// The metric column of a wide row, or empty.
    async fn part(&self) -> &str {
        &self.0.part
    }

    /// The row as received.
    async fn row(&self) -> Json {
        Json::stored(&self.0.row)
    }

    /// The exact value.
    async fn value(&self) -> Option<Decimal> {
        self.0.value.clone().map(Decimal)
    }

    /// When it was measured.
    async fn measured_at(&self) -> Option<DateTime> {
        self.0.measured_at.map(DateTime)
    }

    /// The interval it covers.
    async fn period(&self) -> Option<&str> {
        self.0.period.as_deref()
    }

    /// The product, or empty.
    async fn product(&self) -> &str {
        &self.0.product
    }

    /// Why it could not be decoded.
    async fn rejection(&self) -> Option<Rejection> {
        Rejection::of(&self.0)
    }

    /// The columns the stream reads today that a rejected row was kept without. It cannot be tried until its stretch of
    /// the table has been read again; a change of the mapping and `rejectedRowRetry` start that.
    async fn missing_columns(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        if self.0.kind != entity::WaitingKind::Rejected {
            return Ok(Vec::new());
        }
        let stream: Stream = must(ctx, self.0.stream_id).await?;
        Ok(waiting_row::missing_columns(&self.0, &stream.0).map_err(Fault::from)?)
    }

    /// When it came.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// Why a row waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::WaitingKind")]
pub enum WaitingRowKind {
    /// It has no account or link yet.
    Unmatched,
    /// It could not be decoded.
    Rejected,
}

/// The rows of an unmatched group.
pub struct RowsOf;

impl Nested for RowsOf {
    type Entity = Entity;
    const NAME: &'static str = "unmatchedGroup.rows";
    const READ: Permission = Permission::UnmatchedRead;

    fn parent() -> Column {
        Column::GroupId
    }

    fn order() -> Order<Entity> {
        Order::descending([Column::Id])
    }

    fn rows(organization: OrganizationId) -> Select<Entity> {
        Entity::kept(organization)
    }
}

/// Which rejected rows.
#[derive(InputObject, Default)]
pub struct RejectedRowWhere {
    /// Only of this stream.
    pub stream_id: Option<Global<StreamId>>,
    /// Only with this reason.
    pub reason: Option<RejectionReason>,
}

/// The queries about rejected rows.
#[derive(Default)]
pub struct WaitingRowQuery;

#[Object]
impl WaitingRowQuery {
    /// Rows that could not be decoded, newest first.
    async fn rejected_rows(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<RejectedRowWhere>,
    ) -> Result<Page<WaitingRow>> {
        let organization = ctx.need(Permission::UnmatchedRead)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let mut rows = Entity::kept(organization).filter(Column::Kind.eq(entity::WaitingKind::Rejected));
        if let Some(stream) = wanted.stream_id {
            rows = rows.filter(Column::StreamId.eq(stream.0));
        }
        if let Some(reason) = wanted.reason {
            rows = rows.filter(Column::Reason.eq(reason.stored_word()));
        }
        let order = Order::descending([Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["rejectedRows", &filters], order, rows).await
    }
}

/// The input of `rejectedRowRetry`.
#[derive(InputObject)]
struct RejectedRowRetryInput {
    /// The stream.
    stream_id: Global<StreamId>,
    /// Only these rows, at most 500; left out, all of the stream.
    ids: Option<Vec<Global<WaitingRowId>>>,
}

/// The answer of `rejectedRowRetry`.
#[derive(SimpleObject)]
struct RejectedRowRetryPayload {
    /// How many rows are tried again.
    retried: i32,
    /// Why the request was refused, if it was.
    user_errors: Vec<UserError>,
}

/// The mutation of rejected rows.
#[derive(Default)]
pub struct WaitingRowMutation;

#[Object]
impl WaitingRowMutation {
    /// Tries rejected rows again with the mapping of today; rows that lack a column of it are read again first.
    async fn rejected_row_retry(
        &self,
        ctx: &Context<'_>,
        input: RejectedRowRetryInput,
    ) -> Result<RejectedRowRetryPayload> {
        let work = Work::begin(ctx, Permission::UnmatchedTriage).await?;
        let rows = input.ids.unwrap_or_default().into_iter().map(|id| id.0).collect();
        let tried = waiting_row::retry(&work.change(), input.stream_id.0, rows).await;
        Ok(match work.end(tried).await? {
            Ok(count) => RejectedRowRetryPayload {
                retried: i32::try_from(count).unwrap_or(i32::MAX),
                user_errors: Vec::new(),
            },
            Err(user_errors) => RejectedRowRetryPayload { retried: 0, user_errors },
        })
    }
}
