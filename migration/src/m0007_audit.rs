//! What was done, and what must not be done twice.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        audit(schema).await?;
        requests(schema).await
    }
}

async fn audit(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let audit_event = owned("audit_event")
        .col(big_integer("at"))
        .col(text("actor_kind"))
        .col(uuid_null("actor_id"))
        .col(text("actor_name"))
        .col(text("action"))
        .col(text("subject_type"))
        .col(text("subject_id"))
        .col(text("detail"))
        .foreign_key(&mut organization())
        .take();
    schema.create_table(audit_event).await?;
    let by_time = named_index("audit_event_time", "audit_event", &["organization_id"])
        .col(("at", IndexOrder::Desc))
        .take();
    let by_subject = index("audit_event", &["organization_id", "subject_type", "subject_id"]);
    create_indexes(schema, [by_time, by_subject]).await
}

async fn requests(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let idempotency = keyed("idempotency", &["organization_id", "actor", "key"])
        .col(uuid("organization_id"))
        .col(text("actor"))
        .col(text("key"))
        .col(text("request_hash"))
        .col(text_null("response"))
        .col(text("status"))
        .col(big_integer("created_at"))
        .foreign_key(&mut reference("organization_id", "organization", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(idempotency).await?;

    create_indexes(schema, [index("idempotency", &["created_at"])]).await
}
