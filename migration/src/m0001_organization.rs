//! Organizations, the people in them, and how they sign in.

use crate::shape::*;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() == DbBackend::Postgres {
            // Decimals are bound as text and cast to this; on SQLite a cast to a name with TEXT in it keeps the text.
            schema.get_connection().execute_unprepared("CREATE DOMAIN decimal_text AS numeric").await?;
        }
        organizations(schema).await?;
        people(schema).await?;
        let setting = keyed("setting", &["key"]).col(text("key")).col(text("value")).take();
        schema.create_table(setting).await
    }
}

async fn organizations(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let organization = keyed("organization", &["id"])
        .col(uuid("id"))
        .col(text("name"))
        .col(boolean("ingestion_enabled"))
        .col(big_integer("created_at"))
        .take();
    schema.create_table(organization).await?;

    // No reference: the nil organization counts for all.
    let counter = keyed("counter", &["organization_id", "name"])
        .col(uuid("organization_id"))
        .col(text("name"))
        .col(big_integer("value"))
        .take();
    schema.create_table(counter).await?;

    let match_state = keyed("match_state", &["organization_id"])
        .col(uuid("organization_id"))
        .col(big_integer("version"))
        .foreign_key(&mut reference("organization_id", "organization", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(match_state).await
}

async fn people(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let user = keyed("user", &["id"])
        .col(uuid("id"))
        .col(text("email"))
        .col(text("name"))
        .col(text("password_hash"))
        .col(big_integer("created_at"))
        .col(big_integer_null("disabled_at"))
        .take();
    schema.create_table(user).await?;

    let membership = keyed("membership", &["organization_id", "user_id"])
        .col(uuid("organization_id"))
        .col(uuid("user_id"))
        .col(text("role"))
        .col(big_integer("created_at"))
        .foreign_key(&mut reference("organization_id", "organization", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("user_id", "user", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(membership).await?;

    let session = keyed("session", &["id"])
        .col(uuid("id"))
        .col(text("token_hash"))
        .col(uuid("user_id"))
        .col(uuid("organization_id"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer("expires_at"))
        .col(text_null("user_agent"))
        .foreign_key(&mut reference("user_id", "user", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("organization_id", "organization", ForeignKeyAction::Cascade))
        .take();
    schema.create_table(session).await?;

    let api_token = owned("api_token")
        .col(text("name"))
        .col(text("prefix"))
        .col(text("secret_hash"))
        .col(text("last4"))
        .col(text("scopes"))
        .col(uuid_null("created_by"))
        .col(big_integer("created_at"))
        .col(big_integer_null("expires_at"))
        .col(big_integer_null("last_used_at"))
        .col(big_integer_null("revoked_at"))
        .foreign_key(&mut organization())
        .foreign_key(&mut reference("created_by", "user", ForeignKeyAction::SetNull))
        .take();
    schema.create_table(api_token).await?;

    let indexes = [
        unique("user", &["email"]),
        index("membership", &["user_id"]),
        unique("session", &["token_hash"]),
        index("session", &["user_id"]),
        index("session", &["organization_id"]),
        index("session", &["expires_at"]),
        unique("api_token", &["prefix"]),
        index("api_token", &["created_by"]),
    ];
    create_indexes(schema, indexes).await
}
