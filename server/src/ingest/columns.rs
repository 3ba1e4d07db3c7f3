//! The look at a table's columns: are those a stream reads still what they were, and has it new ones?
//!
//! The types of each run's first batch are compared with those saved, which asks the source nothing. The catalog is
//! asked when they differ, and now and then when a run finds news: never by a poll that finds none.

use std::sync::Arc;

use connector::Connector;

use super::plan::Plan;
use super::store::{Bind, Store};
use crate::app::App;
use crate::clock::{Micros, SECOND};
use crate::domain::stream_columns;
use crate::error::Result;

/// How long a look is good for.
const GOOD_FOR: Micros = 3_600 * SECOND;

/// Whether it is time for a look.
pub fn due(app: &App, plan: &Plan) -> bool {
    !plan.seen.is_empty() && plan.seen_at.is_none_or(|at| app.clock.now() - at >= GOOD_FOR)
}

/// Compares the table with what the stream was made for, and notes on the stream what it has besides.
///
/// # Errors
/// A schema error that says which column is gone or of another type; what the source or the database did.
pub async fn look(app: &App, connector: &Arc<dyn Connector>, plan: &Plan) -> Result<()> {
    let table = connector.describe(&plan.table).await?;
    plan.check(&table)?;
    let columns = stream_columns::write(&stream_columns::after(&plan.seen, &table.columns))?;
    let mut store = Store::begin(&app.db).await?;
    // An edit in between has looked itself.
    let sql = "UPDATE stream SET columns = $3, columns_seen_at = $4 WHERE organization_id = $1 AND id = $2 \
        AND version = $5";
    let binds: [Bind; 5] = [
        plan.route.organization.0.into(),
        plan.route.stream.0.into(),
        columns.into(),
        app.clock.now().into(),
        i64::from(plan.version).into(),
    ];
    store.execute(sql, &binds).await?;
    store.commit().await
}
