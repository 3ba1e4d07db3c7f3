//! The state of everything on one page.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use entity::{
    GroupStatus, OrganizationId, RunStatus, WaitingKind, external_id, external_id_setting, metric_link,
    series, source, stream, sync_run, unmatched_group, waiting_row,
};
use futures::future::try_join_all;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};

use crate::auth::Permission;
use crate::clock::{DAY, Micros};
use crate::domain::kept::Kept;
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::Reach;
use crate::graphql::error::Fault;
use crate::graphql::scalar::{BigInt, Date};
use crate::graphql::stream::Stream;
use crate::graphql::sync_run::SyncRun;

/// Days the trend looks back.
const DAYS: i64 = 14;
/// Streams and runs shown at most.
const SHOWN: u64 = 100;

/// A count of one day.
#[derive(SimpleObject)]
struct DayCount {
    /// The day, in UTC.
    date: Date,
    /// The count.
    count: BigInt,
}

/// One step of setting up.
#[derive(SimpleObject)]
struct ChecklistItem {
    /// The step.
    step: ChecklistStep,
    /// Whether it is done.
    done: bool,
}

/// A step of setting up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ChecklistStep {
    /// Add accounts and their external IDs.
    AddAccounts,
    /// Make an external-ID setting.
    ChooseIdSpaces,
    /// Add a source.
    AddSource,
    /// Map a table.
    AddStream,
    /// Let a run succeed.
    FirstSync,
    /// Link a metric to an input.
    FirstLink,
    /// See a measurement on an account.
    FirstMeasurement,
}

/// The state of everything.
pub struct Overview(OrganizationId);

/// The state of everything.
#[Object]
impl Overview {
    /// The streams that need attention first, those that need it alike by name; at most 100.
    async fn streams(&self, ctx: &Context<'_>) -> Result<Vec<Stream>> {
        ctx.need(Permission::SourcesRead)?;
        let rows = stream::Entity::kept(self.0)
            .order_by_desc(stream::Column::Enabled)
            .order_by_asc(Expr::col((stream::Entity, stream::Column::LastSucceededAt)).is_not_null())
            .order_by_asc(stream::Column::LastSucceededAt)
            .order_by_asc(stream::Column::Id)
            .limit(SHOWN)
            .all(ctx.db())
            .await
            .map_err(Fault::from)?;
        let streams: Vec<Stream> = rows.into_iter().map(Stream::from).collect();
        let judged = try_join_all(streams.iter().map(|stream| stream.judged(ctx))).await?;
        // By name and not by time, so that lines keep their places while streams succeed in turn.
        let mut placed: Vec<_> = judged.into_iter().zip(streams).collect();
        placed.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.0.name.cmp(&other.0.name)));
        Ok(placed.into_iter().map(|(_, stream)| stream).collect())
    }

    /// Rows read today, in UTC.
    async fn rows_today(&self, ctx: &Context<'_>) -> Result<BigInt> {
        ctx.need(Permission::SourcesRead)?;
        Ok(self.today(ctx, sync_run::Column::RowsRead).await.map_err(Fault::from)?)
    }

    /// Measurements written today, in UTC.
    async fn written_today(&self, ctx: &Context<'_>) -> Result<BigInt> {
        ctx.need(Permission::SourcesRead)?;
        Ok(self.today(ctx, sync_run::Column::Written).await.map_err(Fault::from)?)
    }

    /// Open unmatched groups.
    async fn open_groups(&self, ctx: &Context<'_>) -> Result<i32> {
        ctx.need(Permission::UnmatchedRead)?;
        let count = self.groups().count(ctx.db()).await.map_err(Fault::from)?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Readings that wait in open groups.
    async fn waiting_readings(&self, ctx: &Context<'_>) -> Result<BigInt> {
        ctx.need(Permission::UnmatchedRead)?;
        Ok(sum(ctx, self.groups(), unmatched_group::Column::Waiting).await.map_err(Fault::from)?)
    }

    /// Rejected rows.
    async fn rejected_rows(&self, ctx: &Context<'_>) -> Result<BigInt> {
        ctx.need(Permission::UnmatchedRead)?;
        let rows =
            waiting_row::Entity::kept(self.0).filter(waiting_row::Column::Kind.eq(WaitingKind::Rejected));
        let count = rows.count(ctx.db()).await.map_err(Fault::from)?;
        Ok(BigInt(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Readings that went to wait on each of the last 14 days.
    async fn unmatched_trend(&self, ctx: &Context<'_>) -> Result<Vec<DayCount>> {
        ctx.need(Permission::UnmatchedRead)?;
        Ok(self.trend(ctx).await.map_err(Fault::from)?)
    }

    /// Runs that are queued or running.
    async fn live_runs(&self, ctx: &Context<'_>) -> Result<Vec<SyncRun>> {
        ctx.need(Permission::SourcesRead)?;
        let rows = sync_run::Entity::kept(self.0)
            .filter(sync_run::Column::Status.is_in([RunStatus::Queued, RunStatus::Running]))
            .order_by_desc(sync_run::Column::Number)
            .limit(SHOWN)
            .all(ctx.db())
            .await
            .map_err(Fault::from)?;
        Ok(rows.into_iter().map(SyncRun::from).collect())
    }

    /// What is left to do in a new installation.
    async fn checklist(&self, ctx: &Context<'_>) -> Result<Vec<ChecklistItem>> {
        ctx.need(Permission::AccountsRead)?;
        Ok(self.steps(ctx).await.map_err(Fault::from)?)
    }
}

impl Overview {
    fn groups(&self) -> Select<unmatched_group::Entity> {
        unmatched_group::Entity::kept(self.0).filter(unmatched_group::Column::Status.eq(GroupStatus::Open))
    }

    fn runs_since(&self, at: Micros) -> Select<sync_run::Entity> {
        sync_run::Entity::kept(self.0).filter(sync_run::Column::StartedAt.gte(at))
    }

    async fn today(&self, ctx: &Context<'_>, column: sync_run::Column) -> DomainResult<BigInt> {
        let midnight = ctx.now().div_euclid(DAY) * DAY;
        sum(ctx, self.runs_since(midnight), column).await
    }

    async fn trend(&self, ctx: &Context<'_>) -> DomainResult<Vec<DayCount>> {
        let today = ctx.now().div_euclid(DAY);
        let first = today - DAYS + 1;
        let day = Expr::col((sync_run::Entity, sync_run::Column::StartedAt)).div(DAY);
        let query = self
            .runs_since(first * DAY)
            .select_only()
            .column_as(day, "day")
            .column_as(sync_run::Column::Unmatched.sum().cast_as("bigint"), "total")
            // By its name: PostgreSQL takes the same expression with another placeholder for another one.
            .group_by(Expr::col("day"));
        let mut counts = std::collections::HashMap::new();
        for row in ctx.db().query_all(&query.into_query()).await? {
            counts.insert(row.try_get::<i64>("", "day")?, row.try_get::<i64>("", "total")?);
        }
        (first..=today)
            .map(|day| {
                let date = chrono::DateTime::from_timestamp_micros(day * DAY)
                    .ok_or_else(|| Error::internal("naming a day", day))?;
                let count = counts.get(&day).copied().unwrap_or_default();
                Ok(DayCount { date: Date(date.date_naive()), count: BigInt(count) })
            })
            .collect()
    }

    async fn steps(&self, ctx: &Context<'_>) -> DomainResult<Vec<ChecklistItem>> {
        let db = ctx.db();
        let own = |column: external_id::Column| external_id::Entity::find().filter(column.eq(self.0));
        let accounts = any(db, own(external_id::Column::OrganizationId)).await?;
        let setting = external_id_setting::Entity::find()
            .filter(external_id_setting::Column::OrganizationId.eq(self.0));
        let source = source::Entity::kept(self.0);
        let stream = stream::Entity::kept(self.0);
        let ran = stream.clone().filter(stream::Column::LastSucceededAt.is_not_null());
        let link = metric_link::Entity::find().filter(metric_link::Column::OrganizationId.eq(self.0));
        let measured = series::Entity::kept(self.0).filter(series::Column::AccountId.is_not_null());
        use ChecklistStep as Step;
        let steps = [
            (Step::AddAccounts, accounts),
            (Step::ChooseIdSpaces, any(db, setting).await?),
            (Step::AddSource, any(db, source).await?),
            (Step::AddStream, any(db, stream).await?),
            (Step::FirstSync, any(db, ran).await?),
            (Step::FirstLink, any(db, link).await?),
            (Step::FirstMeasurement, any(db, measured).await?),
        ];
        Ok(steps.into_iter().map(|(step, done)| ChecklistItem { step, done }).collect())
    }
}

async fn any<E: EntityTrait>(db: &impl ConnectionTrait, rows: Select<E>) -> DomainResult<bool> {
    Ok(rows.limit(1).one(db).await?.is_some())
}

async fn sum<E: EntityTrait>(ctx: &Context<'_>, rows: Select<E>, column: E::Column) -> DomainResult<BigInt> {
    let query = rows.select_only().column_as(column.sum().cast_as("bigint"), "total").into_query();
    let row = ctx.db().query_one(&query).await?;
    let total = row.map(|row| row.try_get::<Option<i64>>("", "total")).transpose()?;
    Ok(BigInt(total.flatten().unwrap_or_default()))
}

/// The query about the state of everything.
#[derive(Default)]
pub struct OverviewQuery;

#[Object]
impl OverviewQuery {
    /// The state of everything on one page.
    async fn overview(&self, ctx: &Context<'_>) -> Result<Overview> {
        Ok(Overview(ctx.viewer()?.organization))
    }
}
