//! How Weir's schema grows: the same steps on SQLite and PostgreSQL.
//!
//! Steps are added at the end and never changed once released.

mod m0001_organization;
mod m0002_source;
mod m0003_account;
mod m0004_measurement;
mod m0005_waiting;
mod m0006_job;
mod m0007_audit;
mod m0008_cost;
mod m0009_reconcile;
mod m0010_reconcile_cost;
mod m0011_stream_bytes;
mod shape;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::EntityTrait;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::seaql_migrations;

/// The steps, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_organization::Migration),
            Box::new(m0002_source::Migration),
            Box::new(m0003_account::Migration),
            Box::new(m0004_measurement::Migration),
            Box::new(m0005_waiting::Migration),
            Box::new(m0006_job::Migration),
            Box::new(m0007_audit::Migration),
            Box::new(m0008_cost::Migration),
            Box::new(m0009_reconcile::Migration),
            Box::new(m0010_reconcile_cost::Migration),
            Box::new(m0011_stream_bytes::Migration),
        ]
    }
}

/// The advisory lock that lets one process at a time change the schema.
const SCHEMA_LOCK: &str = "SELECT pg_advisory_xact_lock(7386093711)";

/// Takes every step not yet taken, all or none; processes that start together wait for each other.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    let immediate = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() };
    let transaction = db.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(SCHEMA_LOCK).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

/// Names the steps not yet taken, and those taken by a newer version of Weir. Changes nothing; fails when no step was
/// ever taken.
pub async fn differences(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let taken: Vec<String> =
        seaql_migrations::Entity::find().all(db).await?.into_iter().map(|it| it.version).collect();
    let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let missing = known.iter().filter(|step| !taken.contains(step)).cloned();
    let newer = taken.iter().filter(|step| !known.contains(step)).cloned();
    Ok(missing.chain(newer).collect())
}
