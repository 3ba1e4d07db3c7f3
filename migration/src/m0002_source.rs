//! Sources, their key pairs, the streams read from them, and the runs.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sources(schema).await?;
        id_spaces(schema).await?;
        streams(schema).await?;
        runs(schema).await
    }
}

async fn sources(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let source = owned("source")
        .col(text("name"))
        .col(text("kind"))
        .col(text("config"))
        .col(text_null("sealed_credential"))
        .col(text("state"))
        .col(text_null("last_check"))
        .col(text_null("last_error"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer_null("deleted_at"))
        .foreign_key(&mut organization())
        .take();
    schema.create_table(source).await?;

    let key_pair = owned("key_pair")
        .col(uuid("source_id"))
        .col(integer("slot"))
        .col(text("public_key"))
        .col(text("fingerprint"))
        .col(text("sealed_private_key"))
        .col(text("state"))
        .col(big_integer("created_at"))
        .col(big_integer_null("activated_at"))
        .col(big_integer_null("retired_at"))
        .foreign_key(&mut owned_reference("source_id", "source", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(key_pair).await?;

    let indexes = [kept_name("source"), unique("key_pair", &["organization_id", "source_id", "slot"])];
    create_indexes(schema, indexes).await
}

/// A name that no other has; what is being deleted has given its name up.
fn kept_name(table: &'static str) -> IndexCreateStatement {
    unique(table, &["organization_id", "name"]).and_where(Expr::col("deleted_at").is_null()).take()
}

async fn id_spaces(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let id_space = keyed("id_space", &["organization_id", "name"])
        .col(uuid("organization_id"))
        .col(text("name"))
        .col(text("normalizer"))
        .col(big_integer("created_at"))
        .foreign_key(&mut organization())
        .take();
    schema.create_table(id_space).await?;

    let external_id_setting = owned("external_id_setting")
        .col(text("name"))
        .col(text("spaces"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut organization())
        .take();
    schema.create_table(external_id_setting).await?;
    schema.create_index(unique("external_id_setting", &["organization_id", "name"])).await
}

async fn streams(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let stream = owned("stream")
        .col(uuid("source_id"))
        .col(text("name"))
        .col(text("table_ref"))
        .col(text("shape"))
        .col(text("destination"))
        .col(text("mapping"))
        .col(text("cursor_column"))
        .col(text("cursor_kind"))
        .col(text_null("cursor_zone"))
        .col(text("null_cursor"))
        .col(big_integer("lookback"))
        .col(text("row_key"))
        .col(big_integer("future_tolerance"))
        .col(uuid_null("external_id_setting_id"))
        .col(text("schedule"))
        .col(big_integer_null("next_due_at"))
        .col(boolean("enabled"))
        .col(text_null("paused_reason"))
        .col(text("columns"))
        .col(big_integer_null("columns_seen_at"))
        .col(big_integer_null("last_succeeded_at"))
        .col(uuid_null("last_run_id"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer_null("deleted_at"))
        .foreign_key(&mut owned_reference("source_id", "source", ForeignKeyAction::Cascade))
        .foreign_key(&mut owned_reference(
            "external_id_setting_id",
            "external_id_setting",
            ForeignKeyAction::Restrict,
        ))
        .take();
    schema.create_table(stream).await?;

    let checkpoint = keyed("checkpoint", &["organization_id", "stream_id"])
        .col(uuid("organization_id"))
        .col(uuid("stream_id"))
        .col(text("cursor_column"))
        .col(text("cursor_kind"))
        .col(text("watermark"))
        .col(text("position"))
        .col(big_integer("rank"))
        .col(text_null("window_hash"))
        .col(big_integer("version"))
        .col(big_integer("updated_at"))
        .col(uuid_null("run_id"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(checkpoint).await?;

    let due = named_index("stream_due", "stream", &["next_due_at"]).and_where(Expr::col("enabled")).take();
    let deleted = named_index("stream_deleted", "stream", &["id"])
        .and_where(Expr::col("deleted_at").is_not_null())
        .take();
    let indexes = [
        kept_name("stream"),
        deleted,
        index("stream", &["organization_id", "source_id"]),
        index("stream", &["organization_id", "external_id_setting_id"]),
        due,
    ];
    create_indexes(schema, indexes).await
}

/// The counts a run keeps, all of them zero at its start.
const TALLY: [&str; 14] = [
    "rows_read",
    "rows_mapped",
    "rows_rejected",
    "rows_repeated",
    "readings",
    "written",
    "unchanged",
    "superseded",
    "unmatched",
    "ignored",
    "null_cells",
    "null_cursors",
    "batches",
    "bytes_read",
];

async fn runs(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut run = owned("sync_run");
    run.col(big_integer("number"))
        .col(uuid("stream_id"))
        .col(text("kind"))
        .col(text("trigger"))
        .col(text("status"))
        .col(integer("attempt"))
        .col(big_integer("fence"))
        .col(uuid_null("lease_owner"))
        .col(big_integer_null("lease_until"))
        .col(big_integer_null("heartbeat_at"))
        .col(text_null("since"))
        .col(text_null("until"))
        .col(text_null("cursor_before"))
        .col(text_null("cursor_after"));
    for count in TALLY {
        run.col(big_integer(count).default(0));
    }
    run.col(boolean_null("balanced"))
        .col(text_null("error_kind"))
        .col(text_null("error_message"))
        .col(text_null("error_action"))
        .col(text_null("error_detail"))
        .col(big_integer_null("retry_at"))
        .col(big_integer_null("cancel_requested_at"))
        .col(uuid_null("requested_by"))
        .col(big_integer("queued_at"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("requested_by", "user", ForeignKeyAction::SetNull));
    schema.create_table(run).await?;

    let live = named_index("sync_run_live", "sync_run", &["organization_id", "stream_id", "kind"])
        .unique()
        .and_where(status_in(&["queued", "running"]))
        .take();
    let by_stream = named_index("sync_run_stream", "sync_run", &["organization_id", "stream_id"])
        .col(("number", IndexOrder::Desc))
        .take();
    let indexes = [
        unique("sync_run", &["organization_id", "number"]),
        live,
        by_stream,
        index("sync_run", &["requested_by"]),
    ];
    create_indexes(schema, indexes).await
}
