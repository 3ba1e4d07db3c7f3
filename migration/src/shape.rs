//! The shapes every table is made of: keys, references, indexes, and the few columns whose type differs by database.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, boolean_null, integer, text, text_null, uuid, uuid_null,
};
use sea_orm_migration::sea_orm::DbBackend;

/// Starts a table whose key is (organization, ID).
pub fn owned(name: &'static str) -> TableCreateStatement {
    keyed(name, &["organization_id", "id"]).col(uuid("organization_id")).col(uuid("id")).take()
}

/// Starts a table with the given primary key; its columns are still to be added.
pub fn keyed(name: &'static str, key: &[&'static str]) -> TableCreateStatement {
    let mut primary_key = Index::create();
    for column in key {
        primary_key.col(*column);
    }
    Table::create().table(name).primary_key(&mut primary_key).take()
}

/// A key the database counts up itself.
pub fn counted_id() -> ColumnDef {
    big_integer("id").primary_key().auto_increment().take()
}

/// Refers from `column` to the ID of a table that no organization owns.
pub fn reference(
    column: &'static str,
    table: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().from_col(column).to(table, "id").on_delete(on_delete).take()
}

/// Refers from (organization, `column`) to the same organization's row of `table`.
pub fn owned_reference(
    column: &'static str,
    table: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    let key = if table == "id_space" { "name" } else { "id" };
    ForeignKey::create()
        .from_col("organization_id")
        .from_col(column)
        .to_tbl(table)
        .to_col("organization_id")
        .to_col(key)
        .on_delete(on_delete)
        .take()
}

/// Says who owns the rows; an organization with rows is not deleted by accident.
pub fn organization() -> ForeignKeyCreateStatement {
    reference("organization_id", "organization", ForeignKeyAction::Restrict)
}

/// An index over columns, named after them.
pub fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named_index(&format!("{table}_{}", columns.join("_")), table, columns)
}

/// An index with a name of its own.
pub fn named_index(name: &str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

/// A unique index over columns, named after them.
pub fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, columns).unique().take()
}

/// Creates indexes one after the other.
pub async fn create_indexes(
    schema: &SchemaManager<'_>,
    indexes: impl IntoIterator<Item = IndexCreateStatement>,
) -> Result<(), DbErr> {
    for index in indexes {
        schema.create_index(index).await?;
    }
    Ok(())
}

/// An exact number: `NUMERIC` where that is exact, canonical text where it is not.
pub fn decimal(schema: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match schema.get_database_backend() {
        DbBackend::Postgres => column.custom("numeric"),
        _ => column.text(),
    };
    column
}

/// Text that is compared and sorted by its bytes, whatever the database's language.
pub fn byte_text(schema: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = text(name);
    if schema.get_database_backend() == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

/// A condition for a partial index: the status is one of these.
pub fn status_in(values: &[&'static str]) -> Expr {
    Expr::col("status").is_in(values.iter().copied())
}
