//! What streams took in, compared with their tables: when, what differed, what became of it.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        settings(schema).await?;
        reconciles(schema).await?;
        slices(schema).await
    }
}

async fn settings(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let setting = keyed("reconcile_setting", &["organization_id", "stream_id"])
        .col(uuid("organization_id"))
        .col(uuid("stream_id"))
        .col(boolean("enabled"))
        .col(text("time"))
        .col(text("zone"))
        .col(integer("days"))
        .col(big_integer_null("due_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(setting).await?;
    create_indexes(schema, [index("reconcile_setting", &["due_at"])]).await
}

async fn reconciles(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let reconcile = owned("reconcile")
        .col(uuid("stream_id"))
        .col(text("trigger"))
        .col(integer("days"))
        .col(integer("stream_version"))
        .col(big_integer("version"))
        .col(integer("attempt"))
        .col(text_null("since"))
        .col(text_null("until"))
        .col(big_integer_null("compared_at"))
        .col(big_integer("slices"))
        .col(big_integer("differing"))
        .col(big_integer("explained"))
        .col(big_integer("written"))
        .col(text_null("error_message"))
        .col(text_null("error_action"))
        .col(uuid_null("requested_by"))
        .col(big_integer("started_at"))
        .col(big_integer_null("finished_at"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("requested_by", "user", ForeignKeyAction::SetNull))
        .take();
    schema.create_table(reconcile).await?;
    let live = named_index("reconcile_live", "reconcile", &["organization_id", "stream_id"])
        .unique()
        .and_where(Expr::col("finished_at").is_null())
        .take();
    let indexes = [
        live,
        index("reconcile", &["organization_id", "stream_id", "id"]),
        index("reconcile", &["requested_by"]),
    ];
    create_indexes(schema, indexes).await
}

async fn slices(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let slice = keyed("reconcile_slice", &["organization_id", "reconcile_id", "number"])
        .col(uuid("organization_id"))
        .col(uuid("reconcile_id"))
        .col(big_integer("number"))
        .col(uuid("stream_id"))
        .col(big_integer("readings"))
        .col(text_null("total"))
        .col(big_integer_null("newest"))
        .col(text("gap"))
        .col(text_null("rest"))
        .col(uuid_null("run_id"))
        .foreign_key(&mut owned_reference("reconcile_id", "reconcile", ForeignKeyAction::Cascade))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(slice).await?;
    create_indexes(schema, [index("reconcile_slice", &["organization_id", "stream_id", "number"])]).await
}
