//! What comparisons cost at their sources.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for column in ["source_statements", "source_micros", "source_rows", "source_bytes"] {
            // One at a time: SQLite adds no more with one statement.
            let added = Table::alter().table("reconcile").add_column(big_integer(column).default(0)).take();
            schema.alter_table(added).await?;
        }
        Ok(())
    }
}
