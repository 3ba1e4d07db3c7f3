//! Rows that did not become measurements, and the decisions about them.

use crate::shape::*;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        ignore_rules(schema).await?;
        groups(schema).await?;
        waiting_rows(schema).await
    }
}

async fn ignore_rules(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let ignore_rule = owned("ignore_rule")
        .col(uuid_null("stream_id"))
        .col(text_null("external_account"))
        .col(text_null("external_metric"))
        .col(text("reason"))
        .col(big_integer_null("expires_at"))
        .col(uuid_null("created_by"))
        .col(big_integer("created_at"))
        .foreign_key(&mut organization())
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("created_by", "user", ForeignKeyAction::SetNull))
        .take();
    schema.create_table(ignore_rule).await?;
    let indexes =
        [index("ignore_rule", &["organization_id", "stream_id"]), index("ignore_rule", &["created_by"])];
    create_indexes(schema, indexes).await
}

async fn groups(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    // A rule outlives its groups' wish to be ignored: code releases them before it deletes the rule. The rule is no
    // reference, since deleting a stream takes both and neither may come first.
    // Each batch counts in the groups its rows join; where a page has room, that touches no index.
    let storage = match schema.get_database_backend() {
        DbBackend::Postgres => "WITH (fillfactor = 70)",
        _ => "",
    };
    let group = Table::create()
        .table("unmatched_group")
        .col(counted_id())
        .col(uuid("organization_id"))
        .col(uuid("stream_id"))
        .col(text("reason"))
        .col(byte_text(schema, "external_account"))
        .col(byte_text(schema, "external_metric"))
        .col(big_integer("waiting"))
        .col(big_integer("first_seen_at"))
        .col(big_integer("last_seen_at"))
        .col(text("status"))
        .col(uuid_null("ignore_rule_id"))
        .col(uuid_null("assignee_id"))
        .col(text_null("note"))
        .col(big_integer_null("snoozed_until"))
        .col(big_integer_null("resolved_at"))
        .col(integer("version"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("assignee_id", "user", ForeignKeyAction::SetNull))
        .extra(storage)
        .take();
    schema.create_table(group).await?;

    let key = ["organization_id", "stream_id", "reason", "external_account", "external_metric"];
    let indexes = [
        named_index("unmatched_group_key", "unmatched_group", &key).unique().take(),
        index("unmatched_group", &["organization_id", "status", "last_seen_at"]),
        index("unmatched_group", &["organization_id", "ignore_rule_id"]),
        index("unmatched_group", &["assignee_id"]),
    ];
    create_indexes(schema, indexes).await
}

async fn waiting_rows(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let waiting_row = Table::create()
        .table("waiting_row")
        .col(counted_id())
        .col(uuid("organization_id"))
        .col(uuid("stream_id"))
        .col(byte_text(schema, "row_key"))
        .col(byte_text(schema, "part").default(""))
        .col(text("kind"))
        .col(big_integer_null("group_id"))
        .col(big_integer("run"))
        .col(big_integer("cursor"))
        .col(byte_text(schema, "product").default(""))
        .col(decimal(schema, "value"))
        .col(big_integer_null("measured_at"))
        .col(text_null("period"))
        .col(text("row"))
        .col(text_null("reason"))
        .col(text_null("column_name"))
        .col(text_null("raw"))
        .col(big_integer("created_at"))
        .foreign_key(&mut owned_reference("stream_id", "stream", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("group_id", "unmatched_group", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(waiting_row).await?;

    let key = ["organization_id", "stream_id", "row_key", "part"];
    let indexes = [
        named_index("waiting_row_key", "waiting_row", &key).unique().take(),
        index("waiting_row", &["group_id"]),
        // Not (organization_id, stream_id, kind): PostgreSQL, before it has statistics, takes that one to find row keys.
        index("waiting_row", &["organization_id", "kind", "stream_id"]),
    ];
    create_indexes(schema, indexes).await
}
