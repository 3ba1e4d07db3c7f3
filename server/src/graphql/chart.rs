//! What a chart draws of a series: real values, one for each of so many equal intervals.

use std::collections::HashMap;

use async_graphql::SimpleObject;
use async_graphql::dataloader::Loader;
use entity::SeriesId;
use entity::measurement::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::auth::Permission;
use crate::graphql::loaders::{Fetch, LoadError, union};
use crate::graphql::scalar::{DateTime, Decimal};

/// A measurement chosen for a chart.
#[derive(SimpleObject)]
pub struct ChartPoint {
    /// When it was measured.
    measured_at: DateTime,
    /// The exact value.
    value: Decimal,
}

impl From<Model> for ChartPoint {
    fn from(model: Model) -> Self {
        Self { measured_at: DateTime(model.measured_at), value: Decimal(model.value) }
    }
}

/// Asks for the chart of a series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChartOf {
    /// The series.
    pub series: SeriesId,
    /// From this time on.
    pub since: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
    /// The most points.
    pub points: i32,
}

impl ChartOf {
    fn within(&self) -> sea_orm::Condition {
        let mut within = sea_orm::Condition::all().add(Column::SeriesId.eq(self.series));
        if let Some(since) = self.since {
            within = within.add(Column::MeasuredAt.gte(since));
        }
        if let Some(until) = self.until {
            within = within.add(Column::MeasuredAt.lt(until));
        }
        within
    }

    /// The first and the last time, one row without a time when there is none.
    fn ends(&self) -> SelectStatement {
        let ends = Entity::find().filter(self.within()).select_only();
        ends.column_as(Column::MeasuredAt.min(), "low")
            .column_as(Column::MeasuredAt.max(), "high")
            .into_query()
    }

    /// The last measurement of each interval between two times.
    fn points(&self, low: i64, high: i64) -> SelectStatement {
        let width = (high - low) / i64::from(self.points) + 1;
        let interval = Expr::col((Entity, Column::MeasuredAt)).sub(low).div(width);
        let chosen = Query::select()
            .expr(Func::max(Expr::col((Entity, Column::MeasuredAt))))
            .from(Entity)
            .cond_where(self.within())
            .add_group_by([interval])
            .to_owned();
        let rows = Entity::find()
            .filter(Column::SeriesId.eq(self.series))
            .filter(Column::MeasuredAt.in_subquery(chosen));
        sea_orm::QueryOrder::order_by_asc(rows, Column::MeasuredAt).into_query()
    }
}

impl Loader<ChartOf> for Fetch {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[ChartOf]) -> std::result::Result<HashMap<ChartOf, Vec<Model>>, LoadError> {
        self.organization(Permission::MeasurementsRead)?;
        let mut found: HashMap<ChartOf, Vec<Model>> = HashMap::new();
        for part in keys.chunks(100) {
            let mut ends = Query::select();
            for (index, key) in part.iter().enumerate() {
                let (low, high) = ("low", "high");
                let one = Query::select()
                    .expr_as(Expr::val(i64::try_from(index).unwrap_or_default()), "place")
                    .columns([low, high])
                    .from_subquery(key.ends(), "ends")
                    .to_owned();
                if index == 0 {
                    ends = one;
                } else {
                    ends.union(sea_orm::sea_query::UnionType::All, one);
                }
            }
            let mut charts = Vec::new();
            for row in self.db().query_all(&ends).await? {
                let place = usize::try_from(row.try_get::<i64>("", "place")?).unwrap_or_default();
                let ends = (row.try_get::<Option<i64>>("", "low")?, row.try_get::<Option<i64>>("", "high")?);
                if let (Some(low), Some(high)) = ends {
                    charts.push((&part[place], low, high));
                }
            }
            let points = charts.iter().map(|(key, low, high)| key.points(*low, *high));
            for (index, model) in union::<Entity>(self.db(), points).await? {
                found.entry(charts[index].0.clone()).or_default().push(model);
            }
        }
        Ok(found)
    }
}
