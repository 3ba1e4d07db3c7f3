//! Series, their measurements, and what those were before.

use crate::shape::*;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        series(schema).await?;
        measurements(schema).await?;
        revisions(schema).await
    }
}

async fn series(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let series = Table::create()
        .table("series")
        .col(counted_id())
        .col(uuid("organization_id"))
        .col(uuid("stream_id"))
        .col(uuid("metric_id"))
        .col(byte_text(schema, "external_account"))
        .col(text_null("raw_account"))
        .col(byte_text(schema, "product").default(""))
        .col(uuid_null("account_id"))
        .col(big_integer("created_at"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .foreign_key(&mut owned_reference("metric_id", "metric", ForeignKeyAction::Restrict))
        .foreign_key(&mut owned_reference("account_id", "account", ForeignKeyAction::Restrict))
        .take();
    schema.create_table(series).await?;

    let key = ["organization_id", "stream_id", "metric_id", "external_account", "product"];
    let indexes = [
        named_index("series_key", "series", &key).unique().take(),
        index("series", &["organization_id", "account_id", "metric_id"]),
        index("series", &["organization_id", "metric_id"]),
    ];
    create_indexes(schema, indexes).await
}

/// The hot table: integer keys, no references, stored in key order where the database can.
async fn measurements(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let storage = match schema.get_database_backend() {
        DbBackend::Postgres => "WITH (fillfactor = 90)",
        _ => "WITHOUT ROWID",
    };
    let measurement = keyed("measurement", &["series_id", "measured_at"])
        .col(big_integer("series_id"))
        .col(big_integer("measured_at"))
        .col(decimal(schema, "value").not_null())
        .col(big_integer("cursor"))
        .col(big_integer("run"))
        .col(byte_text(schema, "row_key"))
        .col(text_null("period"))
        .extra(storage)
        .take();
    schema.create_table(measurement).await
}

async fn revisions(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let revision = Table::create()
        .table("measurement_revision")
        .col(counted_id())
        .col(big_integer("series_id"))
        .col(big_integer("measured_at"))
        .col(decimal(schema, "value").not_null())
        .col(big_integer("cursor"))
        .col(big_integer("run"))
        .col(byte_text(schema, "row_key"))
        .col(text_null("period"))
        .col(text("reason"))
        .col(big_integer("replaced_by_run"))
        .col(big_integer("replaced_at"))
        .take();
    schema.create_table(revision).await?;
    schema.create_index(index("measurement_revision", &["series_id", "measured_at"])).await
}
