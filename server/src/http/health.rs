//! `/health` says that the process answers; `/ready` that it can do its work.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::web::Data;
use entity::worker;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::State;
use crate::clock::{Micros, SECOND};
use crate::config::Config;
use crate::db::Db;

/// How long an answer holds, so that asking often costs nothing.
const HOLDS: Micros = SECOND;

/// Whether the server can do its work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether the database answers.
    pub database: bool,
    /// Whether it has the tables this server knows, and no newer ones.
    pub migrated: bool,
    /// Workers alive, of all processes.
    pub workers: u64,
}

impl Readiness {
    /// Asks the database.
    pub async fn of(db: &Db, config: &Config, now: Micros) -> Self {
        let db = db.orm();
        let database = db.ping().await.is_ok();
        let migrated = database && matches!(migration::differences(db).await, Ok(steps) if steps.is_empty());
        let workers = if migrated { workers(db, config, now).await } else { 0 };
        Self { database, migrated, workers }
    }

    /// Whether requests can be answered.
    pub fn ready(&self) -> bool {
        self.database && self.migrated
    }
}

/// Workers seen within two leases, of all processes.
async fn workers(db: &DatabaseConnection, config: &Config, now: Micros) -> u64 {
    let since = now - 2 * i64::from(config.workers.lease_seconds) * SECOND;
    worker::Entity::find().filter(worker::Column::SeenAt.gte(since)).count(db).await.unwrap_or(0)
}

/// The last answer and when it was found.
#[derive(Clone, Debug, Default)]
pub struct Cache(Arc<Mutex<Option<(Micros, Readiness)>>>);

impl Cache {
    fn fresh(&self, now: Micros) -> Option<Readiness> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(at, _)| now - at < HOLDS).map(|(_, readiness)| readiness.clone())
    }

    fn hold(&self, now: Micros, readiness: &Readiness) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, readiness.clone()));
    }
}

/// Answers `/health`.
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Answers `/ready`.
pub async fn ready(state: Data<State>) -> HttpResponse {
    let now = state.app.clock.now();
    let readiness = match state.health.fresh(now) {
        Some(readiness) => readiness,
        None => {
            let app = state.app.clone();
            let asked = state.run(async move { Readiness::of(&app.db, &app.config, now).await }).await;
            let found = asked.unwrap_or(Readiness { database: false, migrated: false, workers: 0 });
            state.health.hold(now, &found);
            found
        }
    };
    let mut answer = if readiness.ready() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(readiness)
}
