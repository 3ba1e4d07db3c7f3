//! Accounts, their external IDs, and what their metrics are linked to.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        accounts(schema).await?;
        cases(schema).await?;
        links(schema).await
    }
}

async fn accounts(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let account = owned("account")
        .col(text("name"))
        .col(text_null("domain"))
        .col(big_integer_null("archived_at"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut organization())
        .take();
    schema.create_table(account).await?;

    let external_id = owned("external_id")
        .col(uuid("account_id"))
        .col(text("space"))
        .col(text("value"))
        .col(text("normalized"))
        .col(big_integer("created_at"))
        .col(uuid_null("created_by"))
        .foreign_key(&mut owned_reference("account_id", "account", ForeignKeyAction::Cascade))
        .foreign_key(&mut owned_reference("space", "id_space", ForeignKeyAction::Restrict))
        .foreign_key(&mut reference("created_by", "user", ForeignKeyAction::SetNull))
        .take();
    schema.create_table(external_id).await?;

    let indexes = [
        index("account", &["organization_id", "name"]),
        unique("external_id", &["organization_id", "space", "value"]),
        index("external_id", &["organization_id", "space", "normalized"]),
        index("external_id", &["organization_id", "account_id"]),
        index("external_id", &["created_by"]),
    ];
    create_indexes(schema, indexes).await
}

async fn cases(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let opportunity = owned("opportunity")
        .col(uuid("account_id"))
        .col(text("name"))
        .col(text_null("external_id"))
        .col(big_integer_null("archived_at"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_reference("account_id", "account", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(opportunity).await?;

    let input = owned("input")
        .col(uuid("opportunity_id"))
        .col(text("name"))
        .col(text_null("unit"))
        .col(text("kind"))
        .col(decimal(schema, "constant_value"))
        .col(big_integer_null("archived_at"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_reference("opportunity_id", "opportunity", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(input).await?;

    // Nulls are distinct on both databases: opportunities without an outside ID do not collide.
    let indexes = [
        index("opportunity", &["organization_id", "account_id"]),
        unique("opportunity", &["organization_id", "external_id"]),
        unique("input", &["organization_id", "opportunity_id", "name"]),
    ];
    create_indexes(schema, indexes).await
}

async fn links(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let metric = owned("metric")
        .col(text("external_id"))
        .col(text("name"))
        .col(text_null("unit"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut organization())
        .take();
    schema.create_table(metric).await?;

    let metric_link = owned("metric_link")
        .col(uuid("account_id"))
        .col(uuid("metric_id"))
        .col(uuid("input_id"))
        .col(boolean("enabled"))
        .col(text_null("note"))
        .col(uuid_null("created_by"))
        .col(integer("version"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_reference("account_id", "account", ForeignKeyAction::Cascade))
        .foreign_key(&mut owned_reference("metric_id", "metric", ForeignKeyAction::Cascade))
        .foreign_key(&mut owned_reference("input_id", "input", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("created_by", "user", ForeignKeyAction::SetNull))
        .take();
    schema.create_table(metric_link).await?;

    let indexes = [
        unique("metric", &["organization_id", "external_id"]),
        unique("metric_link", &["organization_id", "account_id", "metric_id"]),
        unique("metric_link", &["organization_id", "input_id"]),
        index("metric_link", &["organization_id", "metric_id"]),
        index("metric_link", &["created_by"]),
    ];
    create_indexes(schema, indexes).await
}
