//! What one statement of a stream may bill at most.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let column = big_integer_null("maximum_bytes_billed");
        schema.alter_table(Table::alter().table("stream").add_column(column).take()).await
    }
}
